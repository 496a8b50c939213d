"""The commands that import history, a row each: the command line, the control socket and the README are made from them.

Their functions get an `ImportContext`, where those of `analytics/commands` get a `CommandContext`.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from analytics.commands.command import Command
from collector.imports import log_import
from collector.imports.log_formats import NAMES

SITE = click.Option(["--site"], required=True, metavar="DOMAIN", help="The site, as added.")
LOG_FORMAT = click.Option(
    ["--format", "form"],
    default="",
    metavar="NAME",
    help=f"The log's format: {', '.join(NAMES)}. [default: recognised]",
)
LOG_ZONE = click.Option(
    ["--timezone"], default="UTC", show_default=True, metavar="Area/City", help="Of times without one, as HAProxy's."
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "import access-log",
        log_import.run,
        (
            click.Argument(
                ["files"],
                nargs=-1,
                required=True,
                metavar="FILE...",
                type=click.Path(exists=True, dir_okay=False, resolve_path=True),
            ),
            SITE,
            click.Option(["--follow"], is_flag=True, help="Go on with what is appended, until Ctrl-C."),
            LOG_FORMAT,
            LOG_ZONE,
        ),
        """Import web-server logs (.gz too) at the log's own times; what is known is not doubled.

    --follow goes on with what is appended. The format is recognised unless it is named.
    """,
    ),
)
"""Every import. Each has `SITE` among its options: without a server the first import adds that site."""

BY_NAME: Mapping[str, Command] = {one.name: one for one in COMMANDS}
