"""The lists of the Overview: which panel has which, and the question behind each."""

from __future__ import annotations

from typing import NamedTuple

from analytics.base import countries, idn, language
from analytics.base.words import N_, _
from analytics.query.dimensions import PROPERTY, dimension
from analytics.query.filters import Filter, Match
from analytics.query.metrics import PAGEVIEW

OF_VISITS = ("visitors", "visits", "views_per_visit", "bounce_rate", "visit_duration")
OF_PAGES = ("visitors", "pageviews", "bounce_rate", "time_on_page", "scroll_depth")
OF_EVENTS = ("visitors", "events")


class List(NamedTuple):
    """One list. `id` is its name in the address and of its file; `metrics` are the columns of its details. Texts are
    English: people read `_(label)`, and `_(rows)` within a sentence.

    `left_out` are values of the dimension that the list does not show; `empty` says what would fill it.
    """

    id: str
    label: str
    rows: str
    dimension: str
    empty: str
    metrics: tuple[str, ...] = OF_VISITS
    left_out: tuple[str, ...] = ()

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


TAGGED = N_("Add utm_campaign to a link, and its visits appear here.")
PLACED = N_("A database of places (FOOTFALL_GEOIP_DATABASE) tells where an address is.")
_COUNTRY = N_("A visitor's address, or the browser's time zone, shows the country.")
NONE = ("",)
OF_PATHS = ("page", "entry_page", "exit_page")
OF_HOSTS = ("hostname", "source", "referrer")

SOURCES = Panel(
    "sources",
    N_("Sources"),
    (
        List("source", N_("Sources"), N_("sources"), "source", N_("Where visitors come from appears here.")),
        List("channel", N_("Channels"), N_("channels"), "channel", N_("How visitors come appears here.")),
        List(
            "referrer",
            N_("Referrers"),
            N_("referrers"),
            "referrer",
            N_("Pages that link to the site appear here."),
            left_out=NONE,
        ),
        List("campaign", N_("Campaigns"), N_("campaigns"), "utm_campaign", TAGGED, left_out=NONE),
    ),
)
PAGES = Panel(
    "pages",
    N_("Pages"),
    (
        List("page", N_("Pages"), N_("pages"), "page", N_("Pages that are viewed appear here."), OF_PAGES),
        List(
            "entry",
            N_("Entry pages"),
            N_("entry pages"),
            "entry_page",
            N_("The first page of each visit appears here."),
            left_out=NONE,
        ),
        List(
            "exit",
            N_("Exit pages"),
            N_("exit pages"),
            "exit_page",
            N_("The last page of each visit appears here."),
            left_out=NONE,
        ),
        List(
            "hostname",
            N_("Hosts"),
            N_("hosts"),
            "hostname",
            N_("The hosts of pages that are viewed appear here."),
            OF_PAGES,
        ),
    ),
)
PLACES = Panel(
    "places",
    N_("Places"),
    (
        List("map", N_("Map"), N_("countries"), "country", _COUNTRY),
        List("country", N_("Countries"), N_("countries"), "country", _COUNTRY),
        List("region", N_("Regions"), N_("regions"), "region", PLACED, left_out=NONE),
        List("city", N_("Cities"), N_("cities"), "city", PLACED, left_out=NONE),
    ),
)
DEVICES = Panel(
    "devices",
    N_("Devices"),
    (
        List("browser", N_("Browsers"), N_("browsers"), "browser", N_("What visitors browse with appears here.")),
        List("os", N_("OS"), N_("systems"), "os", N_("The systems of visitors appear here.")),
        List("device", N_("Devices"), N_("devices"), "device", N_("Desktops, phones and tablets appear here.")),
        List(
            "screen",
            N_("Screens"),
            N_("screens"),
            "screen",
            N_("The site's script reports how large screens are."),
            left_out=NONE,
        ),
        List(
            "language",
            N_("Languages"),
            N_("languages"),
            "language",
            N_("The site's script reports what browsers ask for."),
            left_out=NONE,
        ),
    ),
)
EVENTS = List(
    "event",
    N_("Events"),
    N_("events"),
    "event",
    N_("Send one: footfall('event', 'Signup')."),
    OF_EVENTS,
    left_out=(PAGEVIEW,),
)

WORDED = {
    "channel": (
        *(N_("Direct"), N_("Referral"), N_("Organic Search"), N_("Organic Social"), N_("Organic Shopping")),
        *(N_("Organic Video"), N_("Paid Search"), N_("Paid Social"), N_("Paid Shopping"), N_("Paid Video")),
        *(N_("Paid Other"), N_("Cross-network"), N_("Display"), N_("Email"), N_("Affiliates"), N_("Audio"), N_("SMS")),
        N_("Mobile Push Notifications"),
    ),
    "device": (N_("Desktop"), N_("Mobile"), N_("Tablet")),
}
"""The values of dimensions that are English words, which `shown_value` translates."""

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


BY_CODE = {"country": language.country, "language": language.browser_language}
"""The dimensions whose values are codes, which the database has and people read as names."""


def list_of(name: str) -> List:
    """The list of that id."""
    return LISTS[name]


def read(name: str, value: str) -> str:
    """A value of a dimension as files have it: a country by its name, a host in letters, "" by the name of none."""
    if not value:
        return dimension(name).none.strip("()").capitalize() if name == "country" else dimension(name).none
    if name == "country":
        return countries.name(value)
    return idn.in_letters(value) if name in OF_HOSTS or name.startswith(PROPERTY) else value


def shown_value(name: str, value: str) -> str:
    """The value as the reader of a page has it: the name of none, countries, languages, channels and devices are in the
    reader's language.
    """
    if value and name in BY_CODE:
        return BY_CODE[name](value, language.written_in())
    text = read(name, value)
    return _(text) if not value or value in WORDED.get(name, ()) else text


def written(name: str, value: str) -> str:
    """The value in the form of filters."""
    return value or dimension(name).none
