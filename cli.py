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
    """Runs a command in the running server, which then knows at once, else here; long ones say how far they are.

    `NoData` where there is neither a server nor data: a command makes none.
    """
    with closing(Progress(sys.stdout)) as progress:
        with suppress(NoServer):
            return ask(config.data_dir, command, options, progress.show)
        check_there(config, directory=command == "verify")
        with closing(Database(config)) as database, closing(Columnar(database, config)) as columnar:
            days, window_s = config.heartbeat_retention_days, config.active_window_s
            means = {"retention_days": days, "report": progress.show, "columnar": columnar, "window_s": window_s}
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
    """Puts an administering command into the tree, below its group where its name has two words."""

    def run(data_dir: Path | None, **options: Any) -> None:
        told = administer(read_config(data_dir=data_dir), one.name, **options)
        click.echo(told)
        if one.failed(told):
            sys.exit(1)

    group, _, name = one.name.rpartition(" ")
    if group and group not in cli.commands:
        cli.add_command(click.Group(group, help=GROUPS[group]))
    parent = cli.commands[group] if group else cli
    assert isinstance(parent, click.Group)
    made = click.Command(name, callback=run, params=list(one.params), help=one.help)
    parent.add_command(DATA_DIR(made))


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
        told = _imported_by_server(config, options, progress) or _imported_here(config, options, progress)
    click.echo(told)


def _imported_by_server(config: Config, options: dict[str, Any], progress: Progress) -> str:
    """What the running server says of it, "" where none runs."""
    with suppress(NoServer):
        return ask(config.data_dir, log_import.COMMAND, options, progress.show)
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
        means = log_import.ImportContext(database, kit, threading.Event().wait, progress.show)
        return log_import.run(means, **options)
