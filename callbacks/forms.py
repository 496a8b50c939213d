"""What a form sends: taken apart, handed to a function, and the answer put in words that `assets/lib/form.js` shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dash import Dash, Input, Output, State, no_update
from werkzeug.exceptions import BadRequest

from analytics.base.errors import InvalidInput
from collector.service import Service

Fields = Mapping[str, str]


class Done(NamedTuple):
    """The result: `told` as assets/lib/form.js describes it, and what is drawn again, in the order of the outputs."""

    told: Mapping[str, Any] = {}
    drawn: tuple[Any, ...] = ()


def on_send(app: Dash, service: Service, name: str, do: Callable[[object, Fields], Done], *drawn: Output) -> None:
    """Calls `do` with the domain of the form's page and with what the form `name` sends.

    `do` asks the guard first, whatever it does then. What it raises as `InvalidInput` stands beside the fields, or
    beside the button where it names none. Sites, keys and cards are read anew afterwards.
    """

    @app.callback(
        Output(f"{name}-answer", "data-answer"),
        *drawn,
        Input(f"{name}-sent", "data"),
        State(f"{name}-answer", "data-site"),
        prevent_initial_call=True,
        running=[(Output(f"{name}-answer", "aria-busy"), "true", "false")],
    )
    def sent(data: object, domain: object) -> Any:
        number, fields = _taken(data)
        try:
            done = do(domain, fields)
            service.refresh()
        except InvalidInput as wrong:
            done = Done(
                {"wrong": wrong.fields, "message": "" if wrong.fields else str(wrong)}, (no_update,) * len(drawn)
            )
        answer = json.dumps({"number": number, **done.told})
        return (answer, *done.drawn) if drawn else answer


def lines(text: str) -> list[str]:
    """The entries of a field that holds one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def number(fields: Fields, name: str) -> int:
    """A row's number among the fields; 400 where it is none that a database could hold."""
    text = fields.get(name, "")
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BadRequest("No form sends that.")
    return int(text)


def _taken(data: object) -> tuple[int, dict[str, str]]:
    """The number of the sending and the fields; 400 for what no form of ours sends."""
    if isinstance(data, dict):
        number, fields = data.get("number"), data.get("fields")
        if isinstance(number, int) and isinstance(fields, dict) and all(isinstance(v, str) for v in fields.values()):
            return number, fields
    raise BadRequest("No form sends that.")
