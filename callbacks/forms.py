"""Forms: reads what one sends, calls its function, and puts the answer into words that `assets/lib/form.js` shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dash import Dash, Input, Output, State, no_update
from werkzeug.exceptions import BadRequest

from analytics.base.errors import InvalidInput

Fields = Mapping[str, str]


class Done(NamedTuple):
    """The result: `answer` as assets/lib/form.js describes it, and new contents of the outputs, in their order."""

    answer: Mapping[str, Any] = {}
    redrawn: tuple[Any, ...] = ()


def on_send(
    app: Dash,
    name: str,
    do: Callable[[object, Fields], Done],
    *outputs: Output,
    refresh: Callable[[], None] = lambda: None,
) -> None:
    """Calls `do` with the domain of the form's page and the fields that the form `name` sends, then `refresh`.

    `do` has to authorise first. The words of an `InvalidInput` that it raises are shown at the fields that it names,
    else at the button. `refresh` reads again what the form changed of the sites, keys and cards in memory.
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
            done = do(domain, fields)
            refresh()
        except InvalidInput as wrong:
            done = Done(
                {"wrong": wrong.fields, "message": "" if wrong.fields else str(wrong)}, (no_update,) * len(outputs)
            )
        answer = json.dumps({"number": number, **done.answer})
        return (answer, *done.redrawn) if outputs else answer


def lines(text: str) -> list[str]:
    """The entries of a field that holds one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def number(fields: Fields, name: str) -> int:
    """A row's number among the fields; 400 where it is none that a database could hold."""
    text = fields.get(name, "")
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BadRequest("No form sends that.")
    return int(text)


def _parsed(data: object) -> tuple[int, dict[str, str]]:
    """The number of the sending and the fields; 400 for what no form of ours sends."""
    if isinstance(data, dict):
        number, fields = data.get("number"), data.get("fields")
        if isinstance(number, int) and isinstance(fields, dict) and all(isinstance(v, str) for v in fields.values()):
            return number, fields
    raise BadRequest("No form sends that.")
