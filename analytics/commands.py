"""The administrator's commands: one function behind the command line, the control socket and the pages."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from math import inf
from typing import Any, NamedTuple

from analytics.access import accounts, api_keys, embeds, invitations, members, roles
from analytics.base.background import Pause, Report
from analytics.base.errors import InvalidInput
from analytics.base.idn import to_letters
from analytics.base.program import command
from analytics.calendar.period import Period
from analytics.jobs import daily
from analytics.jobs import verify as verification
from analytics.live.minutes import MinuteHistory, StillCounting
from analytics.query import filter_syntax, stats
from analytics.query.answer import Past
from analytics.query.dimensions import dimension
from analytics.query.metrics import METRICS
from analytics.query.query import Query
from analytics.replica.columnar import Columnar
from analytics.reports import table
from analytics.reports.table import columns
from analytics.sites import store
from analytics.storage.database import Database

NO_ROLE = "none"
SOON_S = 2 * 86_400
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class Context(NamedTuple):
    """What a command works on. `address` is the server's, as people reach it, without a slash at its end.

    Long commands rest now and then, stop where that says so, and tell how far they are. Questions about the past are
    put to `ask`, else to the database.
    """

    database: Database
    address: str
    now: int
    retention_days: int = 7  # of heartbeats, where a site says nothing
    pause: Pause = threading.Event().wait
    report: Report = lambda _: None
    window_s: int = 60  # how long after a beat somebody is active
    columnar: Columnar | None = None  # None: questions are asked of the database
    secret: bytes = b""  # of the installation, where there is a link to be made of it


def snippet(address: str, domain: str) -> str:
    """The line that puts the script on a site's pages."""
    return f'<script defer src="{escape(address)}/js/footfall.js" data-site="{escape(domain)}"></script>'


def iframe(address: str, domain: str, token: str) -> str:
    """The line that shows a card of that token in another page. Its ground is light in pages of either theme."""
    shown = escape(to_letters(domain)).encode("ascii", "xmlcharrefreplace").decode()  # for pages in any encoding
    return (
        f'<iframe src="{escape(address)}/embed/live?token={token}" '
        f'title="Active now on {shown}" '
        f'width="360" height="260" style="border:0;color-scheme:light" loading="lazy"></iframe>'
    )


def invitation_link(address: str, token: str) -> str:
    """Where somebody accepts the invitation of that token."""
    return f"{address}/invitation?token={token}"


def site_add(context: Context, domain: str, name: str, timezone: str) -> str:
    """Adds a site; the text is its snippet."""
    site = store.add(context.database, domain, name, timezone, now=context.now)
    return (
        f"{site.shown_domain} is added. Put this into the head of its pages:\n\n{snippet(context.address, site.domain)}"
    )


def site_list(context: Context) -> str:
    """Every site, one a line."""
    rows = [(site.domain, site.name, site.timezone, site.identity) for site in store.all_sites(context.database)]
    names = "DOMAIN", "NAME", "TIME ZONE", "IDENTITY"
    return columns(names, rows) or f"No site yet. {command('site add DOMAIN')} adds one."


def site_set(context: Context, domain: str, **changes: Any) -> str:
    """Changes settings of a site."""
    given = {name: value for name, value in changes.items() if value not in (None, (), [])}
    if not given:
        raise InvalidInput("nothing to change; see `site set --help`")
    return f"{store.change(context.database, domain, **given).shown_domain} is changed."


def site_remove(context: Context, domain: str) -> str:
    """Removes a site with everything that was stored for it."""
    return f"{store.remove(context.database, domain).shown_domain} and all of its data are gone."


def setup_link(context: Context) -> str:
    """The link with which the first person makes their account; `InvalidInput` where somebody has one."""
    if accounts.has_people(context.database):
        raise InvalidInput(
            f"somebody has an account already, so the set-up link has done its work; "
            f"{command('user list')} shows who, {command('user reset EMAIL')} gives a new password"
        )
    return accounts.setup_link(context.address, context.secret)


