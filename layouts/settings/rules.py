"""Settings, Rules: when to notify, whom, and what to say. The list, what came of a test, examples, and the forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _, ngettext
from analytics.notify.audience import Audience
from analytics.notify.channel import NotificationChannel
from analytics.notify.event_fields import as_text
from analytics.notify.examples import EXAMPLES, RuleExample
from analytics.notify.kinds.kind import AlertWhen, EventWhen, When
from analytics.notify.rule import Priority, Rule
from analytics.notify.rule_budget import UncheckedEvents
from analytics.notify.rule_json import RuleInput
from analytics.notify.snooze import WAKE
from analytics.notify.template import NotificationText
from analytics.notify.trial import AlertTrial, EventTrial, MetricTrial, Trial
from layouts.components import figures, form, states
from layouts.components.address import at
from layouts.components.markup import aria, data, icon
from layouts.components.table import table
from layouts.settings import rule_form, rule_snooze
from layouts.settings.rule_form import RuleDraft
from layouts.settings.rule_words import PRIORITIES, sentence

SWITCH, REMOVE, TEST, SEND, SNOOZE = WAYS = "rule-switch", "rule-remove", "rule-test", "rule-send", rule_snooze.SNOOZE
LIST, TESTED = "rules", "rule-tested"


FORMS = {
    rule_form.ON_EVENT: rule_form.of_event,
    rule_form.ON_METRIC: rule_form.of_metric,
    rule_form.ON_ALERT: rule_form.of_alert,
}
SIGNS = {rule_form.ON_EVENT: "zap", rule_form.ON_METRIC: "activity", rule_form.ON_ALERT: "alert"}


class ListedRule(NamedTuple):
    """A rule, the names of its channels, how it stands (""; for metric rules one of `STANDINGS`), and until when it is
    snoozed ("": it is not).
    """

    rule: Rule
    channels: Sequence[str] = ()
    standing: str = ""
    snoozed: str = ""


STANDINGS = {
    "normal": N_("Normal"),
    "pending": N_("Pending"),
    "firing": N_("Firing"),
    "recovering": N_("Recovering"),
    "no_data": N_("No data"),
    "error": N_("Error"),
}
LOOKS = {"firing": "is-bad", "error": "is-bad", "pending": "is-demo", "recovering": "is-demo", "normal": "is-ok"}


class RulesPage(NamedTuple):
    """What the page shows: the rules, the channels of the site, what a form begins with, the previews of forms, the
    site's zone, the events that no rule has checked of late, and the card that snoozes the rule of a message.
    """

    domain: str
    rows: Sequence[ListedRule]
    channels: Sequence[NotificationChannel]
    draft: RuleDraft
    previews: dict[str, list[Component]]
    zone: tzinfo
    unchecked: UncheckedEvents | None = None
    snooze: Component | None = None


def cards(page: RulesPage) -> list[Component]:
    """The list with its channels, the examples and the forms; a draft comes first, and alone, and so does a snooze."""
    whole = _list(page)
    if page.snooze:
        return [page.snooze, whole]
    if page.draft.rule:
        return [_form(page, _form_of(page.draft.rule.when)), whole]
    return [whole, _examples(page.domain), *(_form(page, name) for name in FORMS)]


def _form_of(when: When) -> str:
    """The name of the form in which such a rule is changed."""
    if isinstance(when, EventWhen):
        return rule_form.ON_EVENT
    return rule_form.ON_ALERT if isinstance(when, AlertWhen) else rule_form.ON_METRIC


def _form(page: RulesPage, name: str) -> Component:
    return FORMS[name](page.domain, page.channels, page.draft, page.previews[name])


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(page: RulesPage) -> Component:
    head = html.Header([html.H2(_("Rules")), *map(form.state, WAYS)], className="ff-card-head")
    ways = [form.connection(name, page.domain) for name in WAYS]
    tested = html.Div(id=TESTED, **aria(live="polite"))
    warnings = [_unchecked(page.unchecked, page.zone)] if page.unchecked else []
    return html.Section([head, *warnings, html.Div(lists(page.rows), id=LIST), tested, *ways], className="ff-card")


def _unchecked(found: UncheckedEvents, zone: tzinfo) -> Component:
    said = ngettext(
        "The rules of this site take too long: {n} event since {time} was stored and counted, but no rule checked it. "
        "Fewer rules, simpler conditions or longer groups help.",
        "The rules of this site take too long: {n} events since {time} were stored and counted, but no rule checked "
        "them. Fewer rules, simpler conditions or longer groups help.",
        found.events,
        n=figures.count(found.events),
        time=figures.moment(found.since, zone),
    )
    return states.warning(said)


def lists(rows: Sequence[ListedRule]) -> list[Component]:
    """The table, or words where there is no rule."""
    if not rows:
        return [states.nothing(_("No rule yet"), _("A rule tells you when something happens or stops."), "bell")]
    return [table((_("Rule"), _("Tells"), ""), [_row(row) for row in rows])]


def _row(row: ListedRule) -> html.Tr:
    rule = row.rule
    name = html.Div([html.B(html.Bdi(rule.name)), _standing(row)], className="ff-rule-name")
    why = [html.Small(html.Bdi(_("It failed: {why}", why=rule.wrong)), className="ff-rule-wrong")] if rule.wrong else []
    about = html.Div([name, html.Small(html.Bdi(sentence(rule.when)), className="ff-soft"), *why], className="ff-stack")
    in_the_app = _("In the app, to admins") if rule.notify.audience is Audience.ADMINS else _("In the app")
    channels = ", ".join([in_the_app, *row.channels])
    tells = html.Div([_(PRIORITIES[rule.notify.priority]), html.Small(html.Bdi(channels))], className="ff-stack")
    cells: list[Any] = [about, tells, html.Div(_ways(row), className="ff-row-ways")]
    return html.Tr([html.Td(cell) for cell in cells], id=f"rule-{rule.id}", className="ff-rule")


def _ways(row: ListedRule) -> list[Component]:
    rule = row.rule
    lost = _("Remove the rule {name}? Its notifications stay.", name=rule.name)
    key, of = str(rule.id), html.Span(rule.name, className="ff-vh")
    on = _("Switch off") if rule.enabled else _("Switch on")
    test = html.Button([_("Test"), " ", of], type="submit", className="ff-btn")
    switch = html.Button([on, " ", of], type="submit", className="ff-btn")
    wake = html.Button([_("End the snooze"), " ", of], type="submit", className="ff-btn", **data(value=WAKE))
    return [
        *([form.form(SNOOZE, [wake], key=key)] if row.snoozed else []),
        form.form(TEST, [test], key=key, **data(saying=_("Testing…"))),
        form.form(SWITCH, [switch], key=key),
        html.A([_("Edit"), " ", of], href=f"?rule={rule.id}", className="ff-btn"),
        form.form(REMOVE, [form.confirm_button(_("Remove"), lost)], key=key),
    ]


def _standing(row: ListedRule) -> Component:
    if row.rule.wrong or not row.rule.enabled:
        return html.Span(_("Off"), className="ff-badge is-bad" if row.rule.wrong else "ff-badge")
    if row.standing:
        return html.Span(_(STANDINGS[row.standing]), className=f"ff-badge {LOOKS.get(row.standing, '')}".strip())
    if row.snoozed:
        return html.Span(_("Snoozed until {time}", time=row.snoozed), className="ff-badge is-demo")
    return html.Span(_("On"), className="ff-badge is-ok")


# ── examples ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _examples(domain: str) -> Component:
    head = html.Header(
        html.Div([html.H2(_("From an example")), html.P(_("Nothing is saved before you do."), className="ff-soft")]),
        className="ff-card-head",
    )
    rows = [_example(domain, name, one) for name, one in EXAMPLES.items()]
    return html.Section([head, html.Ul(rows, className="ff-rule-examples")], className="ff-card", id="rule-examples")


def _example(domain: str, name: str, one: RuleExample) -> html.Li:
    sign = SIGNS[_form_of(one.rule.when)]
    link = html.A(_(one.rule.name), href=at(f"/settings/{domain}/rules?example={name}"))
    text = html.Div([html.B(link), html.P(_(one.why))], className="ff-notice-text")
    return html.Li([html.Span(icon(sign), className="ff-notice-i"), text])


def example(name: str) -> RuleInput | None:
    """The example of that name with its texts in the reader's language; None if there is none."""
    if name not in EXAMPLES:
        return None
    rule = EXAMPLES[name].rule
    said = rule.notify
    texts = said._replace(
        title=_(said.title),
        message=_(said.message) if said.message else "",  # gettext answers "" with the head of its catalogue
        link_label=_(said.link_label) if said.link_label else "",
    )
    return rule._replace(name=_(rule.name), notify=texts)


