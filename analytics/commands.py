"""The administrator's commands: one function each, called by the command line and the control socket."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from math import inf
from typing import Any, NamedTuple

import click

from analytics.access import accounts, api_keys, embeds, first_owner, invitations, logins, members, roles
from analytics.base.background import Pause, Report
from analytics.base.errors import InvalidInput, message
from analytics.base.idn import to_letters
from analytics.base.program import command
from analytics.calendar.period import Period
from analytics.jobs import daily
from analytics.jobs import verify as verification
from analytics.live.minutes import MinuteHistory, StillCounting
from analytics.query import filter_syntax
from analytics.query.answer import span_of
from analytics.query.backend import Backend, fetch_from
from analytics.query.dimensions import dimension
from analytics.query.metrics import METRICS
from analytics.query.query import MAX_ROWS, Query
from analytics.replica.columnar import Columnar
from analytics.reports import formats
from analytics.reports.formats import columns
from analytics.sites import checks, store
from analytics.storage.database import Database

NO_ROLE = "none"
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


def snippet(address: str, domain: str) -> str:
    """The HTML line that loads the script on a site's pages."""
    return f'<script defer src="{escape(address)}/js/footfall.js" data-site="{escape(domain)}"></script>'


def iframe(address: str, domain: str, token: str, *, small: bool = False, link: bool = False) -> str:
    """The HTML line that shows the card of the token in another page. Its background is light in both themes.

    `small`: the frame is as low as the card's small shape; `link`: the site's name leads to the dashboard.
    """
    width, height = (260, 72) if small else (360, 260)
    shown = escape(to_letters(domain)).encode("ascii", "xmlcharrefreplace").decode()  # for pages in any encoding
    return (
        f'<iframe src="{escape(address)}/embed/live?token={token}{"&amp;link=1" if link else ""}" '
        f'title="Active now on {shown}" '
        f'width="{width}" height="{height}" style="border:0;color-scheme:light" loading="lazy"></iframe>'
    )


def invitation_link(address: str, token: str) -> str:
    """The link that accepts the invitation of the token."""
    return f"{address}/invitation?token={token}"


def site_add(context: CommandContext, domain: str, name: str, timezone: str) -> str:
    """Adds a site and returns its snippet."""
    site = store.add(context.database, domain, name, timezone, now=context.now)
    return (
        f"{site.shown_domain} is added. Put this into the head of its pages:\n\n{snippet(context.address, site.domain)}"
    )


def site_list(context: CommandContext) -> str:
    """Every site, one a line."""
    rows = [
        (site.domain, site.name, site.timezone, site.identity, site.uuid) for site in store.all_sites(context.database)
    ]
    names = "DOMAIN", "NAME", "TIME ZONE", "IDENTITY", "UUID"
    return columns(names, rows) or f"No site yet. {command('site add DOMAIN')} adds one."


def site_set(context: CommandContext, domain: str, **changes: Any) -> str:
    """Changes settings of a site; empty ones stay as they are."""
    wanted = {name: value for name, value in changes.items() if value not in (None, (), [])}
    if not wanted:
        raise InvalidInput("nothing to change; see `site set --help`")
    site = store.find(context.database, domain)
    return f"{store.change(context.database, site, **wanted).shown_domain} is changed."


def site_remove(context: CommandContext, domain: str) -> str:
    """Removes a site with all its data."""
    return f"{store.remove(context.database, domain).shown_domain} and all of its data are gone."


def setup_link(context: CommandContext) -> str:
    """The link by which the first person makes an account; `InvalidInput` if there is an account already."""
    if accounts.has_people(context.database):
        raise InvalidInput(
            f"somebody has an account already, so the set-up link has done its work; "
            f"{command('user list')} shows who, {command('user reset EMAIL')} gives a new password"
        )
    return first_owner.setup_link(context.address, context.secret)


