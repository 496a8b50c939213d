"""The line that says what is wrong in the address of a page, with a link that puts it right."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _, translated
from layouts.components import states
from layouts.footfall_components.address_link import AddressLink
from layouts.footfall_components.site_list import WrongAddress


def place(id: str, wrong: Component | None = None) -> html.Div:  # noqa: A002  # as every component of Dash has it
    """Where the line stands, in a toolbar; empty while the address makes sense."""
    return html.Div(wrong, id=id, className="ff-wrong-address", disable_n_clicks=True)


def line(said: str, way: str, change: str) -> Component:
    """The line; `change` is what the link does with the address."""
    out = AddressLink(way, change=change, look="ff-link")
    return states.warning([f"{said} ", out])


def start_over(message: str) -> WrongAddress:
    """The words for an address of which nothing can be shown, from the message of an `InvalidInput`."""
    said = _("This address cannot be shown. {why}.", why=reason(message))
    return {"said": said, "way": _("Start over"), "change": "*"}


def reason(message: str) -> str:
    """The message of an `InvalidInput` as the beginning of a sentence, in the reader's language."""
    text = translated(message)
    return f"{text[:1].upper()}{text[1:]}"


def left_out(message: str, change: str) -> WrongAddress:
    """The words for a part of the address that the page ignores; `change` removes it."""
    said = _("A part of this address is left out. {why}.", why=reason(message))
    return {"said": said, "way": _("Remove it"), "change": change}