# ── previews and tests ───────────────────────────────────────────────────────────────────────────────────────────────


def preview(trial: Trial, priority: Priority, zone: tzinfo) -> list[Component]:
    """What the rule would say, and of what."""
    return [_said(trial.text, priority), html.P(_spoken_of(trial, zone), className="ff-field-note")]


def no_preview(why: str) -> list[Component]:
    """In the place of a preview: why there is none."""
    return [html.P(why, className="ff-soft")]


def _said(text: NotificationText, priority: Priority) -> Component:
    sign = html.Span(icon("bell"), className=f"ff-notice-i is-{priority}")
    lines: list[Any] = [html.B(html.Bdi(text.title))]
    lines += [html.P(html.Bdi(text.message))] if text.message else []
    label = text.link_label or _("Look")
    lines += [html.Small(html.Bdi(f"{label} → {text.link}"))] if text.link else []
    inner = html.Div([sign, html.Div(lines, className="ff-notice-text")], className="ff-toast-in")
    return html.Div(inner, className=f"ff-said is-{priority}")


def _spoken_of(trial: Trial, zone: tzinfo) -> str:
    if isinstance(trial, MetricTrial):
        value = as_text(trial.value)
        return _("It is {value} now.", value=value) if value else _("There is no data now.")
    is_event = isinstance(trial, EventTrial)
    if trial.at is None and is_event:
        return _("None of the newest events matches, so this one is invented.")
    if trial.at is None:
        return _("None of the newest alerts matches, so this one is invented.")
    time = figures.moment(trial.at, zone)
    if is_event:
        return _("The newest event that matches, of {time}.", time=time)
    return _("The newest alert that matches, of {time}.", time=time)


