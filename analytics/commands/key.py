"""Keys of the API, for programs."""

from __future__ import annotations

import click

from analytics.access import api_keys
from analytics.base.program import command
from analytics.commands.command import Command, CommandContext, argument, day, domains, id_argument, option
from analytics.reports.formats import columns
from analytics.sites import store


def key_add(context: CommandContext, name: str, scope: str, site: str | None) -> str:
    """Adds an API key and returns nothing but the key, so that scripts can read it."""
    site_id = store.find(context.database, site).id if site else None
    return api_keys.add(context.database, name, scope, site_id, now=context.now)


def key_list(context: CommandContext) -> str:
    """Every API key, one a line."""
    by_id = domains(context)
    rows = [
        (
            str(key.id),
            key.name,
            key.scope,
            "every site" if key.site_id is None else by_id[key.site_id],
            day(key.created_at),
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


COMMANDS: tuple[Command, ...] = (
    Command(
        "key add",
        key_add,
        (
            argument("name"),
            option("--scope", required=True, type=click.Choice(["stats", "ingest", "admin"])),
            option("--site", metavar="DOMAIN", help="Only for this site. [default: every site]"),
        ),
        "Add an API key and print it, once.",
    ),
    Command("key list", key_list, help="List the API keys; what they open, but not the keys themselves."),
    Command(
        "key remove",
        key_remove,
        (id_argument("key_id"),),
        "Remove an API key; it is good for nothing within a second.",
    ),
    Command("key forget", key_forget),
)
