"""A question from the command line."""

from __future__ import annotations

from collections.abc import Sequence

import click

from analytics.base.errors import InvalidInput
from analytics.base.program import command
from analytics.calendar.period import Period
from analytics.commands.command import SITE, Command, CommandContext, argument, backend_of, option
from analytics.live.minutes import StillCounting
from analytics.query import filter_syntax
from analytics.query.answer import span_of
from analytics.query.dimensions import dimension
from analytics.query.metrics import METRICS
from analytics.query.query import MAX_ROWS, Query
from analytics.reports import formats
from analytics.sites import store


def query(
    context: CommandContext,
    site: str,
    metrics: Sequence[str],
    by: Sequence[str],
    period: str,
    filters: Sequence[str],
    limit: int,
    form: str,
) -> str:
    """The answer to a query in one of `formats.FORMATS`; the numbers are those of the statistics API.

    The command line puts further dimensions among the metrics: `visitors --by source country`.
    """
    names = [name for name in metrics if not by or name in METRICS or not _is_dimension(name)]
    question = Query.of(
        store.find(context.database, site),
        period=Period.parse(period),
        metrics=tuple(names),
        dimensions=(*by, *(name for name in metrics if name not in names)),
        filters=tuple(map(filter_syntax.parse, filters)),
        limit=limit,
    )
    backend = backend_of(context)
    try:
        return formats.text(formats.table_of(question, span_of(question, context.now, backend), backend), form)
    except StillCounting as wait:
        raise InvalidInput(f"{wait}, at night or by {command('maintain')}") from None


def _is_dimension(name: str) -> bool:
    try:
        return bool(dimension(name))
    except InvalidInput:
        return False


COMMANDS: tuple[Command, ...] = (
    Command(
        "query",
        query,
        (
            SITE,
            argument("metrics", nargs=-1, required=True, metavar="METRIC..."),
            option("--by", multiple=True, metavar="DIMENSION", help="Like source, page or time:day; may be repeated."),
            option(
                "--period",
                default="30d",
                show_default=True,
                help="A preset, any number of days like 90d, or two dates: 2026-01-01,2026-01-31.",
            ),
            option("--filter", "filters", multiple=True, help=f"Like {filter_syntax.HELP}. Several all hold."),
            option("--limit", default=100, show_default=True, type=click.IntRange(1, MAX_ROWS), help="Rows."),
            option("--format", "form", default="table", show_default=True, type=click.Choice(formats.FORMATS)),
        ),
        """Ask what happened: visitors, visits, pageviews, bounce_rate and so on, in all or by something.

    \b
    query --site example.com visitors bounce_rate --by source --period 7d
    query --site example.com pageviews --by time:day --filter 'page=/blog/*'
    """,
    ),
)