class SentTest(NamedTuple):
    """A channel that got a test, whether it took it, and what it answered."""

    channel: str
    is_sent: bool
    answer: str


def trial_result(
    rule: Rule, trial: Trial, zone: tzinfo, channels: Sequence[str], sent: Sequence[SentTest] = ()
) -> list[Component]:
    """What came of a test of the rule; with channels, a way to send it there; and what was sent."""
    parts: list[Any] = [
        html.H3(_("Test of {name}", name=rule.name)),
        html.P(_result(trial)),
        _said(trial.text, rule.notify.priority),
        html.P(_spoken_of(trial, zone), className="ff-soft") if not isinstance(trial, MetricTrial) else None,
        _send(rule, channels),
        html.Ul(list(map(_sent, sent)), className="ff-rule-sent") if sent else None,
    ]
    found = [part for part in parts if part]
    return [html.Article(found, id=result_id(rule.id), tabIndex=-1, className="ff-rule-test")]


def result_id(rule_id: int) -> str:
    """The id of the result of a rule's test, which gets the focus so that it is seen and read out."""
    return f"{TESTED}-{rule_id}"


def _result(trial: Trial) -> str:
    if isinstance(trial, EventTrial):
        n, tried = trial.matching, figures.count(trial.tried)
        return ngettext(
            "It would have told of {n} event among the newest {tried}.",
            "It would have told of {n} events among the newest {tried}.",
            n,
            n=figures.count(n),
            tried=tried,
        )
    if isinstance(trial, AlertTrial):
        n, tried = trial.matching, figures.count(trial.tried)
        return ngettext(
            "It would have told of {n} alert among the newest {tried}.",
            "It would have told of {n} alerts among the newest {tried}.",
            n,
            n=figures.count(n),
            tried=tried,
        )
    if trial.value is None:
        return _("There is no data now.")
    value = as_text(trial.value)
    if trial.is_breached:
        return _("It is {value} now: beyond the line. If it stays so, the rule tells.", value=value)
    return _("It is {value} now: the rule has nothing to tell.", value=value)


def _send(rule: Rule, channels: Sequence[str]) -> Component:
    if not channels:
        return html.P(_("The rule has no channel: it tells in the app only."), className="ff-soft")
    words = _("Send it as a test to {channels}", channels=", ".join(channels))
    button = html.Button(words, type="submit", className="ff-btn ff-btn-primary")
    return form.form(SEND, [button], key=str(rule.id), **data(saying=_("Sending…")))


def _sent(one: SentTest) -> html.Li:
    look = "is-ok" if one.is_sent else "is-bad"
    badge = html.Span(_("Sent") if one.is_sent else _("Failed"), className=f"ff-badge {look}")
    return html.Li([badge, html.B(html.Bdi(one.channel)), html.Small(html.Bdi(one.answer))])
