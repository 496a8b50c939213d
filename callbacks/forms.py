"""Forms: reads the values that a form sends, calls its function, and writes the answer for `assets/lib/form.js`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flask
from dash import Dash, Input, Output, State, no_update
from werkzeug.exceptions import BadRequest

from analytics.access.roles import ANYBODY
from analytics.base.errors import InvalidInput, message
from analytics.base.words import translated

LOOK_ONLY = message("This is a demo: everything can be looked at, and nothing is changed.")

Fields = Mapping[str, str]


class FormResult(NamedTuple):
    """The result of a form: `answer` as assets/lib/form.js describes it, and the new contents of the outputs."""

    answer: Mapping[str, Any] = {}
    redrawn: tuple[Any, ...] = ()


def on_send(
    app: Dash,
    name: str,
    do: Callable[[object, Fields], FormResult],
    *outputs: Output,
    refresh: Callable[[], None] = lambda: None,
) -> None:
    """Calls `do` with the domain of the form's page and the fields that the form `name` sends, then `refresh`.

    `do` must authorise first. The messages of an `InvalidInput` that it raises are shown at the fields that it names,
    else at the button. `refresh` reloads the sites, keys and cards in memory that the form changed. On a public
    dashboard nothing is called.
    """

    @app.callback(
        Output(f"{name}-answer", "data-answer"),
        *outputs,
        Input(f"{name}-sent", "data"),
        State(f"{name}-answer", "data-site"),
        prevent_initial_call=True,
        running=[(Output(f"{name}-answer", "aria-busy"), "true", "false")],
    )
    def sent(data: object, domain: object) -> Any:
        number, fields = _parsed(data)
        try:
            if flask.g.person is ANYBODY:
                raise InvalidInput(LOOK_ONLY)
            done = do(domain, fields)
            refresh()
        except InvalidInput as wrong:
            done = FormResult(_refusal(wrong), (no_update,) * len(outputs))
        answer = json.dumps({"number": number, **done.answer})
        return (answer, *done.redrawn) if outputs else answer


def on_edit(app: Dash, name: str, show: Callable[[object, Fields], Any]) -> None:
    """Shows what `show` returns in the element NAME-preview, again when people have changed a field of the form.

    It gets the domain of the form's page and the fields as they are, and must authorise first.
    """

    @app.callback(
        Output(f"{name}-preview", "children"),
        Input(f"{name}-draft", "data"),
        State(f"{name}-answer", "data-site"),
        prevent_initial_call=True,
    )
    def edited(data: object, domain: object) -> Any:
        return show(domain, _parsed(data)[1])


def _refusal(wrong: InvalidInput) -> dict[str, Any]:
    """The answer in the reader's language: an error for each wrong field, else one message."""
    fields = {name: translated(text) for name, text in wrong.fields.items()}
    return {"wrong": fields, "message": "" if fields else translated(str(wrong))}


def lines(text: str) -> list[str]:
    """The entries of a field with one entry per line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def number(fields: Fields, name: str) -> int:
    """The number of a row in a field; raises 400 for one that no row of a database can have."""
    text = fields.get(name, "")
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BadRequest("No form sends that.")
    return int(text)


def _parsed(data: object) -> tuple[int, dict[str, str]]:
    """The number of the request and the fields; raises 400 for data that no form of ours sends."""
    if isinstance(data, dict):
        number, fields = data.get("number"), data.get("fields")
        if isinstance(number, int) and isinstance(fields, dict) and all(map(_is_text, fields.values())):
            return number, fields
    raise BadRequest("No form sends that.")


def _is_text(value: object) -> bool:
    """Whether the value is a text that every database takes: PostgreSQL refuses NUL, which no browser's field holds."""
    return isinstance(value, str) and "\x00" not in value
