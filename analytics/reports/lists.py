"""The lists of the Overview: which panel has which, and the question behind each."""

from __future__ import annotations

from typing import NamedTuple

from analytics.base import countries, idn
from analytics.query.dimensions import PROPERTY, dimension
from analytics.query.filters import Filter, Match
from analytics.query.metrics import PAGEVIEW

OF_VISITS = ("visitors", "visits", "views_per_visit", "bounce_rate", "visit_duration")
OF_PAGES = ("visitors", "pageviews", "bounce_rate", "time_on_page", "scroll_depth")
OF_EVENTS = ("visitors", "events")


class List(NamedTuple):
    """One list. `id` is its name in the address and of its file; `metrics` are the columns of its details.

    `left_out` are values of the dimension that the list does not show; `empty` says what would fill it.
    """

    id: str
    label: str
    dimension: str
    empty: str
    metrics: tuple[str, ...] = OF_VISITS
    left_out: tuple[str, ...] = ()
    noun: str = ""

    @property
    def rows(self) -> str:
        """The name of its rows within a sentence."""
        return self.noun or self.label.lower()

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters that leave out `left_out`."""
        return (Match("is_not", self.dimension, self.left_out),) if self.left_out else ()

    @property
    def heading(self) -> str:
        """The heading of its first column."""
        return dimension(self.dimension).label


class Panel(NamedTuple):
    """A card with several lists, one of which is open."""

    id: str
    label: str
    lists: tuple[List, ...]


TAGGED = "Add utm_campaign to a link, and its visits appear here."
PLACED = "A database of places (FOOTFALL_GEOIP_DATABASE) tells where an address is."
_COUNTRY = "A visitor's address, or the browser's time zone, shows the country."
NONE = ("",)
OF_PATHS = ("page", "entry_page", "exit_page")
OF_HOSTS = ("hostname", "source", "referrer")

SOURCES = Panel(
    "sources",
    "Sources",
    (
        List("source", "Sources", "source", "Where visitors come from appears here."),
        List("channel", "Channels", "channel", "How visitors come appears here."),
        List("referrer", "Referrers", "referrer", "Pages that link to the site appear here.", left_out=NONE),
        List("campaign", "Campaigns", "utm_campaign", TAGGED, left_out=NONE),
    ),
)
PAGES = Panel(
    "pages",
    "Pages",
    (
        List("page", "Pages", "page", "Pages that are viewed appear here.", OF_PAGES),
        List("entry", "Entry pages", "entry_page", "The first page of each visit appears here.", left_out=NONE),
        List("exit", "Exit pages", "exit_page", "The last page of each visit appears here.", left_out=NONE),
        List("hostname", "Hosts", "hostname", "The hosts of pages that are viewed appear here.", OF_PAGES),
    ),
)
PLACES = Panel(
    "places",
    "Places",
    (
        List("map", "Map", "country", _COUNTRY, noun="countries"),
        List("country", "Countries", "country", _COUNTRY),
        List("region", "Regions", "region", PLACED, left_out=NONE),
        List("city", "Cities", "city", PLACED, left_out=NONE),
    ),
)
DEVICES = Panel(
    "devices",
    "Devices",
    (
        List("browser", "Browsers", "browser", "What visitors browse with appears here."),
        List("os", "OS", "os", "The systems of visitors appear here.", noun="systems"),
        List("device", "Devices", "device", "Desktops, phones and tablets appear here."),
        List("screen", "Screens", "screen", "The site's script reports how large screens are.", left_out=NONE),
        List("language", "Languages", "language", "The site's script reports what browsers ask for.", left_out=NONE),
    ),
)
EVENTS = List("event", "Events", "event", "Send one: footfall('event', 'Signup').", OF_EVENTS, left_out=(PAGEVIEW,))

TIME, HOURS, USAGE, PROPERTY_VALUES = (
    "time",
    "hours",
    "usage",
    "property",
)  # files and details that are no list of a dimension
ROWS = 9  # of a list in its panel
EVENT_PANEL = "events"
MAP = "map"

PANELS = (SOURCES, PAGES, PLACES, DEVICES)
LISTS = {one.id: one for panel in PANELS for one in panel.lists} | {EVENTS.id: EVENTS}


def list_of(name: str) -> List:
    """The list of that id."""
    return LISTS[name]


def read(name: str, value: str) -> str:
    """A value of a dimension as people read it: a country by its name, a host in letters, "" by the name of none."""
    if not value:
        return dimension(name).none.strip("()").capitalize() if name == "country" else dimension(name).none
    if name == "country":
        return countries.name(value)
    return idn.in_letters(value) if name in OF_HOSTS or name.startswith(PROPERTY) else value


def written(name: str, value: str) -> str:
    """The value in the form of filters."""
    return value or dimension(name).none
