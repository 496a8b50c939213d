"""The whole application in this process: browsers that are signed in, and calls of callbacks as they make them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from dash import Dash
from doorway import CHEAP, Browser

from analytics.access import accounts, passwords
from analytics.base.config import Config
from analytics.sites import store
from app import create_app, person_of
from collector.doors.wsgi import attach
from collector.service import Service

CALLS = "/_dash-update-component"
PASSWORD = "correct horse"
NOW = 1_795_000_000


def first_output(output: str) -> str:
    """The first output of a callback, whose key in Dash's map names all of them."""
    return output.strip(".").split("...")[0]


def _posted(
    name: str, prop: str, many: Mapping[str, Sequence[str]], values: Mapping[str, object] | None = None
) -> object:
    """A property as browsers send it: a list of them for ALL."""
    given = {} if values is None else {"value": values.get(prop)}
    if not name.startswith("{"):
        return {"id": name, "property": prop, **given}
    ((key, value),) = json.loads(name).items()
    if value != ["ALL"]:
        return {"id": {key: value}, "property": prop, **given}
    each = (values or {}).get(prop) or [None] * len(many.get(key, ()))
    return [
        {"id": {key: one}, "property": prop, **({"value": held} if values is not None else {})}
        for one, held in zip(many.get(key, ()), each, strict=True)
    ]


class House:
    """The app over a real service, with the collector's routes in front; `browsers` are the test's to fill."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.app: Dash = create_app(service)
        self.routes = service.routes(person_of(service))
        attach(self.app.server, self.routes)
        self.app.server.test_client_class = Browser
        self.browsers: dict[str, Browser] = {}
        self.app.server.test_client().get("/")  # Dash declares its callbacks at the first request

    def add_site(self, domain: str) -> int:
        """A new site; its number."""
        added = store.add(self.service.database, domain, now=NOW)
        self.service.refresh()
        return added.id

    def join(self, email: str, role: str, on: Sequence[int] = ()) -> Browser:
        """The browser of a new person, who has that role on these sites, by default on every site."""
        accounts.add_person(self.service.database, email, role, PASSWORD, now=NOW, sites=on)
        return self.sign_in(email)

    def sign_in(self, email: str, password: str = PASSWORD) -> Browser:
        """A browser in which they are signed in."""
        browser = self.app.server.test_client()
        assert browser.post("/sign-in", data={"email": email, "password": password}).status_code == 302
        return browser

    @property
    def served(self) -> dict[str, str]:
        """The callbacks that the server answers, by their first output; the others run in the browser alone."""
        known = self.app.callback_map.items()
        return {first_output(output): output for output, callback in known if "callback" in callback}

    def body(
        self, output: str, /, many: Mapping[str, Sequence[str]] | None = None, **values: object
    ) -> dict[str, object]:
        """What a browser sends to call the callback of that output; `values` by property, None for all others.

        `many` has the components that stand for ALL, by the name in their ids; a value of theirs is a list.
        """
        callback = self.app.callback_map[output]
        several = isinstance(callback["output"], list | tuple)
        outputs = [
            _posted(one.component_id_str(), one.component_property, many or {})
            for one in (callback["output"] if several else [callback["output"]])
        ]
        inputs, state = (
            [_posted(one["id"], one["property"], many or {}, values) for one in callback[kind]]
            for kind in ("inputs", "state")
        )
        first = callback["inputs"][0]
        changed = [f"{first['id']}.{first['property']}"]
        sent = {"output": output, "outputs": outputs if several else outputs[0], "inputs": inputs, "state": state}
        return sent | {"changedPropIds": changed}

    def call(
        self, browser: Browser, first_output: str, /, many: Mapping[str, Sequence[str]] | None = None, **values: object
    ) -> Any:
        """The answer to a call of that callback."""
        return browser.post(CALLS, json=self.body(self.served[first_output], many, **values))

    def send(self, browser: Browser, form: str, domain: str, /, **fields: str) -> dict[str, Any]:
        """The answer to the form of that name after it was sent, without its number."""
        data = {"number": 7, "fields": fields}
        answer = self.call(browser, f"{form}-answer.data-answer", **{"data": data, "data-site": domain})
        assert answer.status_code == 200, answer.text
        form_answer = json.loads(answer.json["response"][f"{form}-answer"]["data-answer"])
        assert form_answer.pop("number") == 7
        return form_answer

    def drawn(self, browser: Browser, path: str) -> str:
        """The page of an address as JSON."""
        return self.call(browser, "root.children", pathname=path).text


@contextmanager
def open_house(config: Config) -> Iterator[House]:
    """The application for the length of a block; passwords are hashed cheaply."""
    service = Service(config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP)
        try:
            yield House(service)
        finally:
            service.close()
