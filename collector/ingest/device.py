"""Browser, operating system and device type from a user agent."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

import ua_parser
from ua_parser.regex import Resolver

MAX_USER_AGENT = 1_024
"""User agents are cut to this many characters before they are parsed."""

CACHE_SIZE = 8_192
"""How many parsed user agents are cached."""


class Device(NamedTuple):
    """Common names, versions as major.minor, device Desktop, Mobile or Tablet; "" if unknown."""

    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""


def read(user_agent: str) -> Device:
    """Parses a user agent; every field is "" if nothing is recognised.

    Televisions and game consoles count as Desktop, Android without the word Mobile as Tablet. A page inside another
    app's window has the browser "Mobile App" unless the app gives its name. Frozen versions stay as browsers send them
    (Windows 10, macOS 10.15, Android 10), except iOS from 26 on, which is found elsewhere in the agent.
    """
    return _read(user_agent[:MAX_USER_AGENT])


def warm_up() -> None:
    """Loads the parser now (0.1 s), so that the first visitor does not wait for it."""
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
_DESKTOP_SYSTEMS = re.compile(r"Windows|macOS|GNU/Linux|Chrome OS|(?:Free|Open|Net)BSD|Solaris|tvOS")
_MOBILE_SYSTEMS = re.compile(
    r"iOS|Windows (?:Phone|Mobile)|BlackBerry OS|Symbian OS|KaiOS|Firefox OS|Nokia Series .*|Bada|MeeGo|Maemo"
    r"|Sailfish|webOS|BREW|Brew MP|WatchOS"
)
_TABLET_AGENTS = re.compile(r"iPad|\bTablet\b(?! PC)|PlayBook|Kindle")
_SCREEN_AGENTS = re.compile(
    r"\b(?:(?:Smart-?|SMART-?|Google|Apple|Hbb|Web)?TV|PlayStation|Xbox|Nintendo|BRAVIA|CrKey|Web0S|AFT[A-Z])"
)
_PHONE_AGENTS = re.compile(r"Mobi|iPhone|iPod|Opera Mini|MIDP")

# From iOS 26 on the system version is frozen at 18_6 or 18_7. Safari's version equals the real one; some apps send it.
_SINCE = r"((?:2[6-9]|[3-9]\d)(?:[._]\d+)?)(?!\d)"
_LATER_IOS = re.compile(rf"(?:\bVersion/|\bFBSV/|; iOS ){_SINCE}")
_HARMONY = re.compile(r"\((\w+); OpenHarmony (\d+(?:\.\d+)?)[^;)]*(?:; HarmonyOS (\d+(?:\.\d+)?))?")
_HARMONY_KINDS = {"Phone": "Mobile", "Tablet": "Tablet", "PC": "Desktop", "2in1": "Desktop", "TV": "Desktop"}
_HARMONY_ON_ANDROID = re.compile(r"; Android [\d.]+; HarmonyOS;")  # HarmonyOS up to 4, which sends no version


@cache
def _parser() -> Resolver:
    """The Rust parser: the Python parser takes a hundred times as long."""
    return Resolver(ua_parser.load_lazy_builtins())


@lru_cache(CACHE_SIZE)
def _read(agent: str) -> Device:
    found = _parser()(_encodable(agent), ua_parser.Domain.USER_AGENT | ua_parser.Domain.OS)
    browser = found.user_agent or ua_parser.UserAgent("")
    os, os_version = _system(found.os or ua_parser.OS(""), agent)
    name = _tidy(_BROWSERS.get(browser.family, browser.family))
    if name == "Chrome" and "ArkWeb/" in agent:  # HarmonyOS's web view; a browser would add its name
        name = "Mobile App"
    return Device(name, _version(browser.major, browser.minor), os, os_version, _device_type(agent, os))


def _system(os: ua_parser.OS, agent: str) -> tuple[str, str]:
    """Name and version. Linux distributions are "GNU/Linux" without a version, iOS on iPads is "iPadOS" from 13 on."""
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


def _device_type(agent: str, os: str) -> str:
    """Desktop, Mobile, Tablet or "".

    HarmonyOS names its device type, so it comes first: its agents contain Mobile on every device. Televisions come
    before phones and tablets, because they say Android without Mobile, as tablets do.
    """
    if (harmony := _HARMONY.search(agent)) and harmony[1] in _HARMONY_KINDS:
        return _HARMONY_KINDS[harmony[1]]
    if _TABLET_AGENTS.search(agent):
        return "Tablet"
    if _SCREEN_AGENTS.search(agent):
        return "Desktop"
    if _PHONE_AGENTS.search(agent) or _MOBILE_SYSTEMS.fullmatch(os):
        return "Mobile"
    if _DESKTOP_SYSTEMS.fullmatch(os):
        return "Desktop"
    return "Tablet" if os in ("Android", "HarmonyOS") else ""


def _encodable(text: str) -> str:
    """Replaces lone surrogates: JSON can contain them, the Rust parser does not accept them."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _version(major: str | None, minor: str | None) -> str:
    return _tidy(".".join(part for part in (major, minor) if part), 16)


def _tidy(text: str, max_length: int = 40) -> str:
    """A short, printable name, else "": some names are copied from the agent, which anybody can forge."""
    return text[:max_length] if text.isprintable() else ""
