"""Settings, Channels: adds, tries, switches and removes them, and sends a delivery again."""

from __future__ import annotations

import time
from functools import partial
from zoneinfo import ZoneInfo

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.words import _
from analytics.notify import channel_json, channels, deliveries, notifications
from analytics.notify.channel import ChannelKind
from analytics.notify.outbound import sending
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext, parameters
from collector.service import Service
from layouts.settings import channels as layout


def cards(context: PageContext) -> list[Component]:
    """The cards of the section; the address may name a channel to change.

    On a public dashboard, which has no admins, there is no log, and channels are without their addresses.
    """
    service, site, is_admin = context.service, context.site, current_person().administers(context.site.id)
    known, asked = channels.of_site(service.database, site.id), parameters(context.search).get("channel")
    if not is_admin:
        known = [one._replace(address="…") for one in known]
    changed = next((one for one in known if str(one.id) == asked), None)
    page = layout.ChannelsPage(
        site.domain,
        known,
        _log(service, site) if is_admin else None,
        ZoneInfo(site.timezone),
        has_mail=_has_mail(service),
        has_links=bool(service.config.base_url),
        changed=changed,
    )
    return layout.cards(page)


def register(app: Dash, service: Service) -> None:
    """Every form of the section."""
    refresh = service.notifying.rules.refresh
    ways = {
        layout.ADD: _add,
        layout.CHANGE: _change,
        layout.TEST: _test,
        layout.ROTATE: _rotate,
        layout.SWITCH: _switch,
        layout.REMOVE: _remove,
    }
    for name, do in ways.items():
        output = Output(layout.LIST, "children", allow_duplicate=True)
        on_send(app, name, partial(do, service), output, refresh=refresh)
    on_send(app, layout.AGAIN, partial(_again, service), Output(layout.LOG, "children", allow_duplicate=True))


def _add(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    given = channel_json.read({name: fields.get(name, "") for name in ("kind", "to", "name")})
    made = channels.add(service.database, site.id, given, check=_check(service), now=int(time.time()))
    said = _("{channel} is added", channel=made.shown_name)
    if made.kind == ChannelKind.EMAIL and not _has_mail(service):
        said = f"{said}. {layout.no_mail_server()}"
    once = {"once": {layout.SECRET: made.secret}} if made.secret else {}
    return _listed(service, site, said, clear=True, **once)


def _change(service: Service, domain: object, fields: Fields) -> FormResult:
    """A new name, and a new address if there is one in its field."""
    site, database = authorized(service, domain, ADMIN), service.database
    before, to = channels.get(database, number(fields, "id"), site.id), fields.get("to", "").strip()
    given = channel_json.read({"kind": before.kind, "to": to or before.address, "name": fields.get("name", "")})
    if to:
        changed = channels.change(database, before.id, given, site.id, check=_check(service))
    else:
        changed = channels.rename(database, before.id, given.name, site.id)
    said = _("{channel} is changed", channel=changed.shown_name)
    return _listed(service, site, said, fill={f"{layout.CHANGE}-to": ""})


def _rotate(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    rotated = channels.rotate(service.database, number(fields, "key"), site.id)
    said = _("{channel} has a new secret", channel=rotated.shown_name)
    return _listed(service, site, said, once={layout.ROTATED: rotated.secret.split()[0]})


def _test(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    channel = channels.get(service.database, number(fields, "key"), site.id)
    answer = sending.send_test(channel, site, service.notifying.outside, now=int(time.time()))
    name, said = channel.shown_name, " ".join(part for part in (str(answer.status or ""), answer.text) if part)
    if answer.sent:
        return _listed(service, site, _("{channel} works: {answer}", channel=name, answer=said))
    return _listed(service, site, _("{channel} does not work: {answer}", channel=name, answer=said))


def _switch(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    channel = channels.get(service.database, number(fields, "key"), site.id)
    if channel.disabled_at is None:
        channels.disable(service.database, channel.id, site_id=site.id, now=int(time.time()))
        return _listed(service, site, _("{channel} is off", channel=channel.shown_name))
    channels.enable(service.database, channel.id, site.id)
    return _listed(service, site, _("{channel} is on", channel=channel.shown_name))


def _remove(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    gone = channels.remove(service.database, number(fields, "key"), site.id)
    return _listed(service, site, _("{channel} is removed", channel=gone.shown_name))


def _again(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    deliveries.replay(service.database, site.id, number(fields, "key"), now=int(time.time()))
    service.notifying.courier.wake()
    log = layout.logged(_log(service, site), ZoneInfo(site.timezone))
    return FormResult({"message": _("It is sent again")}, (log,))


def _listed(service: Service, site: Site, said: str, **more: object) -> FormResult:
    """The answer to a form, with the list as it is now."""
    known = channels.of_site(service.database, site.id)
    return FormResult({"message": said, **more}, (layout.lists(known, has_mail=_has_mail(service)),))


def _has_mail(service: Service) -> bool:
    return service.notifying.outside.mail is not None


def _check(service: Service) -> channels.CheckTo:
    return partial(sending.checked_to, outside=service.notifying.outside)


def _log(service: Service, site: Site) -> list[layout.LoggedDelivery]:
    found = deliveries.of_site(service.database, site.id)
    names = {one.id: one.shown_name for one in channels.of_site(service.database, site.id)}
    wanted = {one.notification_id for one in found if one.notification_id is not None}
    titles = notifications.titles(service.database, site.id, wanted)
    return [
        layout.LoggedDelivery(
            one, titles.get(one.notification_id or 0, ""), names.get(one.channel_id, _("Removed channel"))
        )
        for one in found
    ]
