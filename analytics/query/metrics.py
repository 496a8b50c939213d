"""Metrics: what can be counted. Each is defined here, once, for pages, exports, the API and the command line.

A hit is a pageview or an event. Shares are 0 to 1, durations seconds, scroll depth percent. Without rows a count is 0
and a mean is None. `column_sql` has the SQL of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from analytics.base.errors import InvalidInput
from analytics.base.words import N_
from analytics.calendar.minute_series import Series, average, peak

PAGEVIEW = "pageview"  # the name of a hit that is not an event


class Grain(Enum):
    """The kinds of rows from which metrics are computed.

    VISITS: one row for each visit. HITS: one for each pageview or event. READINGS: one for each page of each visit
    whose browser reported engaged time or scroll depth.
    """

    VISITS = "visits"
    HITS = "hits"
    READINGS = "readings"


Unit = Literal["count", "ratio", "share", "seconds", "percent", "money"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. People read `label` and `definition` through `words.gettext`; files and the API have them in English.

    `better` says whether more is good news (1), bad news (-1) or neither (0).

    `grains` are the kinds of rows from which it can be computed; all of them give the same number.
    `of_all`: its value is divided by the same count over the whole question, unsplit.
    `of_minutes` is set for metrics that no rows contain: it computes the value from the people at each minute, None
    where no minute is known.
    """

    id: str
    label: str
    unit: Unit
    definition: str
    better: int
    grains: tuple[Grain, ...]
    of_all: bool = False
    of_minutes: Callable[[Series], int | float | None] | None = field(default=None, hash=False)


VISITS, HITS, READINGS = Grain.VISITS, Grain.HITS, Grain.READINGS

_ALL = (
    Metric(
        "visitors",
        N_("Visitors"),
        "count",
        N_("People who viewed a page or triggered an event, each counted once."),
        1,
        (VISITS, HITS),
    ),
    Metric(
        "visits",
        N_("Visits"),
        "count",
        N_("Stays on the site, each until 30 minutes pass in which nothing is heard of the visitor."),
        1,
        (VISITS, HITS),
    ),
    Metric(
        "pageviews",
        N_("Pageviews"),
        "count",
        N_("How often pages were viewed; the same page viewed twice counts twice."),
        1,
        (HITS,),
    ),
    Metric(
        "views_per_visit",
        N_("Views per visit"),
        "ratio",
        N_("Pages viewed in a visit, on average."),
        1,
        (VISITS,),
    ),
    Metric(
        "bounce_rate",
        N_("Bounce rate"),
        "share",
        N_("The share of visits with no more than one pageview and no event that ends a bounce."),
        -1,
        (VISITS,),
    ),
    Metric(
        "visit_duration",
        N_("Visit duration"),
        "seconds",
        N_(
            "Time from the first pageview or event of a visit to its last, on average; a visit with only one lasts 0 s."
        ),
        1,
        (VISITS,),
    ),
    Metric(
        "events",
        N_("Events"),
        "count",
        N_("Everything that visitors did: pageviews and custom events together."),
        1,
        (HITS,),
    ),
    Metric(
        "time_on_page",
        N_("Time on page"),
        "seconds",
        N_(
            "Time that a visitor had the page in front of them and used it, in one visit, on average; pages that "
            "reported nothing are left out."
        ),
        1,
        (READINGS,),
    ),
    Metric(
        "scroll_depth",
        N_("Scroll depth"),
        "percent",
        N_("How far down a page was scrolled in one visit, on average; pages that reported nothing are left out."),
        1,
        (READINGS,),
    ),
    Metric(
        "percentage",
        N_("Share"),
        "share",
        N_("The share of all visitors of the period and filters who are in this row."),
        0,
        (VISITS, HITS),
        of_all=True,
    ),
    Metric(
        "total_revenue",
        N_("Revenue"),
        "money",
        N_("The sum of what events were worth, where it is all in one currency."),
        1,
        (HITS,),
    ),
    Metric(
        "average_revenue",
        N_("Average revenue"),
        "money",
        N_("What an event that was worth anything was worth on average, where all are in one currency."),
        1,
        (HITS,),
    ),
    Metric(
        "peak_concurrents",
        N_("Peak concurrents"),
        "count",
        N_("The most people who were on the site at once, at any minute that is known."),
        1,
        (),
        of_minutes=peak,
    ),
    Metric(
        "average_concurrents",
        N_("Average concurrents"),
        "ratio",
        N_(
            "How many people were on the site at a minute, on average over the minutes that are known; those without "
            "anybody count."
        ),
        1,
        (),
        of_minutes=average,
    ),
)

METRICS = {one.id: one for one in _ALL}


def metric(name: str) -> Metric:
    """The metric of that id; raises `InvalidInput` for an unknown one, naming the known ones."""
    if name not in METRICS:
        raise InvalidInput(f"metric {name[:60]!r}: {', '.join(METRICS)}")
    return METRICS[name]
