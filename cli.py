"""The command line's frame, and its commands that administer: each runs in the server that has the data, else here."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import closing, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from analytics import commands
from analytics.access import roles
from analytics.base.config import Config, read_config, secret_of
from analytics.base.errors import InvalidInput
from analytics.jobs import verify
from analytics.query import filter_syntax
from analytics.query.query import MOST_ROWS
from analytics.replica.columnar import Columnar
from analytics.reports import table
from analytics.sites import checks, store
from analytics.sites import site as sites_site
from analytics.sites.directory import Directory
from analytics.sites.salts import LogSalts
from analytics.storage.database import Database, check_there
from collector.control import NoServer, ask
from collector.imports import log_import
from collector.imports.log_formats import NAMES
from collector.imports.progress import Progress
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate
from collector.ingest.spam import open_spammers
from collector.service import places_of


@cache
def our_version() -> str:
    """The version of the installed package, or of this checkout."""
    try:
        return version("footfall")
    except PackageNotFoundError:
        return "0.1.0"


def administer(config: Config, command: str, /, **options: Any) -> str:
    """Runs a command in the running server, which then knows at once, else here; long ones say how far they are.

    `NoData` where there is neither a server nor data: a command makes none.
    """
    with closing(Progress(sys.stdout)) as progress:
        with suppress(NoServer):
            return ask(config.data_dir, command, options, progress.tell)
        check_there(config, directory=command == "verify")
        with closing(Database(config)) as database, closing(Columnar(database, config)) as columnar:
            days, window_s = config.heartbeat_retention_days, config.active_window_s
            means = {"retention_days": days, "report": progress.tell, "columnar": columnar, "window_s": window_s}
            if command == "setup-link":
                means["secret"] = secret_of(config)
            address = config.base_url or "http://127.0.0.1:8050"
            return commands.run(database, address, command, options, **means)


class _Commands(click.Group):
    """`serve` is what happens without a subcommand."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["serve", *args]
        return super().parse_args(context, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["--help", "-h"]})
@click.version_option(our_version(), prog_name="footfall")
def cli() -> None:
    """Footfall: live traffic analytics that you host yourself."""


