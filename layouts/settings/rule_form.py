"""The forms of a rule: for those that wait for an event, for those on a metric or on alerts, each with a preview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from analytics.notify.audience import Audience
from analytics.notify.channel import NotificationChannel
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.kinds.event import EventArrives
from analytics.notify.rule import DEFAULT_REPEAT_S, MAX_PER_MINUTE, Notify, Priority, Rule, Severity
from analytics.notify.rule_json import RuleInput
from layouts.components import form
from layouts.components.address import at
from layouts.components.markup import aria
from layouts.settings import conditions, metric_fields
from layouts.settings.rule_words import PRIORITIES, SEVERITIES

ON_EVENT, ON_METRIC, ON_ALERT = "rule-event", "rule-metric", "rule-alert"
AUDIENCES = (
    (Audience.EVERYBODY.value, N_("Everybody who sees the site")),
    (Audience.ADMINS.value, N_("Admins and owners of the site")),
)
GROUPS = (
    ("0", N_("Each event by itself")),
    ("300", N_("In groups of 5 minutes")),
    ("3600", N_("In groups of an hour")),
)

REPEATS = (
    ("0", N_("Never")),
    ("3600", N_("Each hour")),
    ("14400", N_("Each 4 hours")),
    ("86400", N_("Each day")),
)

EVENT_TITLE, METRIC_TITLE, ALERT_TITLE = "{name}: {value} {currency}", "{rule}: {value}", "{title}"
BLANK = {
    ON_EVENT: {"title": EVENT_TITLE, "priority": Priority.MEDIUM.value},
    ON_METRIC: {
        "metric": metric_fields.METRIC,
        "crossing": "above",
        "threshold": metric_fields.THRESHOLD,
        "minutes": metric_fields.MINUTES,
        "readings": metric_fields.READINGS,
        "title": METRIC_TITLE,
        "priority": Priority.HIGH.value,
        "severity": Severity.WARNING.value,
        "repeat": str(DEFAULT_REPEAT_S),
    },
    ON_ALERT: {"severity": Severity.CRITICAL.value, "title": ALERT_TITLE, "priority": Priority.HIGH.value},
}
"""What the fields of a form contain before people write into it; the others are empty."""
TEXTS = ("title", "threshold", "minutes", "readings")


def blank_texts(name: str) -> dict[str, str]:
    """The texts of a blank form by the ids of their fields."""
    return {f"{name}-{field}": text for field, text in BLANK[name].items() if field in TEXTS}


class RuleDraft(NamedTuple):
    """What a form begins with: a rule that is changed (its `id`), or one that is new (0), with the name of the example
    that it was made from. `samples` are the names of which the site has samples.
    """

    rule: RuleInput | Rule | None = None
    id: int = 0
    example: str = ""
    samples: Sequence[str] = ()


def of_event(domain: str, channels: Sequence[NotificationChannel], draft: RuleDraft, preview: Any) -> Component:
    """The form for a rule that waits for an event; `preview` is what it would say."""
    rule = draft.rule
    waited = rule.when if rule and isinstance(rule.when, EventArrives) else EventArrives("")
    said = rule.notify if rule else Notify(title=EVENT_TITLE, group_s=300)
    fields = [
        *_named(ON_EVENT, draft),
        form.text(ON_EVENT, "event", _("Event"), waited.name, hint=_("Its name, like Signup. Empty: any event.")),
        form.lines(
            ON_EVENT,
            "where",
            _("Only if"),
            map(conditions.written, waited.conditions),
            hint=_(
                "One condition a line, like value > 100, props.plan = Team or path contains /shop. "
                'A number in quotes is a text: props.sku = "123".'
            ),
            rows=2,
        ),
        *_said(
            ON_EVENT, said, _("Fields: {fields}", fields="{name} {value} {currency} {user_name} {path} {props.plan}")
        ),
        _previewed(ON_EVENT, preview),
        form.select(
            ON_EVENT,
            "group",
            _("Many at once"),
            str(said.group_s),
            form.translated_with(GROUPS, str(said.group_s)),
            hint=_("By themselves: at most {limit} a minute; the last one counts the rest.", limit=MAX_PER_MINUTE),
        ),
        _audience(ON_EVENT, said),
        _channels(ON_EVENT, channels, said),
    ]
    return _whole(ON_EVENT, _title(draft, _("When an event arrives")), fields, domain, draft)


def of_metric(domain: str, channels: Sequence[NotificationChannel], draft: RuleDraft, preview: Any) -> Component:
    """The form for a rule on a metric; `preview` is what it would say."""
    said = draft.rule.notify if draft.rule else Notify(title=METRIC_TITLE, priority=Priority.HIGH)
    fields = [
        *_named(ON_METRIC, draft),
        *metric_fields.crossing(ON_METRIC, draft.rule, draft.samples),
        *metric_fields.lasting(ON_METRIC, draft.rule),
        _severity(ON_METRIC, _("Severity"), said.severity),
        *_said(ON_METRIC, said, _("Fields: {fields}", fields="{rule} {metric} {value} {threshold} {site}")),
        _previewed(ON_METRIC, preview),
        form.select(
            ON_METRIC,
            "repeat",
            _("Say it again while it fires"),
            str(said.repeat_s),
            form.translated_with(REPEATS, str(said.repeat_s)),
            hint=_("In its channels."),
        ),
        _audience(ON_METRIC, said),
        _channels(ON_METRIC, channels, said),
    ]
    return _whole(ON_METRIC, _title(draft, _("When a metric crosses a line")), fields, domain, draft)


def of_alert(domain: str, channels: Sequence[NotificationChannel], draft: RuleDraft, preview: Any) -> Component:
    """The form for a rule on alerts; `preview` is what it would say."""
    rule = draft.rule
    least = rule.when.severity if rule and isinstance(rule.when, AlertBegins) else Severity.CRITICAL
    said = rule.notify if rule else Notify(title=ALERT_TITLE, priority=Priority.HIGH)
    fields = [
        *_named(ON_ALERT, draft),
        _severity(ON_ALERT, _("At least"), least),
        *_said(ON_ALERT, said, _("Fields: {fields}", fields="{title} {message} {severity} {value} {site} {rule}")),
        _previewed(ON_ALERT, preview),
        _audience(ON_ALERT, said),
        _channels(ON_ALERT, channels, said),
    ]
    return _whole(ON_ALERT, _title(draft, _("When an alert begins")), fields, domain, draft)


def _severity(name: str, label: str, chosen: Severity) -> Component:
    return form.select(
        name, "severity", label, chosen.value, [(one.value, _(text)) for one, text in SEVERITIES.items()]
    )


def _whole(name: str, title: str, fields: Sequence[Component], domain: str, draft: RuleDraft) -> Component:
    """The card; a form that changes a rule, or begins with an example, has a way back."""
    card = form.card(name, title, fields, domain=domain, save=_("Save rule"), previews=True)
    if draft.rule is None:
        return card
    back = html.A(_("Back to all rules"), href=at(f"/settings/{domain}/rules"), className="ff-link ff-rule-back")
    return html.Div([back, card], className="ff-rule-draft")


def _title(draft: RuleDraft, usual: str) -> str:
    if draft.id:
        return _("Change the rule")
    return _("A new rule, from an example") if draft.example else usual


def _named(name: str, draft: RuleDraft) -> list[Component]:
    return [
        dcc.Input(id=f"{name}-id", name="id", type="hidden", value=str(draft.id) if draft.id else ""),
        dcc.Input(id=f"{name}-example", name="example", type="hidden", value=draft.example),
        form.text(name, "name", _("Name"), draft.rule.name if draft.rule else "", autocomplete="off"),
    ]


def _said(name: str, said: Notify, hint: str) -> list[Component]:
    priorities = [(one.value, _(text)) for one, text in PRIORITIES.items()]
    return [
        form.select(name, "priority", _("Priority"), said.priority.value, priorities),
        form.text(name, "title", _("Title"), said.title, hint=hint, autocomplete="off"),
        form.text(name, "message", _("Message"), said.message, autocomplete="off"),
        form.text(name, "link", _("Link"), said.link, hint=_("An address; empty for none."), autocomplete="off"),
        form.text(name, "link_label", _("Words of the link"), said.link_label, autocomplete="off", maxlength=60),
    ]


def _previewed(name: str, preview: Any) -> Component:
    """The place of the preview, which follows what people write."""
    title = html.Div(_("It will read"), className="form-label", id=f"{name}-preview-title")
    shown = html.Div(preview, id=f"{name}-preview", role="group", **aria(labelledby=f"{name}-preview-title"))
    return html.Div([title, shown], className="ff-field ff-rule-preview")


def _audience(name: str, said: Notify) -> Component:
    hints = {
        ON_EVENT: _("In the app. Channels have readers of their own."),
        ON_METRIC: _("Of the notification, in the app. The alert itself is shown to everybody who sees the site."),
        ON_ALERT: _("In the app; of an alert whose rule is for admins, only they."),
    }
    return form.select(
        name,
        "audience",
        _("Who is told"),
        said.audience.value,
        form.translated(AUDIENCES),
        hint=hints[name],
    )


def _channels(name: str, channels: Sequence[NotificationChannel], said: Notify) -> Component:
    if not channels:
        return html.P(_("It is shown in the app. Channels take it outside."), className="ff-soft")
    boxes = [form.switch(name, f"channel-{one.id}", one.shown_name, one.id in said.channels) for one in channels]
    return html.Fieldset([html.Legend(_("Tell outside too"), className="form-label"), *boxes], className="ff-field")
