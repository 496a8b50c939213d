"""Sites: what is measured, and the line that measures it."""

from __future__ import annotations

import sys
from html import escape
from typing import Any

import click

from analytics.activity import watches
from analytics.base.errors import InvalidInput
from analytics.base.program import command
from analytics.commands.command import Command, CommandContext, argument, networks, option
from analytics.notify import shipped
from analytics.reports.formats import columns
from analytics.sites import checks, store
from analytics.sites.site import normal_domain


def snippet(address: str, domain: str) -> str:
    """The HTML line that loads the script on a site's pages."""
    return f'<script defer src="{escape(address)}/js/footfall.js" data-site="{escape(domain)}"></script>'


def site_add(context: CommandContext, domain: str, name: str, timezone: str) -> str:
    """Adds a site and returns its snippet."""
    site = store.add(context.database, domain, name, timezone, now=context.now)
    shipped.add_missing(context.database, now=context.now)
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
    """Removes a site with all its data, and what its watches installed in other databases."""
    found = store.find(context.database, domain)
    is_meant = found.domain == normal_domain(domain)
    lines = watches.remove_of_site(context.database, found.id, networks(context)) if is_meant else []
    gone = store.remove(context.database, domain)
    return "\n".join([f"{gone.shown_domain} and all of its data are gone.", *lines])


def _confirmed(context: click.Context, _: click.Parameter, domain: str) -> str:
    """The domain; at a terminal it has to be typed twice."""
    question = f"All data of {domain} will be gone. Type the domain to go on"
    if sys.stdin.isatty() and click.prompt(question) != domain:
        raise InvalidInput("not removed: that was another name")
    return domain


COMMANDS: tuple[Command, ...] = (
    Command(
        "site add",
        site_add,
        (
            argument("domain"),
            option("--name", default="", help="How the dashboard calls it. [default: the domain]"),
            option("--timezone", default="UTC", show_default=True, metavar="Area/City"),
        ),
        "Add a site and print its snippet.",
    ),
    Command("site list", site_list, help="List the sites."),
    Command(
        "site set",
        site_set,
        (
            argument("domain"),
            option("--name"),
            option("--timezone", metavar="Area/City"),
            option("--week-start", type=click.Choice(checks.WEEKDAYS), help="The first day of the week."),
            option("--identity", type=click.Choice(checks.IDENTITIES)),
            option(
                "--retention-days", metavar="DAYS", help="How long heartbeats are kept; '' for the server's setting."
            ),
            option("--uuid", help="The website id that pages with Umami's script send, so that they need no change."),
            option(
                "--allow-host",
                "hosts",
                multiple=True,
                metavar="HOST",
                help="Pages of this host count too. Replaces the list.",
            ),
            option("--exclude-host", "excluded_hosts", multiple=True, metavar="HOST", help="And its subdomains."),
            option("--exclude-address", "excluded_addresses", multiple=True, metavar="CIDR"),
            option(
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
        (argument("domain", callback=_confirmed),),
        "Remove a site with all of its data.",
    ),
)
