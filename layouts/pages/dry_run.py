"""The form of the dry run, and the verdict of each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from layouts.components import figures, form, states
from layouts.components.markup import aria, data, icon
from layouts.pages.outcomes import words

FORM, RESULT = "trial", "trial-result"

STEPS = {
    "read_hit": N_("Page address"),
    "host_included": N_("Excluded hosts"),
    "host_allowed": N_("Listed hosts"),
    "not_opted_out": N_("Opt-out"),
    "not_prefetched": N_("Fetched ahead"),
    "not_a_robot": N_("Robots"),
    "not_from_a_datacenter": N_("Data centres"),
    "referrer_clean": N_("Referrer spam"),
    "address_included": N_("Excluded addresses"),
    "path_included": N_("Excluded paths"),
    "within_rate": N_("Rate"),
}
"""The labels of the steps, by the names of the steps' functions."""

SAID = {"passed": N_("Passed"), "not reached": N_("Not reached")}
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
        form.text(FORM, "url", _("Page address"), f"https://{domain}/", inputmode="url", maxlength=4096),
        form.text(
            FORM, "referrer", _("Referrer"), "", hint=_("The page that led here; empty for none."), maxlength=2000
        ),
        form.text(
            FORM,
            "user_agent",
            _("User agent"),
            agent,
            hint=_("Your browser's own, until you change it."),
            maxlength=1024,
        ),
        form.text(
            FORM, "address", _("Address"), address, hint=_("Your own. What stands here is kept nowhere."), maxlength=64
        ),
        form.switch(FORM, "opted_out", _("Do Not Track or Global Privacy Control"), False),
        form.switch(FORM, "datacenter", _("Marked as a data centre's"), False),
    ]
    head = html.Header(
        [
            html.H2(_("Try a pageview")),
            html.P(_("Goes through the real steps; nothing is stored or counted."), className="ff-soft"),
        ]
    )
    inner = form.form(
        FORM, [head, *fields, form.actions(_("Try it"))], className="ff-form", **data(saying=_("Trying…"))
    )
    question = html.Section([inner, form.connection(FORM, domain)], className="ff-card")
    empty = states.nothing(
        _("No verdict yet"), _("Each step's answer appears here, and what would be stored."), "filter"
    )
    return [question, html.Section([empty], id=RESULT, className="ff-card", **aria(live="polite"))]


def result(steps: Sequence[StepVerdict], facts: Sequence[tuple[str, str]], *, stored: bool) -> list[Component]:
    """The verdicts in their order, and the facts that would be stored; those without a value are left out."""
    head = html.Header(html.H2(verdict(stored)), className="ff-card-head")
    shown = [row for name, value in facts if value for row in (html.Dt(name), html.Dd(html.Bdi(value)))]
    made = [html.H3(_("What is made of it")), html.Dl(shown, className="ff-facts")] if shown else []
    return [head, html.Ol([_step(one) for one in steps], className="ff-verdicts"), html.Div(made, className="ff-made")]


def _step(one: StepVerdict) -> Component:
    if one.state == "stopped":
        kind = "rejected" if one.step == "read_hit" else "filtered"
        label, advice = words(kind, one.reason)
        said = [html.B(label), *([html.Bdi(one.name)] if one.name else []), html.Span(advice, className="ff-window")]
    else:
        said = [html.Span(_(SAID[one.state]), className="ff-window")]
    state = one.state.replace(" ", "-")
    return html.Li([icon(SIGNS[one.state]), html.Span(_(STEPS[one.step])), html.Span(said)], className=f"is-{state}")


def verdict(stored: bool) -> str:
    """The result of all steps in one sentence."""
    return _("It would be stored") if stored else _("It would be left out")


def country(code: str) -> str:
    """The name of a country, "" where it is not known."""
    return figures.country(code) if code else ""
