"""Settings, Rules: makes, changes, switches and removes them. Their tests and previews are in `rule_trials.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.errors import InvalidInput
from analytics.base.words import _
from analytics.health import series
from analytics.notify import channels, rule_json, rule_snooze, rules, standings, unchecked_events
from analytics.notify.kinds.kind import EventWhen
from analytics.notify.rule import Rule
from analytics.notify.snooze import chosen as snooze_until
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext, parameters
from callbacks.settings import rule_trials
from callbacks.settings.rule_fields import READERS, Read, of_form, over
from collector.service import Service
from layouts.components import figures
from layouts.settings import rule_form
from layouts.settings import rule_snooze as rule_snooze_card
from layouts.settings import rules as layout
from layouts.settings.rule_form import RuleDraft


def cards(context: PageContext) -> list[Component]:
    """The cards of the section; the address may name a rule to change, or an example to begin with."""
    service, site = context.service, context.site
    draft = _draft(service, site, context.search)._replace(samples=series.names(service.database, site.id))
    previews = {name: rule_trials.preview(service, site, name, draft.rule) for name in READERS}
    known = channels.of_site(service.database, site.id)
    unchecked = unchecked_events.of_site(service.database, site.id, int(time.time()))
    zone, snooze, rows = ZoneInfo(site.timezone), _snooze_card(service, site, context.search), _listed(service, site)
    return layout.cards(layout.RulesPage(site.domain, rows, known, draft, previews, zone, unchecked, snooze))


def _snooze_card(service: Service, site: Site, search: object) -> Component | None:
    """The card to which a message's link leads, if the site has that rule on events."""
    rule = _named(service, site, parameters(search).get("snooze"))
    if rule is None or not isinstance(rule.when, EventWhen):
        return None
    return rule_snooze_card.card(site.domain, rule, int(time.time()), ZoneInfo(site.timezone))


def _named(service: Service, site: Site, rule_id: object) -> Rule | None:
    return next((one for one in rules.of_site(service.database, site.id) if str(one.id) == rule_id), None)


def _draft(service: Service, site: Site, search: object) -> RuleDraft:
    asked = parameters(search)
    if example := layout.example(name := asked.get("example", "")):
        return RuleDraft(example, example=name)
    found = _named(service, site, asked.get("rule"))
    return RuleDraft(found, found.id) if found else RuleDraft()


def register(app: Dash, service: Service) -> None:
    """Every form of the section."""

    def listed(site: Site, said: str, **more: object) -> FormResult:
        return FormResult({"message": said, **more}, (layout.lists(_listed(service, site)),))

    def save(name: str, read: Read) -> Callable[[object, Fields], FormResult]:
        def saved(domain: object, fields: Fields) -> FormResult:
            site = authorized(service, domain, ADMIN)
            try:
                rule, said = _saved(service, site, fields, read)
            except InvalidInput as wrong:
                raise of_form(wrong) from None
            return listed(site, said, **_after(name, fields, rule))

        return saved

    def switch(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        known = rules.get(service.database, number(fields, "key"), site.id)
        rules.switch(service.database, known.id, on=not known.enabled, site_id=site.id, now=int(time.time()))
        return listed(
            site, _("{name} is off", name=known.name) if known.enabled else _("{name} is on", name=known.name)
        )

    def remove(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        gone = rules.get(service.database, number(fields, "key"), site.id)
        rules.remove(service.database, gone.id, site.id)
        return listed(site, _("{name} is removed", name=gone.name))

    def snooze(domain: object, fields: Fields) -> FormResult:
        site, now = authorized(service, domain, ADMIN), int(time.time())
        until = snooze_until(fields.get("value", ""), now, ZoneInfo(site.timezone))
        rule_snooze.snooze(service.database, site.id, number(fields, "key"), until, now)
        return listed(site, _("Snoozed") if until else _("The snooze is ended"))

    ways = {name: save(name, read) for name, read in READERS.items()}
    for name, do in {**ways, layout.SWITCH: switch, layout.REMOVE: remove, layout.SNOOZE: snooze}.items():
        output = Output(layout.LIST, "children", allow_duplicate=True)
        on_send(app, name, do, output, refresh=service.notifying.rules.refresh)
    rule_trials.register(app, service)


def _saved(service: Service, site: Site, fields: Fields, read: Read) -> tuple[Rule, str]:
    """The rule, and what is said of it."""
    now = int(time.time())
    if not fields.get("id"):
        return rules.add(service.database, site.id, rule_json.read(read(fields)), now=now), _("The rule is saved")
    known = rules.get(service.database, number(fields, "id"), site.id)
    has_failed = bool(known.wrong)
    changed = rule_json.read(over(rule_json.plain(known), read(fields), has_failed=has_failed))
    said = _("The rule is saved, and on again") if has_failed else _("The rule is saved")
    return rules.change(service.database, known.id, changed, site.id, now=now), said


def _after(name: str, fields: Fields, rule: Rule) -> dict[str, Any]:
    """What becomes of the form: a blank one is blank again; one that began with an example now changes its rule."""
    if fields.get("example"):
        return {"fill": {f"{name}-id": str(rule.id)}}
    return {} if fields.get("id") else {"clear": True, "fill": rule_form.blank_texts(name)}


def _listed(service: Service, site: Site) -> list[layout.ListedRule]:
    """The site's rules, the newest first, with the names of their channels, how they stand, and which are snoozed."""
    zone, now = ZoneInfo(site.timezone), int(time.time())
    names = {one.id: one.shown_name for one in channels.of_site(service.database, site.id)}
    found = rules.of_site(service.database, site.id)
    stand = {
        one.rule_id: str(one.standing.state) for one in standings.load(service.database, [one.id for one in found])
    }
    return [
        layout.ListedRule(
            one,
            [names[each] for each in one.notify.channels if each in names],
            stand.get(one.id, ""),
            figures.moment(one.snoozed_until, zone) if one.snoozed_until > now else "",
        )
        for one in reversed(found)
    ]