HOST = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
PORT = click.option("--port", default=8050, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
DATA_DIR = click.option("--data-dir", type=click.Path(path_type=Path), help="Where data lives. [default: data]")
SITE = click.option("--site", required=True, metavar="DOMAIN", help="The site, as added.")
ON_SITES = click.option(
    "--site", "on", multiple=True, metavar="DOMAIN", help="Only on this site; may be repeated. [default: every site]"
)
LOG_FORMAT = click.option(
    "--format", "form", default="", metavar="NAME", help=f"The log's format: {', '.join(NAMES)}. [default: recognised]"
)
LOG_ZONE = click.option(
    "--timezone", default="UTC", show_default=True, metavar="Area/City", help="Of times without one, as HAProxy's."
)
PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@cli.group("site")
def site_group() -> None:
    """Sites: what is measured."""


@site_group.command("add")
@click.argument("domain")
@click.option("--name", default="", help="How the dashboard calls it. [default: the domain]")
@click.option("--timezone", default="UTC", show_default=True, metavar="Area/City")
@DATA_DIR
def site_add(domain: str, name: str, timezone: str, data_dir: Path | None) -> None:
    """Add a site and print its snippet."""
    click.echo(administer(read_config(data_dir=data_dir), "site add", domain=domain, name=name, timezone=timezone))


@site_group.command("list")
@DATA_DIR
def site_list(data_dir: Path | None) -> None:
    """List the sites."""
    click.echo(administer(read_config(data_dir=data_dir), "site list"))


@site_group.command("set")
@click.argument("domain")
@click.option("--name")
@click.option("--timezone", metavar="Area/City")
@click.option("--week-start", type=click.Choice(checks.WEEKDAYS), help="The first day of the week.")
@click.option("--identity", type=click.Choice(checks.IDENTITIES))
@click.option("--retention-days", metavar="DAYS", help="How long heartbeats are kept; '' for the server's setting.")
@click.option("--allow-host", "hosts", multiple=True, help="Pages of this host count too. Replaces the list.")
@click.option("--exclude-host", "excluded_hosts", multiple=True, metavar="HOST", help="And its subdomains.")
@click.option("--exclude-address", "excluded_addresses", multiple=True, metavar="CIDR")
@click.option("--exclude-path", "excluded_paths", multiple=True, metavar="PATTERN", help="`*` and `**` as wildcards.")
@DATA_DIR
def site_set(domain: str, data_dir: Path | None, **changes: Any) -> None:
    """Change settings of a site; what is not given stays."""
    click.echo(administer(read_config(data_dir=data_dir), "site set", domain=domain, **changes))


@site_group.command("remove")
@click.argument("domain")
@DATA_DIR
def site_remove(domain: str, data_dir: Path | None) -> None:
    """Remove a site with all of its data."""
    if sys.stdin.isatty() and click.prompt(f"All data of {domain} will be gone. Type the domain to go on") != domain:
        raise InvalidInput("not removed: that was another name")
    click.echo(administer(read_config(data_dir=data_dir), "site remove", domain=domain))


@cli.command("setup-link")
@DATA_DIR
def setup_link_command(data_dir: Path | None) -> None:
    """Print the link with which the first person makes their account and the first site."""
    click.echo(administer(read_config(data_dir=data_dir), "setup-link"))


@cli.group("user")
def user_group() -> None:
    """People who may sign in."""


@user_group.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(roles.ROLES))
@ON_SITES
@PASSWORD
@DATA_DIR
def user_add(email: str, role: str, on: tuple[str, ...], password_stdin: bool, data_dir: Path | None) -> None:
    """Add a person. Without --password-stdin a password is made and printed once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    config = read_config(data_dir=data_dir)
    click.echo(administer(config, "user add", email=email, role=role, password=password, on=on))


@user_group.command("set")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice([*roles.ROLES, commands.NO_ROLE]))
@ON_SITES
@DATA_DIR
def user_set(email: str, role: str, on: tuple[str, ...], data_dir: Path | None) -> None:
    """Give a person another role; "none" takes it away."""
    click.echo(administer(read_config(data_dir=data_dir), "user set", email=email, role=role, on=on))


@user_group.command("invite")
@click.argument("email", default="")
@click.option("--role", required=True, type=click.Choice(roles.ROLES))
@click.option("--site", "on", metavar="DOMAIN", help="Only on this site. [default: every site]")
@click.option("--expires", default="7d", show_default=True, metavar="DURATION")
@DATA_DIR
def user_invite(email: str, role: str, on: str | None, expires: str, data_dir: Path | None) -> None:
    """Print a link with which somebody makes their account, once."""
    config = read_config(data_dir=data_dir)
    click.echo(administer(config, "user invite", email=email, role=role, on=on, expires=expires))


@user_group.command("remove")
@click.argument("email")
@DATA_DIR
def user_remove(email: str, data_dir: Path | None) -> None:
    """Remove a person and end their logins."""
    click.echo(administer(read_config(data_dir=data_dir), "user remove", email=email))


@user_group.command("list")
@DATA_DIR
def user_list(data_dir: Path | None) -> None:
    """List the people."""
    click.echo(administer(read_config(data_dir=data_dir), "user list"))


@user_group.command("reset")
@click.argument("email")
@PASSWORD
@DATA_DIR
def user_reset(email: str, password_stdin: bool, data_dir: Path | None) -> None:
    """Give a person a new password and end their logins."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    click.echo(administer(read_config(data_dir=data_dir), "user reset", email=email, password=password))


@cli.group("key")
def key_group() -> None:
    """Keys for programs."""


@key_group.command("add")
@click.argument("name")
@click.option("--scope", required=True, type=click.Choice(["stats", "ingest", "admin"]))
@click.option("--site", metavar="DOMAIN", help="Only for this site. [default: every site]")
@DATA_DIR
def key_add(name: str, scope: str, site: str | None, data_dir: Path | None) -> None:
    """Add an API key and print it, once."""
    click.echo(administer(read_config(data_dir=data_dir), "key add", name=name, scope=scope, site=site))


@key_group.command("list")
@DATA_DIR
def key_list(data_dir: Path | None) -> None:
    """List the API keys; what they open, but not the keys themselves."""
    click.echo(administer(read_config(data_dir=data_dir), "key list"))


@key_group.command("remove")
@click.argument("key_id", type=click.IntRange(1, 2**31 - 1), metavar="ID")
@DATA_DIR
def key_remove(key_id: int, data_dir: Path | None) -> None:
    """Remove an API key; it is good for nothing within a second."""
    click.echo(administer(read_config(data_dir=data_dir), "key remove", key_id=key_id))


@cli.group("embed")
def embed_group() -> None:
    """Cards for other admin panels."""