def user_add(context: CommandContext, email: str, role: str, password: str | None, on: Sequence[str] = ()) -> str:
    """Adds a person, with the role on the sites in `on`, else on every site. A generated password is shown once."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    person = accounts.add_person(context.database, email, role, chosen, now=context.now, sites=_site_ids(context, on))
    note = "" if password is not None else f" The password, shown this once: {chosen}"
    return f"{person.email} is added as {role}{_where(on)}.{note}"


def user_set(context: CommandContext, email: str, role: str, on: Sequence[str] = ()) -> str:
    """Sets a person's role on the sites in `on`, else on every site; "none" removes it."""
    new = roles.MEMBER if role == NO_ROLE else role
    person = members.change(context.database, email, new, _site_ids(context, on), now=context.now)
    return f"{person.email} is {'nothing' if role == NO_ROLE else role}{_where(on) or ' on every site'} now."


def user_invite(context: CommandContext, role: str, email: str, on: str | None, expires: str) -> str:
    """Invites a person, with the role on the site `on`, else on every site, and returns the link."""
    site_id = store.find(context.database, on).id if on else None
    _, token = invitations.invite(
        context.database,
        role,
        site_id,
        email=email,
        life_s=seconds(expires),
        by=invitations.COMMAND_LINE,
        now=context.now,
    )
    return invitation_link(context.address, token)


def user_remove(context: CommandContext, email: str) -> str:
    """Removes a person with their logins."""
    return f"{members.remove(context.database, email).email} is removed."


def user_list(context: CommandContext) -> str:
    """Every person, one a line."""
    by_id = {site.id: site.domain for site in store.all_sites(context.database)}
    rows = [(person.email, _roles(person, by_id)) for person in accounts.people(context.database)]
    first, more = command("setup-link"), command("user add EMAIL --role owner")
    nobody = f"Nobody yet. {first} prints the link with which the first person begins, {more} adds somebody."
    return columns(("E-MAIL", "ROLE"), rows) or nobody


def _site_ids(context: CommandContext, domains: Sequence[str]) -> list[int]:
    return [store.find(context.database, domain).id for domain in domains]


def _where(domains: Sequence[str]) -> str:
    return f" on {', '.join(domains)}" if domains else ""


def _roles(person: roles.Person, by_id: dict[int, str]) -> str:
    everywhere = [person.role] if person.role != roles.MEMBER else []
    single = [f"{role} on {by_id[site_id]}" for site_id, role in person.memberships.items() if site_id in by_id]
    return ", ".join([*everywhere, *single]) or "nothing"


