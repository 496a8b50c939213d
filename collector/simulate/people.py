"""The people of the demo: made-up visitors with current browsers, at the addresses of a real log."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from collector.imports.access_log import LoggedPage
from collector.imports.log_file import open_log
from collector.imports.log_reader import LogReader
from collector.imports.log_sessions import own_hosts, sessions_of

DEMO_DOMAIN = "demo.example"

_EXCERPT = Path(__file__).parents[1] / "data" / "demo-access.log"
HOUSEHOLD = 3  # people at each address
_WITH_PHONE = 0.7  # share of the people with a phone in addition to the first browser
_SIGNED_IN = 0.35
_TAGGED = 11  # every eleventh address arrives by a campaign

_NAMES = (
    "lena ana jonas mei tom aisha pavel chloe diego ines yuki sam nora omar eva liam priya hugo zoe ivan "
    "marta kofi elif noah sofia ravi greta luca hana theo maja felix ida amir rosa emil lucia max tessa jan"
)
_SURNAMES = (
    "weber silva novak rossi tanaka larsen mensah costa kim moreau santos fischer ali jansen popov murphy garcia "
    "schulz khan berg nowak romano ito hansen owusu pereira park laurent ramos keller hassan visser ivanov walsh "
    "ortega braun patel lund horvat bruno"
)
_FIRST_NAMES = _NAMES.split()
_LAST_NAMES = _SURNAMES.split()
_CAMPAIGNS = (
    "utm_source=newsletter&utm_medium=email&utm_campaign=weekly",
    "utm_source=google&utm_medium=cpc&utm_campaign=brand",
    "utm_source=newsletter&utm_medium=email&utm_campaign=release-2",
    "utm_source=mastodon&utm_medium=social&utm_campaign=release-2",
)


class _Device(NamedTuple):
    """A kind of device, recognised by `sign` in its agents, and the agents of its current browsers ("" for none)."""

    sign: str
    chrome: str
    firefox: str = ""
    safari: str = ""
    edge: str = ""
    opera: str = ""


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


def _desktop(sign: str, system: str, safari: str = "") -> _Device:
    chrome = f"Mozilla/5.0 ({system}) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36"
    firefox = f"Mozilla/5.0 ({system.replace('10_15_7', '10.15')}; rv:143.0) Gecko/20100101 Firefox/143.0"
    return _Device(sign, chrome, firefox, safari, f"{chrome} Edg/140.0.0.0", f"{chrome} OPR/122.0.0.0")


def _apple(sign: str, system: str) -> _Device:
    start = f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    safari = f"{start} Version/18.6 Mobile/15E148 Safari/604.1"
    return _Device(sign, f"{start} CriOS/140.0.7339.101 Mobile/15E148 Safari/604.1", safari=safari)


_MAC_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Safari/605.1.15"
)
_IPHONE = _apple("iPhone", "iPhone; CPU iPhone OS 18_6 like Mac OS X")
_ANDROID = _Device(
    "Android",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
)
# The first entry whose sign an agent contains is used; every agent contains the last sign, "".
_DEVICES = (
    _apple("iPad", "iPad; CPU OS 18_6 like Mac OS X"),
    _IPHONE,
    _ANDROID,
    _desktop("Macintosh", "Macintosh; Intel Mac OS X 10_15_7", _MAC_SAFARI),
    _desktop("Windows", "Windows NT 10.0; Win64; x64"),
    _desktop("CrOS", "X11; CrOS x86_64 14541.0.0"),
    _desktop("Ubuntu", "X11; Ubuntu; Linux x86_64"),
    _desktop("", "X11; Linux x86_64"),
)
_BROWSERS = (
    ("OPR/", "opera"),
    ("Opera", "opera"),
    ("Chrom", "chrome"),
    ("CriOS", "chrome"),
    ("Firefox", "firefox"),
    ("MSIE", "edge"),
    ("Trident", "edge"),
    ("Safari", "safari"),
    ("", "firefox"),
)
_SCREENS = (
    ("iPad", ((820, 1180), (1024, 1366))),
    ("Mobile", ((393, 852), (390, 844), (412, 915), (360, 800))),
    ("Macintosh", ((1440, 900), (1512, 982), (1728, 1117))),
    ("", ((1920, 1080), (1920, 1080), (1920, 1080), (1536, 864), (1366, 768), (2560, 1440))),
)
_LANGUAGES = (
    "en-US",
    "en-US",
    "en-US",
    "en-US",
    "en-GB",
    "de-DE",
    "de-DE",
    "fr-FR",
    "es-ES",
    "pt-BR",
    "ja-JP",
    "pl-PL",
)
_PHONES = (_IPHONE.safari, _IPHONE.chrome, _ANDROID.chrome, _ANDROID.firefox)
_COMPUTERS = [agent for device in _DEVICES if device not in (_IPHONE, _ANDROID) for agent in device[1:] if agent]


class Visitor(NamedTuple):
    """A person with a browser, who arrives at `entry` from `referrer` ("" for none) and may be signed in."""

    address: str
    user_agent: str
    entry: str
    referrer: str
    user_id: str
    user_type: str
    signed_in: bool

    @property
    def user_name(self) -> str:
        """The name of `lena.weber` in the feed: `Lena W.`"""
        first, _, last = self.user_id.partition(".")
        return f"{first.title()} {last[0].upper()}."

    @property
    def screen(self) -> tuple[int, int]:
        """Width and height of a usual screen of the device, in CSS pixels."""
        sizes = next(sizes for sign, sizes in _SCREENS if sign in self.user_agent)
        return sizes[self._number % len(sizes)]

    @property
    def language(self) -> str:
        """The browser's language, e.g. `en-US`."""
        return _LANGUAGES[self._number % len(_LANGUAGES)]

    @property
    def _number(self) -> int:
        """A number made from the address, always the same."""
        return crc32(self.address.encode())


