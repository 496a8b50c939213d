"""The cards of a site's business activity: their names and what they show, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.activity.card import COUNT, GAUGE, STAT, TICKER, TODAY, Card
from analytics.activity.figure import Figure, Figures, hour_of
from analytics.base.words import N_, _
from layouts.components import figures as written
from layouts.footfall_components.event_cards import EarlierChange, EventCard, EventFigures

SINCE = (N_("yesterday"), N_("last week"), N_("last month"))
SINCE_THEN = (N_("the day before"), N_("the week before"), N_("the month before"))  # of a past second


def label(card: Card) -> str:
    """The card's title, or what it shows: `Signup`, `Revenue, EUR`, `Newest: Signup`."""
    if card.title:
        return card.title
    if card.kind == TICKER:
        return _("Newest: {event}", event=card.event) if card.event else _("Newest events")
    if card.measure == COUNT:
        return card.event or _("Events")
    name = card.event or _("Revenue")
    return _("{event}, {currency}", event=name, currency=card.currency)


class CardMoment(NamedTuple):
    """When the cards are of: a time of day in words, now or a second of the past; and when its hour began."""

    time: str
    hour: str
    is_past: bool


NOW = CardMoment("", "", is_past=False)


def window(card: Card, moment: CardMoment = NOW) -> str:
    """Of when the card's number is; "" for a ticker. Of the past a gauge is kept by the hour."""
    if card.kind == TICKER:
        return ""
    if card.kind == GAUGE:
        return _("at {time}", time=moment.hour) if moment.is_past else _("now")
    if moment.is_past:
        return _("that day until {time}", time=moment.time) if card.span == TODAY else _("24 h until then")
    return _("today") if card.span == TODAY else _("last 24 h")


def cells(found: Figures, timezone: str, *, is_past: bool = False) -> EventFigures:
    """The props of `EventCards`, for a site in that zone; of now or a second of the past."""
    at, zone = found.until - is_past, ZoneInfo(timezone)
    moment = CardMoment(written.time_of_day(at, zone), written.time_of_day(hour_of(at), zone), is_past)
    shown = [_cell(place, figure, moment) for place, figure in enumerate(found.cards)]
    return {"until": found.until, "ends": found.ends, "timezone": timezone, "cards": shown}


def unread(at: int, timezone: str) -> EventFigures:
    """The same where the cards of a past second could not be read: words in their place."""
    return {"until": at, "ends": at, "timezone": timezone, "cards": [], "note": _("Activity could not be read")}


def _cell(place: int, figure: Figure, moment: CardMoment) -> EventCard:
    card = figure.card
    cell: EventCard = {
        "key": str(card.id or f"suggested-{place}"),
        "kind": card.kind,
        "label": label(card),
        "event": card.event,
        "currency": "" if card.measure == COUNT else card.currency,
        "span": card.span,
    }
    if card.kind == TICKER:
        return cell | {"rows": [one._asdict() for one in figure.newest]}  # type: ignore[return-value]
    cell |= {"window": window(card, moment), "value": figure.now}
    if card.kind == GAUGE:
        cell |= {"gauge": card.gauge_id, "changed_at": figure.changed_at}
    if card.kind in (STAT, GAUGE) and figure.now is not None:
        cell |= {"changes": _changes(figure, figure.now, moment), "spark": _spark(figure), "spark_said": _said(figure)}
    return cell


def _said(figure: Figure) -> str:
    """The line in words."""
    if figure.card.kind == STAT:
        return _("Each of the last 24 whole hours: at most {most}", most=_amount(max(figure.line, default=0)))
    least, most = map(_amount, (min(_line(figure)), max(_line(figure))))
    return _("When each of the last 24 hours began, and now: {least} to {most}", least=least, most=most)


def _line(figure: Figure) -> Sequence[float]:
    """What the line shows; that of a gauge ends at what it is now."""
    return (*figure.line, figure.now or 0.0) if figure.card.kind == GAUGE else figure.line


def _amount(value: float) -> str:
    return written.number(value, "count" if value == int(value) else "money")


def _changes(figure: Figure, now: float, moment: CardMoment) -> list[EarlierChange]:
    """The changes against earlier days; those on which there was nothing, or nothing is known, are left out."""
    found = []
    for since, before in zip(SINCE_THEN if moment.is_past else SINCE, figure.earlier, strict=True):
        is_few = figure.card.measure == COUNT and (before or 0) < written.FEW
        better = 0 if figure.card.kind == GAUGE else 1  # more may be worse: pending bookings, say
        if before and (delta := written.delta(now, before, better=better, fine=True, is_few=is_few)):
            exact = _exact(figure.card, _amount(before), _(since), moment)
            found.append(EarlierChange(look=delta.look, seen=delta.seen, said=delta.said, since=_(since), title=exact))
    return found


def _exact(card: Card, amount: str, day: str, moment: CardMoment) -> str:
    if card.kind == GAUGE:
        return _("{amount} {day} at {time}", amount=amount, day=day, time=moment.hour)
    return _("{amount} {day} to {time}", amount=amount, day=day, time=moment.time)


def _spark(figure: Figure) -> str:
    """The points of an SVG polyline in a box of 100 × 24; "" where nothing was, or a gauge was always the same.

    That of a gauge begins at its lowest point, since most of what it counts does not change in a day.
    """
    line = _line(figure)
    base = line if figure.card.kind == GAUGE else (0.0, *line)
    low, high = min(base), max(base)
    if low == high:
        return ""
    step = 100 / max(1, len(line) - 1)
    return " ".join(f"{nth * step:.1f},{23 - 22 * (one - low) / (high - low):.1f}" for nth, one in enumerate(line))
