"""A command and what it works on, and what the commands share: parameters, moments, days and durations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any, NamedTuple

import click

from analytics.base.addresses import Network
from analytics.base.background import Pause, Report
from analytics.base.errors import InvalidInput, message
from analytics.base.ids import MAX_ID
from analytics.live.minutes import MinuteHistory
from analytics.notify.outbound.outside import Outside
from analytics.query.backend import Backend, fetch_from
from analytics.replica.columnar import Columnar
from analytics.sites import store
from analytics.sites.site import Site
from analytics.storage.database import Database

SOON_S = 2 * 86_400
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class CommandContext(NamedTuple):
    """What a command works on.

    `address` is the URL at which people reach the server, without a slash at its end. Long commands call `pause` now
    and then, stop if it says so, and `report` their progress.
    """

    database: Database
    address: str
    now: int
    retention_days: int = 7  # of heartbeats, for sites without a setting of their own
    pause: Pause = threading.Event().wait
    report: Report = lambda _: None
    window_s: int = 60  # how long after a beat a person is active
    columnar: Columnar | None = None  # None: queries run on the database
    secret: bytes = b""  # the installation's; for the set-up link
    outside: Callable[[], Outside] | None = None  # what channels need
    sample_days: int = 7  # how long samples of metrics are kept


class Command(NamedTuple):
    """A command that administers or imports: its words on the command line, its function, its parameters and its help.

    Parameters have the names of the function's own. `failed` says by the text whether the exit code is 1. A command
    without help is for programs: no command line shows it.

    With the option `preview` it only says what it would do. The command line shows that first, and asks on a terminal
    before it goes on; its option `yes`, which the function does not get, asks nothing.
    """

    name: str
    run: Callable[..., str]
    params: tuple[click.Parameter, ...] = ()
    help: str = ""
    failed: Callable[[str], bool] = lambda _: False
    preview: str = ""


# ── parameters ───────────────────────────────────────────────────────────────────────────────────────────────────────


def networks(context: CommandContext) -> Sequence[Network]:
    """Where the sources of watches that a page added may be, besides the public internet."""
    return context.outside().allowed if context.outside else ()


def argument(name: str, **more: Any) -> click.Argument:
    """An argument of a command, as the decorator of the same name makes it."""
    return click.Argument([name], **more)


def option(*names: str, **more: Any) -> click.Option:
    """An option of a command, as the decorator of the same name makes it."""
    return click.Option(names, **more)


def id_argument(name: str) -> click.Argument:
    """The id of a thing, as the lists print it."""
    return argument(name, type=click.IntRange(1, MAX_ID), metavar="ID")


YES = option("--yes", is_flag=True, help="Do not ask.")
SITE = option("--site", required=True, metavar="DOMAIN", help="The site, as added.")


# ── sites ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def domains(context: CommandContext) -> dict[int, str]:
    """The domain of every site by its id."""
    return {site.id: site.domain for site in store.all_sites(context.database)}


def site_of(context: CommandContext, site_id: int) -> Site:
    """The site of that id, which is there."""
    return next(site for site in store.all_sites(context.database) if site.id == site_id)


def backend_of(context: CommandContext) -> Backend:
    """What answers questions: the replica if there is one, else the database."""
    fetch = context.columnar.rows if context.columnar else fetch_from(context.database)
    history = MinuteHistory(context.database, context.window_s)
    return Backend(fetch, lambda site_id, span: history.minutes(site_id, span, context.now, inf))


# ── moments and durations ────────────────────────────────────────────────────────────────────────────────────────────


def seconds(text: str) -> int:
    """The seconds of a duration like 30m, 12h, 30d or 4w; `InvalidInput` for other texts."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in UNITS or int(number) == 0 or int(number) > 36_500:
        raise InvalidInput(message("{given} is no duration; give one like 30m, 12h, 30d or 4w", given=repr(text)))
    return int(number) * UNITS[unit]


def moment(at: int) -> str:
    """The second, as 2026-01-31 12:00:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(at: int) -> str:
    """The day in UTC, as 2026-01-31."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def end(at: int, now: int) -> str:
    """The day, with the minute too if it is within two days of `now`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ") if abs(at - now) < SOON_S else day(at)