@embed_group.command("add")
@SITE
@click.option("--host", "hosts", required=True, multiple=True, metavar="PANEL_HOST", help="Who may frame it.")
@click.argument("more_hosts", nargs=-1, metavar="[PANEL_HOST]...")
@click.option("--expires", default="365d", show_default=True, metavar="DURATION")
@DATA_DIR
def embed_add(
    site: str, hosts: tuple[str, ...], more_hosts: tuple[str, ...], expires: str, data_dir: Path | None
) -> None:
    """Add a card and print the <iframe> line to paste."""
    config = read_config(data_dir=data_dir)
    click.echo(administer(config, "embed add", site=site, hosts=[*hosts, *more_hosts], expires=expires))


@embed_group.command("list")
@DATA_DIR
def embed_list(data_dir: Path | None) -> None:
    """List the cards."""
    click.echo(administer(read_config(data_dir=data_dir), "embed list"))


@embed_group.command("revoke")
@click.argument("embed_id", type=click.IntRange(1, 2**31 - 1), metavar="ID")
@DATA_DIR
def embed_revoke(embed_id: int, data_dir: Path | None) -> None:
    """Switch a card off; it ends within a second."""
    click.echo(administer(read_config(data_dir=data_dir), "embed revoke", embed_id=embed_id))


@cli.group("import")
def import_group() -> None:
    """What happened before, into history."""


@import_group.command("access-log")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@SITE
@click.option("--follow", is_flag=True, help="Go on with what is appended, until Ctrl-C.")
@LOG_FORMAT
@LOG_ZONE
@DATA_DIR
def import_access_log(data_dir: Path | None, **options: Any) -> None:
    """Import web-server logs (.gz too) at the log's own times; what is known is not doubled."""
    config = read_config(data_dir=data_dir)
    with closing(Progress(sys.stdout)) as progress:
        told = _imported_by_server(config, options, progress) or _imported_here(config, options, progress)
    click.echo(told)


def _imported_by_server(config: Config, options: dict[str, Any], progress: Progress) -> str:
    """What the running server says of it, "" where none runs."""
    with suppress(NoServer):
        return ask(config.data_dir, log_import.COMMAND, options, progress.tell)
    return ""


def _imported_here(config: Config, options: dict[str, Any], progress: Progress) -> str:
    """What the import says. Where there is no data yet, it makes some; where there is no site, the one it is for."""
    domain = sites_site.normal_domain(options["site"])  # before anything is made
    secret = secret_of(config)
    with closing(Database(config)) as database, closing(places_of(config)) as places:
        if not store.all_sites(database):
            store.add(database, domain, now=int(time.time()))
        spammers = open_spammers(config.spam_referrers)
        kit = Kit(Directory(database), LogSalts(secret), places, Rate(0), secret, spammers)
        means = log_import.Means(database, kit, threading.Event().wait, progress.tell)
        return log_import.run(means, **options)


@cli.command("query")
@SITE
@click.argument("metrics", nargs=-1, required=True, metavar="METRIC...")
@click.option("--by", multiple=True, metavar="DIMENSION", help="Like source, page or time:day; may be repeated.")
@click.option(
    "--period",
    default="30d",
    show_default=True,
    help="A preset, any number of days like 90d, or two dates: 2026-01-01,2026-01-31.",
)
@click.option("--filter", "filters", multiple=True, help=f"Like {filter_syntax.HELP}. Several all hold.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, MOST_ROWS), help="Rows.")
@click.option("--format", "form", default="table", show_default=True, type=click.Choice(table.FORMATS))
@DATA_DIR
def query_command(data_dir: Path | None, **options: Any) -> None:
    """Ask what happened: visitors, visits, pageviews, bounce_rate and so on, in all or by something.

    \b
    query --site example.com visitors bounce_rate --by source --period 7d
    query --site example.com pageviews --by time:day --filter 'page=/blog/*'
    """
    click.echo(administer(read_config(data_dir=data_dir), "query", **options))


@cli.command("maintain")
@DATA_DIR
def maintain_command(data_dir: Path | None) -> None:
    """Do the day's work now: count daily usage, purge old heartbeats, destroy old salts."""
    click.echo(administer(read_config(data_dir=data_dir), "maintain"))


@cli.command("verify")
@click.option("--repair", is_flag=True, help="Set right what can be; what is left is listed.")
@DATA_DIR
def verify_command(repair: bool, data_dir: Path | None) -> None:
    """Compare the columnar replica and every derived number with the raw rows; exit 1 and a list where they differ."""
    told = administer(read_config(data_dir=data_dir), "verify", repair=repair)
    click.echo(told)
    sys.exit(0 if verify.agrees(told) else 1)
