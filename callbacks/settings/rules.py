"""Settings, Rules: makes, changes, switches and removes them. Their tests and previews are in `rule_trials.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.errors import InvalidInput
from analytics.base.words import _
from analytics.health import series
from analytics.notify import channels, rule_json, rules, standings
from analytics.notify.rule import Rule
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext, parameters
from callbacks.settings import rule_trials
from callbacks.settings.rule_fields import READERS, Read, of_form, over
from collector.service import Service
from layouts.settings import rule_form
from layouts.settings import rules as layout
from layouts.settings.rule_form import RuleDraft


def cards(context: PageContext) -> list[Component]:
    """The cards of the section; the address may name a rule to change, or an example to begin with."""
    service, site = context.service, context.site
    draft = _draft(service, site, context.search)._replace(samples=series.names(service.database, site.id))
    previews = {name: rule_trials.preview(service, site, name, draft.rule) for name in READERS}
    known = channels.of_site(service.database, site.id)
    return layout.cards(layout.RulesPage(site.domain, _listed(service, site), known, draft, previews))


def _draft(service: Service, site: Site, search: object) -> RuleDraft:
    asked = parameters(search)
    if example := layout.example(name := asked.get("example", "")):
        return RuleDraft(example, example=name)
    known = (one for one in rules.of_site(service.database, site.id) if str(one.id) == asked.get("rule"))
    return RuleDraft(found, found.id) if (found := next(known, None)) else RuleDraft()


def register(app: Dash, service: Service) -> None:
    """Every form of the section."""

    def listed(site: Site, said: str, **more: object) -> FormResult:
        return FormResult({"message": said, **more}, (layout.lists(_listed(service, site)),))

    def save(name: str, read: Read) -> Callable[[object, Fields], FormResult]:
        def saved(domain: object, fields: Fields) -> FormResult:
            site = authorized(service, domain, ADMIN)
            try:
                rule = _saved(service, site, fields, read)
            except InvalidInput as wrong:
                raise of_form(wrong) from None
            return listed(site, _("The rule is saved"), **_after(name, fields, rule))

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

    ways = {name: save(name, read) for name, read in READERS.items()}
    for name, do in {**ways, layout.SWITCH: switch, layout.REMOVE: remove}.items():
        output = Output(layout.LIST, "children", allow_duplicate=True)
        on_send(app, name, do, output, refresh=service.notifying.rules.refresh)
    rule_trials.register(app, service)


def _saved(service: Service, site: Site, fields: Fields, read: Read) -> Rule:
    now = int(time.time())
    if not fields.get("id"):
        return rules.add(service.database, site.id, rule_json.read(read(fields)), now=now)
    known = rules.get(service.database, number(fields, "id"), site.id)
    changed = rule_json.read(over(rule_json.plain(known), read(fields)))
    return rules.change(service.database, known.id, changed, site.id, now=now)


def _after(name: str, fields: Fields, rule: Rule) -> dict[str, Any]:
    """What becomes of the form: a blank one is blank again; one that began with an example now changes its rule."""
    if fields.get("example"):
        return {"fill": {f"{name}-id": str(rule.id)}}
    return {} if fields.get("id") else {"clear": True, "fill": rule_form.blank_texts(name)}


def _listed(service: Service, site: Site) -> list[layout.ListedRule]:
    """The site's rules, the newest first, with the names of their channels and how they stand."""
    names = {one.id: one.shown_name for one in channels.of_site(service.database, site.id)}
    found = rules.of_site(service.database, site.id)
    stand = {
        one.rule_id: str(one.standing.state) for one in standings.load(service.database, [one.id for one in found])
    }
    return [
        layout.ListedRule(one, [names[each] for each in one.notify.channels if each in names], stand.get(one.id, ""))
        for one in reversed(found)
    ]
