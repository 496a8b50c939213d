"""The tables of the documents that are made from lists in the code: `make docs` writes them.

A table is between `<!-- made: NAME -->` and `<!-- /made -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
from prometheus_client import Metric

from analytics.activity.watch import Watch, WatchDefinition
from analytics.base.config import SETTINGS, Config, Setting
from analytics.calendar.period import INTERVALS, MAX_DAYS, PRESETS
from analytics.live.reasons import REASONS
from analytics.notify.courier import RESULTS
from analytics.notify.deliveries import Backlog
from analytics.notify.rule import Severity
from analytics.notify.totals import NotifyTotals, StoredTotals
from analytics.notify.turns import Turns
from analytics.query.dimensions import DIMENSIONS
from analytics.query.metrics import METRICS
from analytics.reports.files import FILES, headings
from analytics.reports.lists import LISTS, PANELS, TIME
from analytics.reports.view import BARS, MAX_SEARCH_LENGTH, OFF, PAGE, TITLES, TOP, USUAL_COMPARISON
from analytics.sites.site import Site
from callbacks.table import CONCURRENTS, LIVE, OVERVIEW, PAGES, SITE, TRAFFIC, UNASSIGNED
from collector.api import metrics as prometheus_metrics
from collector.doors.openapi import CREDENTIALS
from collector.doors.table import DOORS
from collector.http.counts import Counts

ROOT = Path(__file__).parents[2]
MAX_CHOICES = 4
FIRST = ("serve", "demo")
UNSHOWN = {"data_dir", "workers"}  # an option of every command, and one without use yet


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def settings() -> Iterator[str]:
    yield row(("variable", "unit", "default", ""))
    yield "|---|---|---|---|"
    for setting in SETTINGS:
        yield row((f"`{setting.variable}`", setting.unit, shown_default(setting), setting.help))


def shown_default(setting: Setting) -> str:
    value = next(field.default for field in fields(Config) if field.name == setting.name)
    if value in ("", None):
        return "empty"
    if value == ():
        return "none"
    return f"`{'on' if value is True else 'off' if value is False else value}`"


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree by its words: first those with which people begin, then in the order of the tree."""
    from app import cli

    found = dict(_below("", cli))
    yield from ((words, found.pop(words)) for words in FIRST)
    yield from found.items()