def user_add(context: Context, email: str, role: str, password: str | None, on: Sequence[str] = ()) -> str:
    """Adds a person, with the role on the sites of `on`, else on every site. A password that is made is told once."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    person = accounts.add_person(context.database, email, role, chosen, now=context.now, sites=_site_ids(context, on))
    told = "" if password is not None else f" The password, shown this once: {chosen}"
    return f"{person.email} is added as {role}{_where(on)}.{told}"


def user_set(context: Context, email: str, role: str, on: Sequence[str] = ()) -> str:
    """Gives a person another role, on the sites of `on`, else on every site; "none" takes it away."""
    kept = roles.MEMBER if role == NO_ROLE else role
    person = members.change(context.database, email, kept, _site_ids(context, on), now=context.now)
    return f"{person.email} is {'nothing' if role == NO_ROLE else role}{_where(on) or ' on every site'} now."


def user_invite(context: Context, role: str, email: str, on: str | None, expires: str) -> str:
    """Invites somebody, with the role on the site `on`, else on every site; the text is the link."""
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


def user_remove(context: Context, email: str) -> str:
    """Removes a person with their logins."""
    return f"{members.remove(context.database, email).email} is removed."


def user_list(context: Context) -> str:
    """Every person, one a line."""
    by_id = {site.id: site.domain for site in store.all_sites(context.database)}
    rows = [(person.email, _roles(person, by_id)) for person in accounts.people(context.database)]
    first, more = command("setup-link"), command("user add EMAIL --role owner")
    nobody = f"Nobody yet. {first} prints the link with which the first person begins, {more} adds somebody."
    return columns(("E-MAIL", "ROLE"), rows) or nobody


def _site_ids(context: Context, domains: Sequence[str]) -> list[int]:
    return [store.find(context.database, domain).id for domain in domains]


def _where(domains: Sequence[str]) -> str:
    return f" on {', '.join(domains)}" if domains else ""


def _roles(person: roles.Person, by_id: dict[int, str]) -> str:
    everywhere = [person.role] if person.role != roles.MEMBER else []
    single = [f"{role} on {by_id[site_id]}" for site_id, role in person.memberships.items() if site_id in by_id]
    return ", ".join([*everywhere, *single]) or "nothing"


def user_reset(context: Context, email: str, password: str | None) -> str:
    """Gives a person a new password and ends their logins."""
    chosen = secrets.token_urlsafe(12) if password is None else password
    accounts.reset_password(context.database, email, chosen, now=context.now)
    told = "" if password is not None else f" The new password, shown this once: {chosen}"
    return f"{email} has to sign in again.{told}"


def key_add(context: Context, name: str, scope: str, site: str | None) -> str:
    """Adds an API key; the text is the key and nothing else, so that scripts can take it."""
    site_id = store.find(context.database, site).id if site else None
    return api_keys.add(context.database, name, scope, site_id, now=context.now)


def key_list(context: Context) -> str:
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


def key_remove(context: Context, key_id: int) -> str:
    """Removes an API key by its number."""
    return f"The key {api_keys.remove_number(context.database, key_id).name} is removed."


def key_forget(context: Context, key: str) -> str:
    """Removes an API key, given in clear: what `replay` does with its own."""
    api_keys.remove(context.database, key)
    return "The key is gone."


def embed_add(context: Context, site: str, hosts: Sequence[str], expires: str) -> str:
    """Adds a card; the text is the `<iframe>` line to paste."""
    found = store.find(context.database, site)
    _, token = embeds.add(context.database, found.id, hosts, seconds(expires), now=context.now)
    return iframe(context.address, found.domain, token)


def embed_list(context: Context) -> str:
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


def embed_revoke(context: Context, embed_id: int) -> str:
    """Switches a card off."""
    embeds.revoke(context.database, embed_id, now=context.now)
    return f"Card {embed_id} is off."


def maintain(context: Context) -> str:
    """Does the day's work now: what is counted of each day, purge, salts; the text says what was done."""
    options = context.retention_days, context.pause, context.report, context.window_s
    work = daily.Work(context.database, context.now, *options)
    return "\n".join(daily.run(work)) or "Nothing to do."


def verify(context: Context, repair: bool = False) -> str:
    """Compares the columnar replica with the database, and derived numbers with raw rows; `verification.agrees` tells
    of the text what came out. With `repair` what can be is set right first, and the text ends with what was.
    """
    assert context.columnar is not None
    settings = verification.Settings(context.window_s, context.retention_days)
    how = context.columnar, context.pause, context.report, settings
    done = verification.repair(*how) if repair else []
    return "\n".join([verification.as_text(verification.verify(*how)), *(f"Mended: {line}" for line in done)])


def query(
    context: Context,
    site: str,
    metrics: Sequence[str],
    by: Sequence[str],
    period: str,
    filters: Sequence[str],
    limit: int,
    form: str,
) -> str:
    """The answer to a question as one of `table.FORMATS`; numbers are those of the statistics API.

    Behind `by` dimensions may stand among the metrics: `visitors --by source country`.
    """
    names = [name for name in metrics if not by or name in METRICS or not _is_dimension(name)]
    asked = Query.of(
        store.find(context.database, site),
        period=Period.parse(period),
        metrics=tuple(names),
        dimensions=(*by, *(name for name in metrics if name not in names)),
        filters=tuple(map(filter_syntax.parse, filters)),
        limit=limit,
    )
    ask = context.columnar.rows if context.columnar else stats.of_truth(context.database)
    history = MinuteHistory(context.database, context.window_s)
    past = Past(ask, lambda site_id, span: history.minutes(site_id, span, context.now, inf))
    first = (stats.first_second(asked.site_id, ask) or context.now) if asked.period.preset == "all" else 0
    try:
        return table.text(table.of_answer(asked, asked.span(context.now, first), past), form)
    except StillCounting as wait:
        raise InvalidInput(f"{wait}, at night or by {command('maintain')}") from None


def _is_dimension(name: str) -> bool:
    try:
        return bool(dimension(name))
    except InvalidInput:
        return False


COMMANDS: dict[str, Callable[..., str]] = {
    "site add": site_add,
    "site list": site_list,
    "site set": site_set,
    "site remove": site_remove,
    "setup-link": setup_link,
    "user add": user_add,
    "user list": user_list,
    "user set": user_set,
    "user invite": user_invite,
    "user remove": user_remove,
    "user reset": user_reset,
    "key add": key_add,
    "key list": key_list,
    "key remove": key_remove,
    "key forget": key_forget,
    "embed add": embed_add,
    "embed list": embed_list,
    "embed revoke": embed_revoke,
    "maintain": maintain,
    "verify": verify,
    "query": query,
}


def run(database: Database, address: str, name: str, options: dict[str, Any], **means: Any) -> str:
    """What the command says. `InvalidInput` for what people got wrong. `means` are further fields of the context."""
    return COMMANDS[name](Context(database, address, int(time.time()), **means), **options)


def seconds(text: str) -> int:
    """A duration like 30m, 12h, 30d or 4w in seconds."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in UNITS or int(number) == 0 or int(number) > 36_500:
        raise InvalidInput(f"{text!r} is no duration; give one like 30m, 12h, 30d or 4w")
    return int(number) * UNITS[unit]


def _end(at: int, now: int) -> str:
    """The day, and the minute too where that is soon."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ") if abs(at - now) < SOON_S else _day(at)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
