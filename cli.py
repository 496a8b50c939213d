"""The command line's group, shared options and administrative commands, which run in the server or in this process."""

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
from analytics.base.config import Config, read_config, secret_of
from analytics.replica.columnar import Columnar
from analytics.sites import site as sites_site
from analytics.sites import store
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
    """Runs a command in the running server, so that the change takes effect at once; without a server in this process.

    Shows the progress of long commands. Raises `NoData` if there is neither a server nor data: it creates no data.
    """
    with closing(Progress(sys.stdout)) as progress:
        with suppress(NoServer):
            return ask(config.data_dir, command, options, progress.show)
        check_there(config, directory=command == "verify")
        with closing(Database(config)) as database, closing(Columnar(database, config)) as columnar:
            days, window_s = config.heartbeat_retention_days, config.active_window_s
            context = {"retention_days": days, "report": progress.show, "columnar": columnar, "window_s": window_s}
            if command == "setup-link":
                context["secret"] = secret_of(config)
            address = config.base_url or "http://127.0.0.1:8050"
            return commands.run(database, address, command, options, **context)


class _Commands(click.Group):
    """The group of all commands; without a command it runs `serve`."""

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
LOG_FORMAT = click.option(
    "--format", "form", default="", metavar="NAME", help=f"The log's format: {', '.join(NAMES)}. [default: recognised]"
)
LOG_ZONE = click.option(
    "--timezone", default="UTC", show_default=True, metavar="Area/City", help="Of times without one, as HAProxy's."
)
GROUPS = {
    "site": "Sites: what is measured.",
    "user": "People who may sign in.",
    "key": "Keys for programs.",
    "embed": "Cards for other admin panels.",
}


def _add(one: commands.Command) -> None:
    """Adds an administrative command to the tree; if its name has two words, to the group of the first word."""

    def run(data_dir: Path | None, **options: Any) -> None:
        output = administer(read_config(data_dir=data_dir), one.name, **options)
        click.echo(output)
        if one.failed(output):
            sys.exit(1)

    group, _, name = one.name.rpartition(" ")
    if group and group not in cli.commands:
        cli.add_command(click.Group(group, help=GROUPS[group]))
    parent = cli.commands[group] if group else cli
    assert isinstance(parent, click.Group)
    command = click.Command(name, callback=run, params=list(one.params), help=one.help)
    parent.add_command(DATA_DIR(command))


for _one in commands.COMMANDS:
    if _one.help:
        _add(_one)


@cli.group("import")
def import_group() -> None:
    """What happened before, into history."""


@import_group.command("access-log")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
)
@SITE
@click.option("--follow", is_flag=True, help="Go on with what is appended, until Ctrl-C.")
@LOG_FORMAT
@LOG_ZONE
@DATA_DIR
def import_access_log(data_dir: Path | None, **options: Any) -> None:
    """Import web-server logs (.gz too) at the log's own times; what is known is not doubled.

    --follow goes on with what is appended. The format is recognised unless it is named.
    """
    config = read_config(data_dir=data_dir)
    with closing(Progress(sys.stdout)) as progress:
        output = _import_in_server(config, options, progress) or _import_here(config, options, progress)
    click.echo(output)


def _import_in_server(config: Config, options: dict[str, Any], progress: Progress) -> str:
    """The summary of the import in the running server; "" if no server runs."""
    with suppress(NoServer):
        return ask(config.data_dir, log_import.COMMAND, options, progress.show)
    return ""


def _import_here(config: Config, options: dict[str, Any], progress: Progress) -> str:
    """The summary of an import in this process. Creates missing data, and the site if there are no sites."""
    domain = sites_site.normal_domain(options["site"])  # checked before anything is created
    secret = secret_of(config)
    with closing(Database(config)) as database, closing(places_of(config)) as places:
        if not store.all_sites(database):
            store.add(database, domain, now=int(time.time()))
        spammers = open_spammers(config.spam_referrers)
        kit = Kit(Directory(database), LogSalts(secret), places, Rate(0), secret, spammers)
        context = log_import.ImportContext(database, kit, threading.Event().wait, progress.show)
        return log_import.run(context, **options)