def _below(words: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from _below(f"{words}{name} ", one)
        else:
            yield f"{words}{name}", one


def commands() -> Iterator[str]:
    yield row(("command", "what it does"))
    yield "|---|---|"
    for words, one in every_command():
        yield row((f"`{' '.join([words, *usage(one)])}`", said(one)))


def usage(one: click.Command) -> list[str]:
    """The arguments of a command, then its options."""
    shown = [parameter for parameter in one.params if parameter.name not in UNSHOWN]
    arguments = [_argument(parameter) for parameter in shown if isinstance(parameter, click.Argument)]
    return arguments + [_option(parameter) for parameter in shown if isinstance(parameter, click.Option)]


def _argument(one: click.Argument) -> str:
    name = one.make_metavar(click.Context(click.Command("any"))).replace("...", "…")
    return name if one.required or name.startswith("[") else f"[{name}]"


def _option(one: click.Option) -> str:
    text = one.opts[0] if one.is_flag else f"{one.opts[0]} {_value(one)}"
    return (text if one.required else f"[{text}]") + ("…" if one.multiple else "")


def _value(one: click.Option) -> str:
    if isinstance(one.type, click.Choice):
        choices = list(map(str, one.type.choices))
        return r"\|".join(choices if len(choices) <= MAX_CHOICES else [choices[0], "…"])
    if one.show_default:
        return f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
    return one.metavar or "…"


def said(one: click.Command) -> str:
    """The help as one line, without its examples."""
    paragraphs = [part for part in (one.help or "").split("\n\n") if "\b" not in part]
    text = " ".join(" ".join(paragraphs).split()).replace("|", r"\|")
    return re.sub(r"(--[a-z][a-z-]*(?: (?:0|::|unix:\S+)(?!\w))?|<iframe>)", r"`\1`", text)


# ── doors ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def doors() -> Iterator[str]:
    yield row(("address", "who", "what it is"))
    yield "|---|---|---|"
    for door in DOORS:
        if door.docs:
            who = " ".join(CREDENTIALS[one].removesuffix(".") + "." for one in door.credentials) or "Anybody."
            yield row((f"`{door.methods[0]} {door.path}`", who, f"{door.docs.summary}. {door.docs.description}"))


# ── reasons ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reasons() -> Iterator[str]:
    yield row(("outcome", "reason", "on the Traffic page", "why, and what to do"))
    yield "|---|---|---|---|"
    for outcome, kind in REASONS.items():
        for one in kind:
            yield row((outcome, f"`{one}`" if one else "", one.label, one.advice))


# ── metrics and dimensions ───────────────────────────────────────────────────────────────────────────────────────────


def metrics() -> Iterator[str]:
    yield row(("name", "on pages", "unit", "what it counts"))
    yield "|---|---|---|---|"
    for one in METRICS.values():
        yield row((f"`{one.id}`", one.label, one.unit, one.definition))


def dimensions() -> Iterator[str]:
    yield row(("name", "in Plausible's API", "on pages", "a fact of a", "where there is none"))
    yield "|---|---|---|---|---|"
    for one in DIMENSIONS.values():
        yield row((f"`{one.id}`", f"`{one.wire}`", one.label, one.of, "" if one.of == "time" else one.none))


# ── metrics for Prometheus ───────────────────────────────────────────────────────────────────────────────────────────

ANY = "…"  # a label's value that is none of a closed set


def prometheus() -> Iterator[str]:
    yield row(("name", "kind", "labels", "what it is"))
    yield "|---|---|---|---|"
    for one in sorted(exported(), key=lambda one: one.name.startswith("process_")):
        samples = [sample.name for sample in one.samples]
        names = [name for name in dict.fromkeys(samples) if name != f"{one.name}_created"]
        yield row((", ".join(f"`{name}`" for name in names), one.type, ", ".join(_labels(one)), one.documentation))


def exported() -> list[Metric]:
    """Every metric of `/metrics`, with one sample where its labels have values of all kinds."""
    counts = Counts()
    counts.record(ANY, 200, 0.0)
    stored = StoredTotals(Backlog(0, 0), dict.fromkeys(map(str, Severity), 0))
    evaluator_gaps = {kind: Turns(1, lambda: 0).gaps for kind in ("live", "historical")}
    context: Any = SimpleNamespace(
        counts=counts,
        writer=SimpleNamespace(outcomes={(ANY, ANY): 1}, waiting=0, alive=True, failing=False, stuck=False),
        hub=SimpleNamespace(streams=0, slow_readers=SimpleNamespace(dropped=0)),
        bells=SimpleNamespace(streams=0, slow_readers=SimpleNamespace(dropped=0)),
        notify_totals=lambda: NotifyTotals(dict.fromkeys(map(str, RESULTS), 1), stored, evaluator_gaps),
        answers=SimpleNamespace(counts=SimpleNamespace(hits=0, shared=0, misses=0), size=0),
        behind_s=lambda: 0.0,
        watches=lambda: [Watch(ANY, 1, "", "", WatchDefinition(ANY, ANY))],  # type: ignore[arg-type]
        now=lambda: 0,
        sites=SimpleNamespace(all=lambda: [SimpleNamespace(id=1, domain=ANY)]),
    )
    return list(prometheus_metrics.totals(context).collect())


def _labels(one: Metric) -> Iterator[str]:
    """The labels, with their values where those are a closed set."""
    for name in dict.fromkeys(name for sample in one.samples for name in sample.labels if name != "le"):
        values = list(dict.fromkeys(sample.labels[name] for sample in one.samples if name in sample.labels))
        is_closed = not any(ANY in value for value in values) and name != "status"
        yield f"`{name}`" + (f" ({', '.join(f'`{value}`' for value in values)})" if is_closed else "")


# ── pages, their addresses and files ─────────────────────────────────────────────────────────────────────────────────

SITES_QUERY = "`search`, `sort` (`-active`: from the most), `page`"
TRAFFIC_QUERY = "`period=7d`; the last 24 hours without it"
QUERIES = {
    "/": SITES_QUERY,
    "/sites": SITES_QUERY,
    TRAFFIC: TRAFFIC_QUERY,
    UNASSIGNED: TRAFFIC_QUERY,
    LIVE: "`filters` as on the Overview; `at=SECOND` of the epoch, of the last 24 hours; `wall=1`: fills the screen",
    OVERVIEW: "[below](#the-overviews-address)",
    CONCURRENTS: "`day=YYYY-MM-DD`, of the site's zone; today without it",
}
FILES_OF_PAGES = {
    f"{OVERVIEW}/<name>.csv": ("that of the Overview", "All rows of [a list](#files-of-the-overview)."),
    f"{CONCURRENTS}/minutes.csv": ("`day`", "The minutes of a day. 503 while they are being counted."),
    f"{LIVE}/minutes.csv": ("", "The points of the line: people by minute, of everybody, up to now."),
    f"{LIVE}/places.csv": ("`filters`, `at`", "How many people are where, now or at that second."),
}


def pages() -> Iterator[str]:
    yield row(("address", "role", "page", "in its query string"))
    yield "|---|---|---|---|"
    for one in PAGES:
        yield row((f"`{_shown(one.address)}`", one.role, one.title or one.label, QUERIES.get(one.address, "")))


def files() -> Iterator[str]:
    yield row(("address", "query string", "what is in it"))
    yield "|---|---|---|"
    for address, (query, text) in FILES_OF_PAGES.items():
        yield row((f"`GET {_shown(address)}`", query, text))


def _shown(address: str) -> str:
    return address.replace(SITE, "DOMAIN").replace("<name>", "NAME")


def lists() -> Iterator[str]:
    yield row(("NAME", "columns"))
    yield "|---|---|"
    for name in FILES:
        first, *others = headings(name)
        yield row((f"`{name}`", ", ".join([first or "The property", *others])))


def overview_address() -> Iterator[str]:
    yield row(("name", "values", "without it", "what it says"))
    yield "|---|---|---|---|"
    for name, (values, usual, text) in overview_names().items():
        yield row((f"`{name}`", values, usual, text))


def overview_names() -> dict[str, tuple[str, str, str]]:
    """The names in the Overview's address: their values, what holds without one, and what they say."""
    days = f"`1d` to `{MAX_DAYS}d`"
    panels = {
        panel.id: (
            _codes(one.id for one in panel.lists),
            f"`{panel.lists[0].id}`",
            f"The list on show in {panel.label}.",
        )
        for panel in PANELS
    }
    return {
        "period": (
            f"{_codes(PRESETS)}, {days}, `2026-01-01,2026-01-31`; after days and months `:today`",
            f"the site's setting, `{_default_period()}` at first",
            "The days that are counted, in the site's zone. With `:today` they end with the running one.",
        ),
        "compare": (
            f"`previous`, `year`, both also with `:weekdays`, `2025-01-01,2025-01-31`, `{OFF}`",
            f"`{USUAL_COMPARISON}`",
            "What they are compared with. `:weekdays` begins it on the same weekday.",
        ),
        "filters": (
            '`[["is", "country", ["DE"]]]`, with [dimensions](#dimensions) and operators as in the API',
            "none",
            "Which visits and hits are counted.",
        ),
        "metric": (_codes(TOP), f"`{TOP[0]}`", "What the chart draws."),
        "interval": (_codes(INTERVALS), "the one that suits the period", "How long a point of the chart is."),
        "draw": (f"`{BARS}`", "a line", "What the chart looks like."),
        "names": (f"`{TITLES}`", "paths", "What lists of pages show."),
        **panels,
        "property": ("the name of a property", "the first", "The property on show of the event in the filters."),
        "details": (
            _codes((TIME, *LISTS)),
            "none",
            "The list that is open as a whole; `time` is the chart as a table.",
        ),
        "search": (f"a text, at most {MAX_SEARCH_LENGTH} characters", "", "Only rows of the details that contain it."),
        "sort": (
            "`name` or a metric of the list; with `-` in front the largest first",
            f"`-visitors`; of `{TIME}` `name`",
            "The order of the details.",
        ),
        "page": ("a number from 1 on", "1", f"Which {PAGE} rows of the details."),
    }


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _default_period() -> str:
    return next(str(field.default) for field in fields(Site) if field.name == "overview_period")


MADE: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "settings": ("README.md", settings),
    "commands": ("README.md", commands),
    "doors": ("docs/reference.md", doors),
    "reasons": ("docs/reference.md", reasons),
    "metrics": ("docs/reference.md", metrics),
    "dimensions": ("docs/reference.md", dimensions),
    "pages": ("docs/reference.md", pages),
    "overview": ("docs/reference.md", overview_address),
    "files": ("docs/reference.md", files),
    "lists": ("docs/reference.md", lists),
    "prometheus": ("docs/reference.md", prometheus),
}
"""By name: the document, and the function that makes the lines of the table."""


def written(name: str) -> str:
    """The table as it is in its document."""
    return _place(name).search((ROOT / MADE[name][0]).read_text("utf-8"))[1]  # type: ignore[index]


def made(name: str) -> str:
    """The table as the code makes it."""
    return "".join(f"{line}\n" for line in MADE[name][1]())


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- made: {name} -->\n)(.*?)(?=<!-- /made -->)", re.DOTALL)


def write(name: str) -> None:
    path = ROOT / MADE[name][0]
    text = path.read_text("utf-8")
    path.write_text(_place(name).sub(lambda _: made(name), text, count=1), "utf-8")


if __name__ == "__main__":
    for each in MADE:
        write(each)
    sys.exit(0)
