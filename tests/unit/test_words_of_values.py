"""Names of metrics, dimensions, values and periods: English for files and the API, the reader's language on pages."""

from __future__ import annotations

import gettext
from collections.abc import Iterator

import pytest

from analytics.base import language, words
from analytics.base.words import translated
from analytics.calendar.period import INTERVALS, PRESETS, Period
from analytics.live.reasons import REASONS
from analytics.query.dimensions import DIMENSIONS, dimension
from analytics.query.metrics import METRICS
from analytics.reports.lists import LISTS, PANELS, WORDED, read, shown_value
from collector.ingest.source import CHANNELS
from tests.support import catalogues


class Marked(gettext.NullTranslations):
    """Every text in brackets."""

    def gettext(self, text: str) -> str:
        return f"[{text}]"


@pytest.fixture(autouse=True)
def _marked() -> Iterator[None]:
    words.use("fr", Marked())
    with language.writing_in("fr-FR"):
        yield
    words.use("fr", None)


def test_every_name_that_pages_show_is_in_the_catalogues():
    names = [text for one in METRICS.values() for text in (one.label, one.definition)]
    names += [text for one in DIMENSIONS.values() for text in (one.label, one.none)]
    names += [text for one in LISTS.values() for text in (one.label, one.rows, one.empty)]
    names += [one.label for one in PANELS] + [one.label for one in PRESETS.values()] + list(INTERVALS)
    names += [text for reasons in REASONS.values() for one in reasons for text in (one.label, one.advice)]
    known = {each.id for each in catalogues.template()}
    assert [name for name in names if name not in known] == []


def test_every_channel_has_its_name():
    assert set(WORDED["channel"]) == {name for name, _rule in CHANNELS}


@pytest.mark.parametrize(
    ("name", "value", "english", "shown"),
    [
        ("country", "DE", "Germany", "Allemagne"),
        ("country", "", "Unknown", "[Unknown]"),
        ("language", "de-DE", "de-DE", "Allemand (Allemagne)"),
        ("language", "zh-Hans-CN", "zh-Hans-CN", "Chinois (simplifié, Chine)"),
        ("language", "es-419", "es-419", "Espagnol (Amérique latine)"),
        ("language", "eo", "eo", "Espéranto"),
        ("language", "de-de", "de-de", "de-de"),
        ("language", "en-XX", "en-XX", "en-XX"),
        ("language", "qqq", "qqq", "qqq"),
        ("language", "en-US-POSIX", "en-US-POSIX", "en-US-POSIX"),
        ("language", "<b>-DE", "<b>-DE", "<b>-DE"),
        ("language", "", "(unknown)", "[(unknown)]"),
        ("source", "", "Direct / None", "[Direct / None]"),
        ("source", "Direct", "Direct", "Direct"),
        ("channel", "Direct", "Direct", "[Direct]"),
        ("device", "Mobile", "Mobile", "[Mobile]"),
        ("device", "Fridge", "Fridge", "Fridge"),
        ("hostname", "xn--bcher-kva.example", "bücher.example", "bücher.example"),
    ],
)
def test_a_value_is_english_in_a_file_and_in_the_readers_language_on_a_page(name, value, english, shown):
    assert (read(name, value), shown_value(name, value)) == (english, shown)


def test_a_property_keeps_its_name_even_if_it_is_called_like_one_of_ours():
    assert (dimension("page").shown, dimension("prop:Page").shown) == ("[Page]", "Page")


@pytest.mark.parametrize(
    ("period", "english", "shown"),
    [
        ("30d", "Last 30 days", "[Last 30 days]"),
        ("90d", "Last 90 days", "[Last 90 days]"),
        ("7d:today", "Last 7 days, with today", "[[Last 7 days], with today]"),
        ("12mo:today", "Last 12 months, with this month", "[[Last 12 months], with this month]"),
    ],
)
def test_a_period_has_its_name_in_both(period, english, shown):
    label = Period(period).label
    assert (label, translated(label)) == (english, shown)