def user_reset(context: CommandContext, email: str, password: str | None) -> str:
    """Sets a person's password, or generates one that is shown once, and ends their logins."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    logins.reset_password(context.database, email, chosen, now=context.now)
    note = "" if password is not None else f" The new password, shown this once: {chosen}"
    return f"{email} has to sign in again.{note}"


def key_add(context: CommandContext, name: str, scope: str, site: str | None) -> str:
    """Adds an API key and returns nothing but the key, so that scripts can read it."""
    site_id = store.find(context.database, site).id if site else None
    return api_keys.add(context.database, name, scope, site_id, now=context.now)


def key_list(context: CommandContext) -> str:
    """Every API key, one a line."""
    by_id = {site.id: site.domain for site in store.all_sites(context.database)}
    rows = [
        (
            str(key.id),
            key.name,
            key.scope,
            "every site" if key.site_id is None else by_id[key.site_id],
            _day(key.created_at),
        )
        for key in api_keys.all_keys(context.database)
    ]
    names = "ID", "NAME", "SCOPE", "SITE", "ADDED"
    return columns(names, rows) or f"No key yet. {command('key add NAME --scope SCOPE')} adds one."


def key_remove(context: CommandContext, key_id: int) -> str:
    """Removes the API key with that id."""
    return f"The key {api_keys.remove_number(context.database, key_id).name} is removed."


def key_forget(context: CommandContext, key: str) -> str:
    """Removes an API key by its plain text, as `replay` does with its own."""
    api_keys.remove(context.database, key)
    return "The key is gone."


def embed_add(
    context: CommandContext,
    site: str,
    hosts: Sequence[str],
    expires: str,
    more_hosts: Sequence[str] = (),
    small: bool = False,
    link: bool = False,
) -> str:
    """Adds a card; the text is the `<iframe>` line to paste."""
    found = store.find(context.database, site)
    _, token = embeds.add(context.database, found.id, [*hosts, *more_hosts], seconds(expires), now=context.now)
    return iframe(context.address, found.domain, token, small=small, link=link)


def embed_list(context: CommandContext) -> str:
    """Every card, one a line."""
    by_id = {site.id: site.domain for site in store.all_sites(context.database)}
    rows = [
        (
            str(embed.id),
            by_id.get(embed.site_id, "-"),
            " ".join(embed.hosts),
            _end(embed.expires_at, context.now),
            embed.state(context.now),
        )
        for embed in embeds.all_embeds(context.database)
    ]
    names = "ID", "SITE", "HOSTS", "EXPIRES", "STATE"
    return columns(names, rows) or f"No card yet. {command('embed add --site DOMAIN --host HOST')} adds one."


def embed_revoke(context: CommandContext, embed_id: int) -> str:
    """Revokes the card with that id."""
    embeds.revoke(context.database, embed_id, now=context.now)
    return f"Card {embed_id} is off."


def maintain(context: CommandContext) -> str:
    """Does the day's work now (daily counts, purge, salts) and says what was done."""
    options = context.retention_days, context.pause, context.report, context.window_s
    work = daily.Work(context.database, context.now, *options)
    return "\n".join(daily.run(work)) or "Nothing to do."


def verify(context: CommandContext, repair: bool = False) -> str:
    """Compares the columnar replica with the database, and derived numbers with raw rows.

    `verification.agrees` says whether the text reports no difference. With `repair`, what can be repaired is repaired
    first, and the text ends with a line for each repair.
    """
    assert context.columnar is not None
    settings = verification.Settings(context.window_s, context.retention_days)
    how = context.columnar, context.pause, context.report, settings
    done = verification.repair(*how) if repair else []
    return "\n".join([verification.as_text(verification.verify(*how)), *(f"Repaired: {line}" for line in done)])


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
    fetch = context.columnar.rows if context.columnar else fetch_from(context.database)
    history = MinuteHistory(context.database, context.window_s)
    backend = Backend(fetch, lambda site_id, span: history.minutes(site_id, span, context.now, inf))
    try:
        return formats.text(formats.table_of(question, span_of(question, context.now, backend), backend), form)
    except StillCounting as wait:
        raise InvalidInput(f"{wait}, at night or by {command('maintain')}") from None


def _is_dimension(name: str) -> bool:
    try:
        return bool(dimension(name))
    except InvalidInput:
        return False


class Command(NamedTuple):
    """A command that administers or imports: its words on the command line, its function, its parameters and its help.

    Parameters have the names of the function's own. `failed` says by the text whether the exit code is 1. A command
    without help is for programs: no command line shows it.
    """

    name: str
    run: Callable[..., str]
    params: tuple[click.Parameter, ...] = ()
    help: str = ""
    failed: Callable[[str], bool] = lambda _: False


def _argument(name: str, **more: Any) -> click.Argument:
    return click.Argument([name], **more)


def _option(*names: str, **more: Any) -> click.Option:
    return click.Option(names, **more)


def _confirmed(context: click.Context, _: click.Parameter, domain: str) -> str:
    """The domain; at a terminal it has to be typed twice."""
    question = f"All data of {domain} will be gone. Type the domain to go on"
    if sys.stdin.isatty() and click.prompt(question) != domain:
        raise InvalidInput("not removed: that was another name")
    return domain


def _from_stdin(context: click.Context, _: click.Parameter, given: bool) -> str | None:
    """The password, None where none is given."""
    return sys.stdin.readline().rstrip("\r\n") if given else None


