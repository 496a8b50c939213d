"""Sites: what is measured. The functions behind the command line and the pages, and the directory in memory."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select, update

from analytics import changes, idn, locks, paths, schema
from analytics.addresses import Network, network
from analytics.database import Database
from analytics.program import command
from analytics.snapshot import Snapshot
from analytics.wildcards import Wildcards

DOMAIN = re.compile(r"^(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*$")
IDENTITIES = ("daily", "browser")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_NAME = 120
LONGEST_PATH = 300
MOST_LINES = 200  # of hosts, addresses or paths: each is looked at for each event
LONGEST_RETENTION_DAYS = 3_650


class WrongInput(ValueError):
    """What somebody asked for cannot be done; the message is one line for them, `fields` says what of which field."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


def checked(checks: Mapping[str, Callable[[Any], Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, each by the check of its name; one `WrongInput` names every field that is wrong."""
    kept, wrong = {}, {}
    for name, value in given.items():
        try:
            kept[name] = checks[name](value)
        except WrongInput as refused:
            wrong[name] = str(refused)
    if wrong:
        raise WrongInput("; ".join(wrong.values()), wrong)
    return kept


@dataclass(frozen=True, slots=True)
class Site:
    """One site. `hosts` are allowed beside the domain and its subdomains; zone names are IANA's.

    `week_start` is 0 for Monday to 6; `retention_days` of heartbeats is None where the installation's setting holds;
    `demo`: its traffic is made up.
    """

    id: int
    domain: str
    name: str
    timezone: str
    identity: str = "daily"
    week_start: int = 0
    hosts: tuple[str, ...] = ()
    excluded_addresses: tuple[Network, ...] = ()
    excluded_paths: tuple[str, ...] = ()
    excluded_hosts: tuple[str, ...] = ()
    retention_days: int | None = None
    demo: bool = False
    wildcards: Wildcards | None = field(default=None, compare=False, repr=False)  # of the excluded paths

    @property
    def shown_domain(self) -> str:
        """The domain as people read it (`idn.to_letters`)."""
        return idn.to_letters(self.domain)

    def allows_host(self, host: str) -> bool:
        """Whether pages of that host count: the domain, its subdomains, or a listed host."""
        domain = self.domain.removeprefix("www.")
        return host == domain or host.endswith("." + domain) or host in self.hosts

    def excludes_host(self, host: str) -> bool:
        """Whether the owner left out pages of that host or of one that it is a subdomain of; `hosts` win over that."""
        if not self.excluded_hosts or host in self.hosts:
            return False
        return any(host == one or host.endswith("." + one) for one in self.excluded_hosts)

    def excludes_address(self, address: str) -> bool:
        """Whether the owner left out visitors from that address, which is in its plain form."""
        if not self.excluded_addresses:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in one for one in self.excluded_addresses)

    def excludes_path(self, path: str) -> bool:
        """Whether the owner left out that page."""
        return self.wildcards is not None and self.wildcards.match(path)


def normal_domain(text: str) -> str:
    """The domain as it is stored, from whatever people paste: `https://Example.com/` is `example.com`.

    Letters beyond ASCII become IDNA: `müller.example` is `xn--mller-kva.example`.
    """
    domain = idn.to_ascii(re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/")[0].split(":")[0]).strip(".")
    if not DOMAIN.match(domain) or len(domain) > 253:
        raise WrongInput(f"{text!r} is no domain; give it with its ending, like example.com")
    return domain


def readable_domain(text: str) -> str:
    """The domain as it would be stored; "" where it is none."""
    try:
        return normal_domain(text)
    except WrongInput:
        return ""


def checked_zone(name: str) -> str:
    """The name itself when it is an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise WrongInput(f"{name!r} is no time zone; give one like Europe/Berlin or UTC")
    return name


def _network(text: str) -> str:
    try:
        return str(network(text))
    except ValueError:
        raise WrongInput(f"{text!r} is no address or network like 203.0.113.7 or 10.0.0.0/8") from None


def _path(text: str) -> str:
    if not text.isprintable() or len(text.split()) != 1 or len(text) > LONGEST_PATH:
        raise WrongInput(f"{text[:80]!r} is no path like /admin/** ; it has no spaces")
    return "/" + paths.readable(text.strip()).replace(" ", "%20").lstrip("/")  # a line of the table has no space


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise WrongInput(f"a name has 1 to {LONGEST_NAME} characters")
    return name


def _checked_identity(text: str) -> str:
    if text not in IDENTITIES:
        raise WrongInput(f"identity {text!r}: {' or '.join(IDENTITIES)}")
    return text


def _checked_weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise WrongInput(f"{text!r} is no day of the week; give one like {WEEKDAYS[0]}")
    return WEEKDAYS.index(text)


def _checked_retention(text: str) -> int | None:
    if not text.strip():
        return None
    if not re.fullmatch(r" *[0-9]{1,4} *", text) or not 1 <= int(text) <= LONGEST_RETENTION_DAYS:
        raise WrongInput(f"give whole days from 1 to {LONGEST_RETENTION_DAYS:,}, or nothing")
    return int(text)


def _lines(check: Callable[[str], str]) -> Callable[[Iterable[str]], str]:
    """Checks a list: each entry by `check`, none twice."""

    def checked_lines(texts: Iterable[str]) -> str:
        kept = list(dict.fromkeys(check(text) for text in texts))
        if len(kept) > MOST_LINES:
            raise WrongInput(f"at most {MOST_LINES} entries, please")
        return "\n".join(kept)

    return checked_lines


def _site(row: Row[Any]) -> Site:
    excluded = tuple(row.excluded_paths.split())
    return Site(
        id=row.id,
        domain=row.domain,
        name=row.name,
        timezone=row.timezone,
        identity=row.identity,
        week_start=row.week_start,
        hosts=tuple(row.hosts.split()),
        excluded_addresses=tuple(network(text) for text in row.excluded_addresses.split()),
        excluded_paths=excluded,
        excluded_hosts=tuple(row.excluded_hosts.split()),
        retention_days=row.retention_days,
        demo=row.demo,
        wildcards=Wildcards(map(paths.readable, excluded)) if excluded else None,
    )


def all_sites(database: Database) -> list[Site]:
    """Every site, by domain."""
    return [_site(row) for row in _rows(database)]


def _rows(database: Database) -> Sequence[Row[Any]]:
    with database.read() as connection:
        return connection.execute(select(schema.sites).order_by(schema.sites.c.domain)).all()


def find(database: Database, domain: str) -> Site:
    """The site of that domain, else the one with or without `www.`; `WrongInput` names the known ones."""
    wanted = normal_domain(domain)
    known = all_sites(database)
    by_domain = {site.domain: site for site in known}
    if found := by_domain.get(wanted) or by_domain.get(_other_form(wanted)):
        return found
    listed = ", ".join(site.shown_domain for site in known[:10]) or f"none yet; {command('site add DOMAIN')} adds one"
    raise WrongInput(f"there is no site {idn.to_letters(wanted)}; known: {listed}")


def _new_name(text: str) -> str:
    return _checked_name(text) if text.strip() else ""


ADDS: Mapping[str, Callable[[str], str]] = {"domain": normal_domain, "name": _new_name, "timezone": checked_zone}


def add(
    database: Database, domain: str, name: str = "", timezone: str = "UTC", *, now: int, demo: bool = False
) -> Site:
    """The new site, called by its domain where it gets no name.

    `WrongInput` tells of every field of `ADDS` that is wrong, and where the site is there already.
    """
    values = checked(ADDS, {"domain": domain, "name": name, "timezone": timezone})
    with database.transaction() as connection:
        taken = select(schema.sites.c.id).where(schema.sites.c.domain == values["domain"])
        if connection.execute(taken).first():
            there = f"the site {idn.to_letters(values['domain'])} is there already"
            raise WrongInput(there, {"domain": there})
        told = {"name": values["name"] or idn.to_letters(values["domain"]), "created_at": now, "demo": demo}
        connection.execute(insert(schema.sites).values(values | told))
    return find(database, domain)


CHANGES: Mapping[str, Callable[[Any], Any]] = {
    "name": _checked_name,
    "timezone": checked_zone,
    "week_start": _checked_weekday,
    "identity": _checked_identity,
    "retention_days": _checked_retention,
    "hosts": _lines(normal_domain),
    "excluded_hosts": _lines(normal_domain),
    "excluded_addresses": _lines(_network),
    "excluded_paths": _lines(_path),
}


def change(database: Database, domain: str, **changes: Any) -> Site:
    """The site with these settings changed: any of `CHANGES`, the last four as lists, the others as text.

    `WrongInput` tells of every field that is wrong; nothing is changed then.
    """
    site = find(database, domain)
    values = checked(CHANGES, changes)
    if not values:
        return site
    with database.transaction() as connection:
        connection.execute(update(schema.sites).where(schema.sites.c.id == site.id).values(values))
    return find(database, domain)


def remove(database: Database, domain: str) -> Site:
    """The site that is gone now, with everything that was stored for it. It is named as it was added, `www.` too."""
    site = find(database, domain)
    if site.domain != normal_domain(domain):
        raise WrongInput(f"there is no site {domain}; is {site.shown_domain} meant?")
    with database.transaction() as connection:
        if not database.embedded:  # after those who are storing for it right now
            connection.execute(select(func.pg_advisory_xact_lock(locks.SITE, site.id)))
        for table in reversed(schema.metadata.sorted_tables):
            if "site_id" in table.c and table is not schema.changes:
                connection.execute(delete(table).where(table.c.site_id == site.id))
        connection.execute(delete(schema.sites).where(schema.sites.c.id == site.id))
        changes.forget(connection, site.id)
    return site


def _other_form(domain: str) -> str:
    return domain[4:] if domain.startswith("www.") else "www." + domain


class Directory:
    """The sites in memory, at most `stale_s` seconds behind the database: the hot path asks no table."""

    def __init__(self, database: Database, stale_s: float = 1.0) -> None:
        self._database = database
        self._parsed: dict[Row[Any], Site] = {}
        self._sites = Snapshot(self._read, stale_s)

    def _read(self) -> _Known:
        """Only what has changed is parsed anew: for 1,000 sites a renewal takes 3 ms of 14."""
        parsed = self._parsed
        self._parsed = {row: parsed.get(row) or _site(row) for row in _rows(self._database)}
        found = self._parsed.values()
        return _Known({site.domain: site for site in found}, {site.id: site for site in found})

    def get(self, domain: str) -> Site | None:
        """The site of that domain as added, in any case and in either form, else with or without `www.`; else None."""
        known = self._sites.get().by_domain
        if site := known.get(domain):
            return site
        name = idn.to_ascii(domain)
        return known.get(name) or known.get(_other_form(name))

    def numbered(self, site_id: int) -> Site | None:
        """The site with that id, None where there is none."""
        return self._sites.get().by_id.get(site_id)

    def all(self) -> list[Site]:
        """Every site, by domain."""
        return list(self._sites.get().by_domain.values())

    def renew(self) -> None:
        """Reads the table now; what was known stays where that fails."""
        self._sites.renew()

    def forget(self) -> None:
        """Reads the table again at the next question."""
        self._sites.forget()


class _Known(NamedTuple):
    """The sites by domain, in order, and by id."""

    by_domain: dict[str, Site]
    by_id: dict[int, Site]
