"""Settings, General: the cards."""

from __future__ import annotations

from dash.development.base_component import Component

from analytics.base import language
from analytics.base.words import N_, _, translated
from analytics.calendar.period import PRESETS, Period, with_today
from analytics.sites.checks import WEEKDAYS
from analytics.sites.site import Site
from layouts.components import form
from layouts.plain import zones

FORM, DELETE = "general", "delete-site"

IDENTITY = (
    ("daily", N_("New every day: nothing is kept in the browser")),
    ("browser", N_("The same for good: the browser keeps an id")),
)
IDENTITY_HINT = N_(
    "New every day needs no consent. With an id in the browser people are known again on later days; "
    "in many countries that takes their consent."
)


def cards(site: Site, *, may_delete: bool) -> list[Component]:
    """The site's settings, and for owners the card that deletes it."""
    days = "" if site.retention_days is None else str(site.retention_days)
    fields = [
        form.text(FORM, "name", _("Name"), site.name, maxlength=120),
        form.select(
            FORM, "timezone", _("Time zone"), site.timezone, _zones(site.timezone), hint=_("Days begin and end in it.")
        ),
        form.select(FORM, "week_start", _("First day of the week"), WEEKDAYS[site.week_start], _weekdays()),
        form.select(
            FORM,
            "overview_period",
            _("The Overview opens with"),
            site.overview_period,
            _periods(site.overview_period),
            hint=_("A period that includes today is compared with as much of the one before."),
        ),
        form.select(
            FORM,
            "identity",
            _("How visitors are told apart"),
            site.identity,
            form.translated(IDENTITY),
            hint=_(IDENTITY_HINT),
        ),
        form.text(
            FORM,
            "retention_days",
            _("Days to keep heartbeats"),
            days,
            hint=_("They show who was there at any past moment. Empty: as the server is set."),
            inputmode="numeric",
            maxlength=4,
        ),
    ]
    whole = form.card(FORM, _("General"), fields, domain=site.domain)
    return [whole, _end(site.domain)] if may_delete else [whole]


def _end(domain: str) -> Component:
    lost = _("Its settings, its cards and all that was ever counted for it are gone then. There is no way back.")
    return form.danger(DELETE, domain, _("Delete this site"), lost, _("Delete site and data"))


def _weekdays() -> form.Choices:
    tag = language.written_in()
    return [(day, language.weekday(number, tag, whole=True)) for number, day in enumerate(WEEKDAYS)]


def _periods(current: str) -> form.Choices:
    """The presets, each followed by its twin that includes today, and the current one even where it is no preset."""
    names = [name for base in PRESETS for name in dict.fromkeys((base, with_today(base, wanted=True)))]
    return [(name, translated(Period(name).label)) for name in dict.fromkeys((*names, current))]


def _zones(current: str) -> dict[str, form.Choices]:
    """Every zone by area, and the current zone even where it is not offered."""
    listed: dict[str, form.Choices] = {
        area: [(zone.name, place) for zone, place in some] for area, some in zones().items()
    }
    unusual = current != "UTC" and all(current != name for some in listed.values() for name, _place in some)
    return {_("General"): [("UTC", "UTC"), *([(current, current)] if unusual else [])], **listed}
