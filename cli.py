"""The command line's group, shared options and administrative commands, which run in the server or in this process."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from analytics.base.config import Config, read_config, secret_of
from analytics.commands import registry
from analytics.commands.command import Command
from analytics.notify.outbound.outside import outside_of
from analytics.replica.columnar import Columnar
from analytics.sites import site as sites_site
from analytics.sites import store
from analytics.sites.directory import Directory
from analytics.sites.salts import LogSalts
from analytics.storage.database import Database, check_there
from collector.control import NoServer, ask
from collector.imports import commands as imports
from collector.imports.context import ImportContext
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
            context |= {"outside": partial(outside_of, config), "sample_days": config.sample_retention_days}
            if command == "setup-link":
                context["secret"] = secret_of(config)
            address = config.base_url or "http://127.0.0.1:8050"
            return registry.run(database, address, command, options, **context)


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
GROUPS = {
    "site": "Sites: what is measured.",
    "user": "People who may sign in.",
    "key": "Keys for programs.",
    "embed": "Cards for other admin panels.",
    "rule": "Rules: when to notify.",
    "channel": "Channels: where notifications go.",
    "watch": "Tables of other databases whose changes become events.",
    "import": "What happened before, into history.",
}


def _add(one: Command, execute: Callable[..., str]) -> None:
    """Adds a command to the tree; if its name has two words, to the group of the first word.

    `execute` is called with the configuration, the command's name and its options, and returns what is printed.
    """

    def run(data_dir: Path | None, **options: Any) -> None:
        act = partial(execute, read_config(data_dir=data_dir), one.name)
        if one.preview:
            _show_first(act, one.preview, options)
        output = act(**options)
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


def _show_first(execute: Callable[..., str], preview: str, options: dict[str, Any]) -> None:
    """Prints what a command is about to do; on a terminal it ends here unless people agree."""
    has_agreed = options.pop("yes")
    if options[preview]:
        return
    click.echo(execute(**options | {preview: True}))
    if not has_agreed and sys.stdin.isatty():
        click.confirm("Continue?", abort=True)


def import_history(config: Config, command: str, /, **options: Any) -> str:
    """Runs an import in the running server, without a server in this process, and returns its summary.

    Shows the progress. In this process it creates missing data, and the site if there are no sites.
    """
    with closing(Progress(sys.stdout)) as progress:
        with suppress(NoServer):
            return ask(config.data_dir, command, options, progress.show)
        return _import_here(config, command, options, progress)


def _import_here(config: Config, command: str, options: dict[str, Any], progress: Progress) -> str:
    domain = sites_site.normal_domain(options["site"])  # checked before anything is created
    secret = secret_of(config)
    with closing(Database(config)) as database, closing(places_of(config)) as places:
        if not store.all_sites(database):
            store.add(database, domain, now=int(time.time()))
        spammers = open_spammers(config.spam_referrers)
        kit = Kit(Directory(database), LogSalts(secret), places, Rate(0), secret, spammers)
        days = config.heartbeat_retention_days
        context = ImportContext(database, kit, threading.Event().wait, progress.show, days)
        return imports.BY_NAME[command].run(context, **options)


for _one in registry.COMMANDS:
    if _one.help:
        _add(_one, administer)
for _one in imports.COMMANDS:
    _add(_one, import_history)
