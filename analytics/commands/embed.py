"""Cards that other admin panels show in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from analytics.access import embeds
from analytics.base.idn import to_letters
from analytics.base.program import command
from analytics.commands.command import (
    SITE,
    Command,
    CommandContext,
    argument,
    domains,
    end,
    id_argument,
    option,
    seconds,
)
from analytics.reports.formats import columns
from analytics.sites import store


def iframe(address: str, domain: str, token: str, *, small: bool = False, link: bool = False) -> str:
    """The HTML line that shows the card of the token in another page. Its background is light in both themes.

    `small`: the frame is as low as the card's small shape; `link`: the site's name leads to the dashboard.
    """
    width, height = (260, 72) if small else (360, 260)
    shown = escape(to_letters(domain)).encode("ascii", "xmlcharrefreplace").decode()  # for pages in any encoding
    return (
        f'<iframe src="{escape(address)}/embed/live?token={token}{"&amp;link=1" if link else ""}" '
        f'title="Active now on {shown}" '
        f'width="{width}" height="{height}" style="border:0;color-scheme:light" loading="lazy"></iframe>'
    )


def embed_add(
    context: CommandContext,
    site: str,
    hosts: Sequence[str],
    expires: str,
    more_hosts: Sequence[str] = (),
    small: bool = False,
    link: bool = False,
) -> str:
    """Adds a card; the text is the `<iframe>` line to paste."""
    found = store.find(context.database, site)
    _, token = embeds.add(context.database, found.id, [*hosts, *more_hosts], seconds(expires), now=context.now)
    return iframe(context.address, found.domain, token, small=small, link=link)


def embed_list(context: CommandContext) -> str:
    """Every card, one a line."""
    by_id = domains(context)
    rows = [
        (
            str(embed.id),
            by_id.get(embed.site_id, "-"),
            " ".join(embed.hosts),
            end(embed.expires_at, context.now),
            embed.state(context.now),
        )
        for embed in embeds.all_embeds(context.database)
    ]
    names = "ID", "SITE", "HOSTS", "EXPIRES", "STATE"
    return columns(names, rows) or f"No card yet. {command('embed add --site DOMAIN --host HOST')} adds one."


def embed_revoke(context: CommandContext, embed_id: int) -> str:
    """Revokes the card with that id."""
    embeds.revoke(context.database, embed_id, now=context.now)
    return f"Card {embed_id} is off."


COMMANDS: tuple[Command, ...] = (
    Command(
        "embed add",
        embed_add,
        (
            SITE,
            option("--host", "hosts", required=True, multiple=True, metavar="PANEL_HOST", help="Who may frame it."),
            argument("more_hosts", nargs=-1, metavar="[PANEL_HOST]..."),
            option("--expires", default="365d", show_default=True, metavar="DURATION"),
            option("--small", is_flag=True, help="A frame of 260 x 72 for the small shape."),
            option("--link", is_flag=True, help="The site's name leads to the dashboard."),
        ),
        "Add a card and print the <iframe> line to paste. It lives for so many minutes, hours, days or weeks, like "
        "30m, 12h, 30d or 4w.",
    ),
    Command("embed list", embed_list, help="List the cards."),
    Command(
        "embed revoke",
        embed_revoke,
        (id_argument("embed_id"),),
        "Switch a card off; it ends within a second.",
    ),
)