_SITE = _option("--site", required=True, metavar="DOMAIN", help="The site, as added.")
_EMAIL = _argument("email")
_ROLE = _option("--role", required=True, type=click.Choice(roles.ROLES))
_ON_SITES = _option(
    "--site", "on", multiple=True, metavar="DOMAIN", help="Only on this site; may be repeated. [default: every site]"
)
_PASSWORD = _option(
    "--password-stdin", "password", is_flag=True, callback=_from_stdin, help="Read the password from standard input."
)
_NUMBER = click.IntRange(1, 2**31 - 1)

COMMANDS: tuple[Command, ...] = (
    Command(
        "site add",
        site_add,
        (
            _argument("domain"),
            _option("--name", default="", help="How the dashboard calls it. [default: the domain]"),
            _option("--timezone", default="UTC", show_default=True, metavar="Area/City"),
        ),
        "Add a site and print its snippet.",
    ),
    Command("site list", site_list, help="List the sites."),
    Command(
        "site set",
        site_set,
        (
            _argument("domain"),
            _option("--name"),
            _option("--timezone", metavar="Area/City"),
            _option("--week-start", type=click.Choice(checks.WEEKDAYS), help="The first day of the week."),
            _option("--identity", type=click.Choice(checks.IDENTITIES)),
            _option(
                "--retention-days", metavar="DAYS", help="How long heartbeats are kept; '' for the server's setting."
            ),
            _option("--uuid", help="The website id that pages with Umami's script send, so that they need no change."),
            _option(
                "--allow-host",
                "hosts",
                multiple=True,
                metavar="HOST",
                help="Pages of this host count too. Replaces the list.",
            ),
            _option("--exclude-host", "excluded_hosts", multiple=True, metavar="HOST", help="And its subdomains."),
            _option("--exclude-address", "excluded_addresses", multiple=True, metavar="CIDR"),
            _option(
                "--exclude-path",
                "excluded_paths",
                multiple=True,
                metavar="PATTERN",
                help="`*` and `**` as wildcards.",
            ),
        ),
        "Change settings of a site; what is not given stays. A list that is given replaces the one before.",
    ),
    Command(
        "site remove",
        site_remove,
        (_argument("domain", callback=_confirmed),),
        "Remove a site with all of its data.",
    ),
    Command(
        "setup-link",
        setup_link,
        help="Print the link with which the first person makes their account and the first site; while nobody has one.",
    ),
    Command(
        "user add",
        user_add,
        (_EMAIL, _ROLE, _ON_SITES, _PASSWORD),
        "Add a person, on every site unless some are named. Without --password-stdin a password is made and printed "
        "once.",
    ),
    Command(
        "user set",
        user_set,
        (_EMAIL, _option("--role", required=True, type=click.Choice([*roles.ROLES, NO_ROLE])), _ON_SITES),
        'Give a person another role, on every site or on those named; "none" takes it away.',
    ),
    Command(
        "user invite",
        user_invite,
        (
            _argument("email", default=""),
            _ROLE,
            _option("--site", "on", metavar="DOMAIN", help="Only on this site. [default: every site]"),
            _option("--expires", default="7d", show_default=True, metavar="DURATION"),
        ),
        "Print a link with which somebody makes their account, once.",
    ),
    Command("user remove", user_remove, (_EMAIL,), "Remove a person and end their logins."),
    Command("user list", user_list, help="List the people."),
    Command(
        "user reset",
        user_reset,
        (_EMAIL, _PASSWORD),
        "Give a person a new password and end their logins.",
    ),
    Command(
        "key add",
        key_add,
        (
            _argument("name"),
            _option("--scope", required=True, type=click.Choice(["stats", "ingest", "admin"])),
            _option("--site", metavar="DOMAIN", help="Only for this site. [default: every site]"),
        ),
        "Add an API key and print it, once.",
    ),
    Command("key list", key_list, help="List the API keys; what they open, but not the keys themselves."),
    Command(
        "key remove",
        key_remove,
        (_argument("key_id", type=_NUMBER, metavar="ID"),),
        "Remove an API key; it is good for nothing within a second.",
    ),
    Command("key forget", key_forget),
    Command(
        "embed add",
        embed_add,
        (
            _SITE,
            _option("--host", "hosts", required=True, multiple=True, metavar="PANEL_HOST", help="Who may frame it."),
            _argument("more_hosts", nargs=-1, metavar="[PANEL_HOST]..."),
            _option("--expires", default="365d", show_default=True, metavar="DURATION"),
            _option("--small", is_flag=True, help="A frame of 260 x 72 for the small shape."),
            _option("--link", is_flag=True, help="The site's name leads to the dashboard."),
        ),
        "Add a card and print the <iframe> line to paste. It lives for so many minutes, hours, days or weeks, like "
        "30m, 12h, 30d or 4w.",
    ),
    Command("embed list", embed_list, help="List the cards."),
    Command(
        "embed revoke",
        embed_revoke,
        (_argument("embed_id", type=_NUMBER, metavar="ID"),),
        "Switch a card off; it ends within a second.",
    ),
    Command(
        "query",
        query,
        (
            _SITE,
            _argument("metrics", nargs=-1, required=True, metavar="METRIC..."),
            _option("--by", multiple=True, metavar="DIMENSION", help="Like source, page or time:day; may be repeated."),
            _option(
                "--period",
                default="30d",
                show_default=True,
                help="A preset, any number of days like 90d, or two dates: 2026-01-01,2026-01-31.",
            ),
            _option("--filter", "filters", multiple=True, help=f"Like {filter_syntax.HELP}. Several all hold."),
            _option("--limit", default=100, show_default=True, type=click.IntRange(1, MAX_ROWS), help="Rows."),
            _option("--format", "form", default="table", show_default=True, type=click.Choice(formats.FORMATS)),
        ),
        """Ask what happened: visitors, visits, pageviews, bounce_rate and so on, in all or by something.

    \b
    query --site example.com visitors bounce_rate --by source --period 7d
    query --site example.com pageviews --by time:day --filter 'page=/blog/*'
    """,
    ),
    Command(
        "maintain",
        maintain,
        help="Do the day's work now: count daily usage and the minutes of each day, purge old heartbeats, destroy old "
        "salts.",
    ),
    Command(
        "verify",
        verify,
        (_option("--repair", is_flag=True, help="Set right what can be; what is left is listed."),),
        "Compare the columnar replica and every derived number with the raw rows; exit 1 and a list where they "
        "differ.\n\nEvery number and every row of the replica is compared with the database, and every derived number "
        "is counted again as far back as raw rows are kept: visits from their pageviews and events, daily usage, "
        "minutes and stored outcomes from heartbeats.",
        failed=lambda text: not verification.agrees(text),
    ),
)
"""Every command that administers: the command line, the control socket and the README are made from this list."""

BY_NAME: Mapping[str, Command] = {one.name: one for one in COMMANDS}


def run(database: Database, address: str, name: str, options: dict[str, Any], **fields: Any) -> str:
    """Runs a command and returns its text; `InvalidInput` for wrong input. `fields` are further ones of the context."""
    return BY_NAME[name].run(CommandContext(database, address, int(time.time()), **fields), **options)


def seconds(text: str) -> int:
    """The seconds of a duration like 30m, 12h, 30d or 4w; `InvalidInput` for other texts."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in UNITS or int(number) == 0 or int(number) > 36_500:
        raise InvalidInput(message("{given} is no duration; give one like 30m, 12h, 30d or 4w", given=repr(text)))
    return int(number) * UNITS[unit]


def _end(at: int, now: int) -> str:
    """The day, with the minute too if it is within two days."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ") if abs(at - now) < SOON_S else _day(at)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
