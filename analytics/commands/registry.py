"""The one list of all commands that administer, and how one of them is run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from analytics.commands import channel, embed, key, maintenance, query, rule, site, user, watch
from analytics.commands.command import Command, CommandContext
from analytics.storage.database import Database

COMMANDS: tuple[Command, ...] = (
    *site.COMMANDS,
    *user.COMMANDS,
    *key.COMMANDS,
    *embed.COMMANDS,
    *rule.COMMANDS,
    *channel.COMMANDS,
    *watch.COMMANDS,
    *query.COMMANDS,
    *maintenance.COMMANDS,
)
"""Every command that administers: the command line, the control socket and the README are made from this list."""

BY_NAME: Mapping[str, Command] = {one.name: one for one in COMMANDS}


def run(database: Database, address: str, name: str, options: dict[str, Any], **fields: Any) -> str:
    """Runs a command and returns its text; `InvalidInput` for wrong input. `fields` are further ones of the context."""
    return BY_NAME[name].run(CommandContext(database, address, int(time.time()), **fields), **options)
