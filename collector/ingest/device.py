"""What a user agent says: browser, operating system, kind of device."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

import ua_parser
from ua_parser.regex import Resolver

LONGEST = 1_024
"""User agents are cut to so many characters before anything reads them."""

CACHE_SIZE = 8_192
"""How many user agents are remembered."""


class Device(NamedTuple):
    """Names as people know them, versions as major.minor, device Desktop, Mobile or Tablet; "" if unknown."""

    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""


def read(user_agent: str) -> Device:
    """What the user agent tells, all "" if it tells nothing.

    Televisions and game consoles count as Desktop, Android without the word Mobile as Tablet; a page inside
    another app's window has the browser "Mobile App" unless the app gives its name. A version that browsers have
    frozen is given as they say it (Windows 10, macOS 10.15, Android 10), but iOS from 26 on, which they tell elsewhere.
    """
    return _read(user_agent[:LONGEST])


def warm_up() -> None:
    """Load the parser now (0.1 s), so that no visitor waits for it."""
    _parser()


_BROWSERS = {
    "Android": "Android Browser",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Mobile App",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Ecosia Android": "Ecosia",
    "Ecosia iOS": "Ecosia",
    "Edge Mobile": "Edge",
    "Firefox Alpha": "Firefox",
    "Firefox Beta": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "IE": "Internet Explorer",
    "IE Large Screen": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "MiuiBrowser": "Miui Browser",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Mobile App",
    "Opera Mini": "Opera",
    "Opera Mobile": "Opera",
    "Opera Tablet": "Opera",
    "Opera Touch": "Opera",
    "QQ Browser Mini": "QQ Browser",
    "QQ Browser Mobile": "QQ Browser",
    "Samsung Internet": "Samsung Browser",
}
_SYSTEMS = {
    "ATV OS X": "tvOS",
    "BlackBerry Tablet OS": "BlackBerry OS",
    "Chromecast Android": "Android",
    "Mac OS": "macOS",
    "Mac OS X": "macOS",
    "Symbian^3": "Symbian OS",
    "Symbian^3 Anna": "Symbian OS",
    "Symbian^3 Belle": "Symbian OS",
}
_LINUX = re.compile(
    r"(?:Arch |Chromecast )?Linux(?: Mint)?|(?:U|Ku|Lu)buntu|Debian|Fedora|Red Hat|CentOS|(?:open)?SUSE"
    r"|Gentoo|Slackware|Mandriva|Mageia|PCLinuxOS|Puppy|BackTrack"
)
_ON_DESKS = re.compile(r"Windows|macOS|GNU/Linux|Chrome OS|(?:Free|Open|Net)BSD|Solaris|tvOS")
_IN_HANDS = re.compile(
    r"iOS|Windows (?:Phone|Mobile)|BlackBerry OS|Symbian OS|KaiOS|Firefox OS|Nokia Series .*|Bada|MeeGo|Maemo"
    r"|Sailfish|webOS|BREW|Brew MP|WatchOS"
)
_TABLETS = re.compile(r"iPad|\bTablet\b(?! PC)|PlayBook|Kindle")
_SCREENS = re.compile(
    r"\b(?:(?:Smart-?|SMART-?|Google|Apple|Hbb|Web)?TV|PlayStation|Xbox|Nintendo|BRAVIA|CrKey|Web0S|AFT[A-Z])"
)
_PHONES = re.compile(r"Mobi|iPhone|iPod|Opera Mini|MIDP")

# Since 26 the system's own place says 18_6 or 18_7 for ever; Safari's version is the system's, and some apps say it.
_SINCE = r"((?:2[6-9]|[3-9]\d)(?:[._]\d+)?)(?!\d)"
_LATER_IOS = re.compile(rf"(?:\bVersion/|\bFBSV/|; iOS ){_SINCE}")
_HARMONY = re.compile(r"\((\w+); OpenHarmony (\d+(?:\.\d+)?)[^;)]*(?:; HarmonyOS (\d+(?:\.\d+)?))?")
_HARMONY_KINDS = {"Phone": "Mobile", "Tablet": "Tablet", "PC": "Desktop", "2in1": "Desktop", "TV": "Desktop"}
_HARMONY_ON_ANDROID = re.compile(r"; Android [\d.]+; HarmonyOS;")  # up to HarmonyOS 4, which tells no version


@cache
def _parser() -> Resolver:
    """The parser in Rust, on purpose: the one in Python takes a hundred times as long."""
    return Resolver(ua_parser.load_lazy_builtins())


@lru_cache(CACHE_SIZE)
def _read(agent: str) -> Device:
    found = _parser()(_encodable(agent), ua_parser.Domain.USER_AGENT | ua_parser.Domain.OS)
    browser = found.user_agent or ua_parser.UserAgent("")
    os, os_version = _system(found.os or ua_parser.OS(""), agent)
    name = _tidy(_BROWSERS.get(browser.family, browser.family))
    if name == "Chrome" and "ArkWeb/" in agent:  # HarmonyOS's web view; a browser adds its name
        name = "Mobile App"
    return Device(name, _version(browser.major, browser.minor), os, os_version, _kind(agent, os))


def _system(os: ua_parser.OS, agent: str) -> tuple[str, str]:
    """Name and version. Distributions are GNU/Linux without one; an iPad's has its own name since 13."""
    if harmony := _HARMONY.search(agent):
        _, base, version = harmony.groups()
        return ("HarmonyOS" if version or int(base.split(".")[0]) >= 5 else "OpenHarmony"), (version or base)[:16]
    if os.family == "Android" and _HARMONY_ON_ANDROID.search(agent):
        return "HarmonyOS", ""
    if _LINUX.fullmatch(os.family):
        return "GNU/Linux", ""
    version = _version(os.major, os.minor)
    if os.family == "iOS" and os.major == "18" and (later := _LATER_IOS.search(agent)):
        version = later[1].replace("_", ".")[:16]
    if os.family == "iOS" and "iPad" in agent and (os.major or "").zfill(2) >= "13":
        return "iPadOS", version
    return _tidy(_SYSTEMS.get(os.family, os.family)), version


def _kind(agent: str, os: str) -> str:
    """Screens on a wall come first: they say Android without Mobile, as tablets do. HarmonyOS says it itself, and
    Mobile on anything.
    """
    if (harmony := _HARMONY.search(agent)) and harmony[1] in _HARMONY_KINDS:
        return _HARMONY_KINDS[harmony[1]]
    if _TABLETS.search(agent):
        return "Tablet"
    if _SCREENS.search(agent):
        return "Desktop"
    if _PHONES.search(agent) or _IN_HANDS.fullmatch(os):
        return "Mobile"
    if _ON_DESKS.fullmatch(os):
        return "Desktop"
    return "Tablet" if os in ("Android", "HarmonyOS") else ""


def _encodable(text: str) -> str:
    """Rust takes no lone surrogates, and JSON can carry some."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _version(major: str | None, minor: str | None) -> str:
    return _tidy(".".join(part for part in (major, minor) if part), 16)


def _tidy(text: str, longest: int = 40) -> str:
    """Some names are a part of the agent, and anybody can write an agent: short and printable, or nothing."""
    return text[:longest] if text.isprintable() else ""
