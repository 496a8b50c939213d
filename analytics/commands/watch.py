"""Tables of other databases whose changes become events."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.activity import gauge, gauges, row_filter, watch, watches
from analytics.activity.watch import MAX_UNREAD, WatchDefinition, filters_of
from analytics.activity.watch_fields import names
from analytics.activity.watch_state import WatchState, behind_s, state_of
from analytics.base.program import command
from analytics.commands.command import SITE, YES, Command, CommandContext, domains, id_argument, networks, option
from analytics.reports.formats import columns
from analytics.sites import store


def watch_add(
    context: CommandContext,
    site: str,
    source: str,
    table: str,
    schema: str,
    on: str,
    filters: Sequence[str],
    columns: str,
    gauge_texts: Sequence[str],
    print_sql: bool = False,
    **texts: str,
) -> str:
    """Follows a table of another database, or returns the SQL that would be executed there and does nothing.

    `texts` are the further fields of `WatchDefinition`: event, title, link, value, currency, user_id, user_name.
    """
    found = store.find(context.database, site)
    one = WatchDefinition(schema, table, names(on), filters_of(tuple(filters)), names(columns), **texts)
    kept = [gauge.parse(text) for text in gauge_texts]
    if print_sql:
        return watches.sql_of(found, source, one, kept)
    added = watches.add(context.database, found, source, one, kept, now=context.now)
    return (
        f"Watch {added.id} is added: changes of {schema}.{table} become events of {found.shown_domain}. "
        f"{command(f'watch remove {added.id}')} removes everything again."
    )


def watch_list(context: CommandContext) -> str:
    """Every watch, one a line, and its gauges below."""
    by_id = domains(context)
    found, rows = watches.all_watches(context.database), []
    kept = gauges.of_watches(context.database, [one.id for one in found])
    for one in found:
        table = one.definition.table_name
        what = ",".join(one.definition.on)
        state = _state(one, context.now)
        rows.append((str(one.id), by_id.get(one.site_id, "-"), watch.masked(one.source), table, what, state))
        for each in (own for own in kept if own.watch_id == one.id):
            value = "" if each.value is None else f"{each.value:g} {each.definition.currency}".strip()
            rows.append(("", "", "", f"{each.definition.name}", value, each.notice))
    heads = "ID", "SITE", "SOURCE", "TABLE", "ON", "STATE"
    return columns(heads, rows) or f"No watch yet. {command('watch add')} adds one."


def _state(one: watch.Watch, now: int) -> str:
    """The state in words, and what else an operator has to know of it."""
    missed = f"about {one.missed} changes were left out, the outbox was full" if one.missed else ""
    refused = f"{one.refused} changes could not become events, the log says why" if one.refused else ""
    return "; ".join(filter(None, (_state_words(one, now), missed, refused)))


def _state_words(one: watch.Watch, now: int) -> str:
    state = state_of(one, now)
    if state is WatchState.WRONG:
        return f"not followed: {one.wrong}"
    if state is WatchState.STALLED:
        return f"not followed for {now - (one.read_at or one.created_at)} s; is the server running?"
    if state is WatchState.NEW:
        return "not read yet"
    many = f", {one.unread} of {MAX_UNREAD} changes wait" if state is WatchState.FILLING else ""
    return f"{behind_s(one, now):.0f} s behind{many}"


def watch_remove(context: CommandContext, watch_id: int, forget: bool = False) -> str:
    """Removes a watch with everything that it installed."""
    one = watches.remove(context.database, watch_id, forget=forget, allowed=networks(context))
    return f"Watch {one.id} of {one.definition.table_name} is removed."


COMMANDS: tuple[Command, ...] = (
    Command(
        "watch add",
        watch_add,
        (
            SITE,
            option(
                "--source",
                required=True,
                metavar="URL",
                help="The database, past a pooler: postgresql://user:password@host/name.",
            ),
            option("--table", required=True),
            option("--schema", default="public", show_default=True),
            option(
                "--on", default="insert,update,delete", show_default=True, help="Which changes; '' for gauges alone."
            ),
            option(
                "--filter", "filters", multiple=True, metavar="COL=OP.VALUE", help=f"Like {row_filter.HELP}. All hold."
            ),
            option("--event", default="", help="The events' name. [default: the table, and the change if it is one]"),
            option("--title", default="", metavar="TEMPLATE", help="Like '{name} booked {room}'; before: {old.room}."),
            option(
                "--link",
                default="",
                metavar="TEMPLATE",
                help="Where the row is: https://… or a path of the site.",
            ),
            option("--value", default="", metavar="COL", help="The column of the value."),
            option("--currency", default="", metavar="CUR|COL", help="Like EUR, or the column that has it."),
            option("--user-id", default="", metavar="COL", help="The column of your id of the person."),
            option("--user-name", default="", metavar="COL", help="The column of the name that the feed shows."),
            option("--columns", default="", metavar="A,B", help="The columns that become properties; no other leaves."),
            option("--gauge", "gauge_texts", multiple=True, help=f"A number of the table: {gauge.HELP}."),
            option("--print-sql", is_flag=True, help="Only print what would be executed there."),
            YES,
        ),
        """Turn the changes of a table of a PostgreSQL database into events.

    It installs a schema `footfall` with an outbox, and triggers on the table. It prints the SQL first, and asks on a
    terminal. It needs the rights TRIGGER on the table and CREATE on the database, with gauges also SELECT.
    `watch remove` leaves nothing behind.
    """,
        preview="print_sql",
    ),
    Command("watch list", watch_list, help="List the watched tables, how far behind each is, and their gauges."),
    Command(
        "watch remove",
        watch_remove,
        (
            id_argument("watch_id"),
            option("--forget", is_flag=True, help="Also where its database cannot be changed: what is there stays."),
        ),
        "Remove a watch, with everything that it installed. Its events stay.",
    ),
)
