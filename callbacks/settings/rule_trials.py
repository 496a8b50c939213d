"""Settings, Rules: the preview of what a rule would say, the test of a rule, and the test that goes to its channels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.errors import InvalidInput
from analytics.base.words import _, ngettext, translated
from analytics.live.minutes import StillCounting
from analytics.notify import channels, rule_json, rules
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound import sending
from analytics.notify.rule import Rule
from analytics.notify.rule_json import RuleInput
from analytics.notify.trial import Trial
from analytics.notify.trials import TRIED_EVENTS, TrialSources, try_rule
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_edit, on_send
from callbacks.gate.guard import authorized
from callbacks.settings.rule_fields import READERS, of_form
from collector.service import Service
from layouts.settings import rule_form
from layouts.settings import rules as layout

PREVIEWED_EVENTS = 200


def register(app: Dash, service: Service) -> None:
    """The previews of both forms, the test of a rule, and the one that is sent."""

    def test(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        rule = rules.get(service.database, number(fields, "key"), site.id)
        return _result(service, site, rule, _("{name} is tested", name=rule.name))

    def send(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        rule = rules.get(service.database, number(fields, "key"), site.id)
        sent = _send(service, site, rule)
        n = sum(one.is_sent for one in sent)
        said = ngettext("{n} of {all} channel took it", "{n} of {all} channels took it", len(sent), n=n, all=len(sent))
        return _result(service, site, rule, said, sent)

    for name in READERS:
        on_edit(app, name, _previewed(service, name))
    for name, do in ((layout.TEST, test), (layout.SEND, send)):
        on_send(app, name, do, Output(layout.TESTED, "children", allow_duplicate=True))


def _result(service: Service, site: Site, rule: Rule, said: str, sent: Sequence[layout.SentTest] = ()) -> FormResult:
    names = [one.shown_name for one in _channels_of(service, rule)]
    result = layout.trial_result(rule, _try(service, site, rule), ZoneInfo(site.timezone), names, sent)
    return FormResult({"message": said, "focus": [layout.result_id(rule.id)]}, (result,))


def _send(service: Service, site: Site, rule: Rule) -> list[layout.SentTest]:
    said, to = _try(service, site, rule).text, _channels_of(service, rule)
    found = sending.send_rule_test(rule, said, to, site, service.notifying.outside, int(time.time()))
    return [
        layout.SentTest(channel.shown_name, answer.sent, f"{answer.status or ''} {answer.text}".strip())
        for channel, answer in found
    ]


def _channels_of(service: Service, rule: Rule) -> list[NotificationChannel]:
    return [one for one in channels.of_site(service.database, rule.site_id) if one.id in rule.notify.channels]


def _try(service: Service, site: Site, rule: Rule | RuleInput, events: int = TRIED_EVENTS) -> Trial:
    sources = TrialSources(service.database, service.backend, service.config.active_window_s, service.measured)
    try:
        return try_rule(rule, site, sources, now=int(time.time()), events=events)
    except StillCounting as wait:
        raise InvalidInput(str(wait)) from None


# ── previews ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def preview(service: Service, site: Site, name: str, rule: Rule | RuleInput | None) -> list[Component]:
    """What the rule would say; None: the blank form of that name."""
    return _of_fields(service, site, name, rule_form.BLANK[name]) if rule is None else _of_rule(service, site, rule)


def _previewed(service: Service, name: str) -> Callable[[object, Fields], list[Component]]:
    def shown(domain: object, fields: Fields) -> list[Component]:
        return _of_fields(service, authorized(service, domain, ADMIN), name, fields)

    return shown


def _of_fields(service: Service, site: Site, name: str, fields: Fields) -> list[Component]:
    """The preview of what people have written so far; a rule that has no name yet is called a rule."""
    try:
        sent: dict[str, Any] = READERS[name]({**fields, "name": fields.get("name", "").strip() or _("Rule")})
        rule = rule_json.read({**sent, "notify": {**sent["notify"], "channels": []}})
    except InvalidInput as wrong:
        found = [translated(text) for text in of_form(wrong).fields.values()]
        return layout.no_preview(found[0] if found else translated(str(wrong)))
    return _of_rule(service, site, rule)


def _of_rule(service: Service, site: Site, rule: Rule | RuleInput) -> list[Component]:
    try:
        trial = _try(service, site, rule, PREVIEWED_EVENTS)
    except InvalidInput as wrong:
        return layout.no_preview(translated(str(wrong)))
    return layout.preview(trial, rule.notify.priority, ZoneInfo(site.timezone))