def sample_pages() -> list[LoggedPage]:
    """The page views of the log in `collector/data`; its NOTICE there names the source."""
    return [line for line in LogReader().read(open_log(_EXCERPT)) if isinstance(line, LoggedPage)]


def make_people(hits: Iterable[LoggedPage], seed: int) -> list[Visitor]:
    """The demo's visitors, in random order: some people for each address of the log, with a browser more than once."""
    chance = random_for(seed, "cast")
    sessions = sessions_of(hits)
    own = own_hosts(sessions)
    by_address = {session.address: session for session in reversed(sessions)}  # the first session of each
    people: list[Visitor] = []
    for number, (address, session) in enumerate(sorted(by_address.items())):
        first = session.pages[0]
        referrer = "" if _host(first.referrer) in own else first.referrer
        entry = _entry(first.path, number)
        browsers = _browsers(current_agent(session.user_agent), chance)
        for person, agents in enumerate(browsers):
            user = (*_user(number * HOUSEHOLD + person), chance.random() < _SIGNED_IN)
            people += [Visitor(address, agent, entry, referrer, *user) for agent in agents]
    chance.shuffle(people)
    return people


def _browsers(first: str, chance: random.Random) -> list[list[str]]:
    """The agents of the people behind one address, all different: a computer's or a phone's, and for some a phone more.

    A visitor is known by address and agent.
    """
    agents = [first, *chance.sample([agent for agent in _COMPUTERS if agent != first], HOUSEHOLD - 1)]
    phones = [agent for agent in _PHONES if agent != first]
    chance.shuffle(phones)
    return [[agent, *([phones.pop()] if phones and chance.random() < _WITH_PHONE else [])] for agent in agents]


def _entry(path: str, number: int) -> str:
    """The entry page, with the tags of a campaign for every eleventh address."""
    if number % _TAGGED or "?" in path:
        return path
    return f"{path}?{_CAMPAIGNS[number // _TAGGED % len(_CAMPAIGNS)]}"


def _host(referrer: str) -> str:
    return referrer.partition("//")[2].partition("/")[0].lower()


def _user(number: int) -> tuple[str, str]:
    """The user id and type of the person of that number: 1,600 different ones."""
    last, first = divmod(number, len(_FIRST_NAMES))
    name = f"{_FIRST_NAMES[first]}.{_LAST_NAMES[last % len(_LAST_NAMES)]}"
    return name, "customer" if number % 5 < 3 else "member"


def current_agent(user_agent: str) -> str:
    """The agent of the current version of that browser on that device."""
    device = next(device for device in _DEVICES if device.sign in user_agent)
    browser = next(browser for sign, browser in _BROWSERS if sign in user_agent)
    return str(device._asdict()[browser]) or device.chrome


def random_for(*parts: object) -> random.Random:
    """A random generator; the same parts always make the same numbers."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 (simulated people, no secret)


def paths_of(hits: Iterable[LoggedPage]) -> list[str]:
    """The paths of the pages for later page views, each as often as in the log."""
    return [hit.path for hit in hits if "?" not in hit.path]


def url_of(path: str) -> str:
    """The address of a page of the demo site."""
    return f"https://{DEMO_DOMAIN}{path}"
