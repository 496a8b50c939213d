"""Forms: labelled fields with their errors, and a button with the result of sending.

`assets/lib/form.js` sends the values of a form to the callback of the form's name and shows the answer. A name is
either a form's (`general`) or a field's within a form (`timezone`); element ids join the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.base.words import _
from layouts.components.markup import aria, data, icon

Choices = Sequence[tuple[str, str]]  # value, and what people read


def translated(marked: Choices) -> Choices:
    """The choices of a constant, marked by `N_`, in the reader's language."""
    return [(value, _(shown)) for value, shown in marked]


def translated_with(marked: Choices, value: str) -> Choices:
    """The same; behind them the value itself where it is none of them, since a program may have set it."""
    found = translated(marked)
    return found if value in dict(found) else [*found, (value, value)]


def connection(name: str, domain: str = "") -> Component:
    """What connects all forms of that name with their callback, once on a page: the values to send, the answer, and
    the site.
    """
    sent = dcc.Store(id=f"{name}-sent")
    return html.Div(sent, id=f"{name}-answer", hidden=True, **data(connection=name, site=domain))


def card(
    name: str,
    title: str,
    fields: Sequence[Component],
    *,
    domain: str = "",
    intro: Any = None,
    save: str = "",
    once: str = "",
    previews: bool = False,
) -> html.Section:
    """One card with one form and its connection.

    `intro` is a sentence under the title, `save` the word on the button, by default "Save". `once` is the id of the
    element for a secret that an answer shows once. `previews`: a callback gets the fields also while people write,
    for the element NAME-preview.
    """
    head = [html.H2(title), *([html.P(intro, className="ff-soft")] if intro else [])]
    options = data(previews="") if previews else {}
    inner = form(name, [html.Header(head), *fields, actions(save)], className="ff-form", **options)
    draft = [dcc.Store(id=f"{name}-draft")] if previews else []
    rest = [connection(name, domain), *draft, *([shown_once(once)] if once else [])]
    return html.Section([inner, *rest], className="ff-card")


def form(name: str, inner: Sequence[Component], *, key: str = "", **options: Any) -> html.Form:
    """A form without a card, such as one per row of a table. `key` identifies the row and is sent with the fields."""
    named: dict[str, Any] = {"data-form": name, "data-key": key}
    element = f"{name}-{key}".replace(".", ":") if key else name  # Dash allows no dot in an id
    return html.Form(list(inner), id=element, noValidate=True, **named, **options)


def actions(save: str = "", *, kind: str = "ff-btn-primary", disabled: bool = False) -> html.Div:
    """The button, and the line for its result."""
    button = html.Button(save or _("Save"), type="submit", className=f"ff-btn {kind}", disabled=disabled)
    return html.Div([button, html.Span(className="ff-form-state", role="status")], className="ff-form-end")


def state(name: str) -> html.Span:
    """One line for the results of all forms in the rows of a table; once on a page."""
    return html.Span(className="ff-form-state", role="status", **data(state_of=name))


def confirm_button(label: str, lost: str, *, value: str = "") -> html.Button:
    """A button that sends its form after a confirmation. `lost` says what is lost; `value` is sent with the fields."""
    return html.Button(label, type="submit", className="ff-btn", **data(confirm=lost, value=value))


def text(
    name: str, field: str, label: str, value: str = "", *, hint: Any = "", kind: str = "text", **options: Any
) -> html.Div:
    """A field of one line; `kind` as browsers name it: text, email, password. Further options are `dbc.Input`'s."""
    control = dbc.Input(id=f"{name}-{field}", name=field, type=kind, value=value, **options)
    return _field(name, field, label, control, hint)


def lines(name: str, field: str, label: str, entries: Iterable[str], *, hint: Any = "", rows: int = 4) -> html.Div:
    """A field of several entries, one per line."""
    control = dbc.Textarea(id=f"{name}-{field}", name=field, value="\n".join(entries), rows=rows)
    return _field(name, field, label, control, hint)


def select(
    name: str, field: str, label: str, value: str, choices: Choices | Mapping[str, Choices], *, hint: Any = ""
) -> html.Div:
    """A choice of one; `choices` may come in groups by their heading."""
    inner: list[Any]
    if isinstance(choices, Mapping):
        inner = [html.Optgroup(_options(some, value), label=group) for group, some in choices.items()]
    else:
        inner = _options(choices, value)
    control = html.Select(inner, id=f"{name}-{field}", name=field, className="form-select")
    return _field(name, field, label, control, hint)


def switch(name: str, field: str, label: str, on: bool, *, hint: Any = "") -> html.Div:
    """On or off; sent as "on", or not at all."""
    control = dbc.Switch(id=f"{name}-{field}", name=field, label=label, value=on)
    return html.Div([control, _note(name, field, hint)], className="ff-field")


def group(name: str, field: str, label: str, controls: Sequence[Component], *, hint: Any = "") -> html.Fieldset:
    """A field of several controls, each with a name and a label of its own."""
    row = html.Div(list(controls), className="ff-group")
    return html.Fieldset(
        [html.Legend(label, className="form-label"), row, _note(name, field, hint)],
        id=f"{name}-{field}",
        className="ff-field",
    )


def small_select(form_name: str, field: str, key: str, label: str, value: str, choices: Choices) -> html.Select:
    """A choice in a row of a table: its label is for screen readers. A change is sent immediately."""
    return html.Select(
        _options(choices, value),
        id=f"{form_name}-{key}-{field}",
        name=field,
        className="form-select",
        **aria(label=label),
        **data(sends="change"),
    )


def danger(name: str, domain: str, title: str, words: str, button: str) -> html.Section:
    """A card for an action that cannot be undone. Its button works once the site's domain is typed."""
    shown = to_letters(domain)
    field = text(name, "typed", _("Type {domain} to go on", domain=shown), autocomplete="off")
    end = actions(button, kind="ff-btn-danger", disabled=True)
    head = html.Header([html.H2(title), html.P(words, className="ff-soft")])
    inner = form(name, [head, field, end], className="ff-form", **data(typed=shown))
    return html.Section([inner, connection(name, domain)], className="ff-card is-danger")


def shown_once(element: str) -> html.Div:
    """The place for the secret in an answer, with a button that copies it; hidden until the answer comes."""
    copy = html.Button(
        [icon("copy"), html.Span(_("Copy"))],
        type="button",
        className="ff-btn ff-btn-primary",
        **data(copy=f"#{element}"),
    )
    code = html.Div([html.Pre(html.Code(id=element)), copy], className="ff-code")
    return html.Div([html.P(_("Copy it now: it is shown this once.")), code], className="ff-once", hidden=True)


def _field(name: str, field: str, label: str, control: Component, hint: Any) -> html.Div:
    title = dbc.Label(label, html_for=f"{name}-{field}")
    return html.Div([title, control, _note(name, field, hint)], className="ff-field", spellCheck="false")


def _note(name: str, field: str, hint: Any) -> html.Div:
    """The hint; an error replaces it."""
    error = html.Div(dbc.FormFeedback(type="invalid", class_name="ff-wrong"), role="alert")
    inner = [dbc.FormText(hint, class_name="ff-hint"), error]
    return html.Div(inner, id=f"{name}-{field}-note", className="ff-field-note", **data(note=field))


def _options(choices: Choices, value: str) -> list[html.Option]:
    chosen: dict[str, Any] = {"selected": True}
    return [html.Option(shown, value=each, **(chosen if each == value else {})) for each, shown in choices]
