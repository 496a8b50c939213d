"""The form of the dry run, and the verdict of each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base import countries
from layouts.components import form, states
from layouts.components.markup import aria, data, icon
from layouts.pages.outcomes import words

FORM, RESULT = "trial", "trial-result"

STEPS = {
    "read_hit": "Page address",
    "host_included": "Excluded hosts",
    "host_allowed": "Listed hosts",
    "not_opted_out": "Opt-out",
    "not_prefetched": "Fetched ahead",
    "not_a_robot": "Robots",
    "not_from_a_datacenter": "Data centres",
    "referrer_clean": "Referrer spam",
    "address_included": "Excluded addresses",
    "path_included": "Excluded paths",
    "within_rate": "Rate",
}
"""The labels of the steps, by the names of the steps' functions."""

SIGNS = {"passed": "check", "stopped": "x", "not reached": "more"}


class StepVerdict(NamedTuple):
    """The verdict of one step; see `collector.ingest.dry_run.Verdict`."""

    step: str
    state: str
    reason: str
    name: str


def cards(domain: str, agent: str, address: str) -> list[Component]:
    """The form, and the place for its result. `agent` and `address` are the reader's own."""
    fields = [
        form.text(FORM, "url", "Page address", f"https://{domain}/", inputmode="url", maxlength=4096),
        form.text(FORM, "referrer", "Referrer", "", hint="The page that led here; empty for none.", maxlength=2000),
        form.text(
            FORM, "user_agent", "User agent", agent, hint="Your browser's own, until you change it.", maxlength=1024
        ),
        form.text(
            FORM, "address", "Address", address, hint="Your own. What stands here is kept nowhere.", maxlength=64
        ),
        form.switch(FORM, "opted_out", "Do Not Track or Global Privacy Control", False),
        form.switch(FORM, "datacenter", "Marked as a data centre's", False),
    ]
    head = html.Header(
        [
            html.H2("Try a pageview"),
            html.P("Goes through the real steps; nothing is stored or counted.", className="ff-soft"),
        ]
    )
    inner = form.form(FORM, [head, *fields, form.actions("Try it")], className="ff-form", **data(saying="Trying…"))
    question = html.Section([inner, form.channel(FORM, domain)], className="ff-card")
    empty = states.nothing("No verdict yet", "Each step's answer appears here, and what would be stored.", "filter")
    return [question, html.Section([empty], id=RESULT, className="ff-card", **aria(live="polite"))]


def result(steps: Sequence[StepVerdict], facts: Sequence[tuple[str, str]], *, stored: bool) -> list[Component]:
    """The verdicts in their order, and the facts that would be stored; those without a value are left out."""
    head = html.Header(html.H2(verdict(stored)), className="ff-card-head")
    shown = [row for name, value in facts if value for row in (html.Dt(name), html.Dd(html.Bdi(value)))]
    made = [html.H3("What is made of it"), html.Dl(shown, className="ff-facts")] if shown else []
    return [head, html.Ol([_step(one) for one in steps], className="ff-verdicts"), html.Div(made, className="ff-made")]


def _step(one: StepVerdict) -> Component:
    if one.state == "stopped":
        kind = "rejected" if one.step == "read_hit" else "filtered"
        label, advice = words(kind, one.reason)
        said = [html.B(label), *([html.Bdi(one.name)] if one.name else []), html.Span(advice, className="ff-window")]
    else:
        said = [html.Span(one.state.capitalize(), className="ff-window")]
    state = one.state.replace(" ", "-")
    return html.Li([icon(SIGNS[one.state]), html.Span(STEPS[one.step]), html.Span(said)], className=f"is-{state}")


def verdict(stored: bool) -> str:
    """The result of all steps in one sentence."""
    return "It would be stored" if stored else "It would be left out"


def country(code: str) -> str:
    """The name of a country, "" where it is not known."""
    return countries.name(code) if code else ""
