"""Dates and numbers in the languages that there are."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.base import language
from analytics.base.errors import InvalidInput

AFTERNOON = datetime(2026, 11, 20, 14, 32, 8, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("tag", "number", "share", "time", "with_seconds", "day"),
    [
        ("en-GB", "1,234,567", "27%", "14:32", "14:32:08", "20 Nov 2026"),
        ("en-US", "1,234,567", "27%", "2:32\xa0PM", "2:32:08\xa0PM", "Nov 20, 2026"),
        ("de-DE", "1.234.567", "27\xa0%", "14:32", "14:32:08", "20.11.2026"),
        ("fr-FR", "1\u202f234\u202f567", "27\xa0%", "14:32", "14:32:08", "20 nov. 2026"),
        ("es-ES", "1.234.567", "27\xa0%", "14:32", "14:32:08", "20 nov 2026"),
        ("da-DK", "1.234.567", "27\xa0%", "14.32", "14.32.08", "20. nov. 2026"),
        ("en-IN", "12,34,567", "27%", "2:32\xa0pm", "2:32:08\xa0pm", "20 Nov 2026"),
        ("tr-TR", "1.234.567", "%27", "14:32", "14:32:08", "20 Kas 2026"),
        ("ja-JP", "1,234,567", "27%", "14:32", "14:32:08", "2026/11/20"),
    ],
)
def test_numbers_times_and_days_are_written_as_people_there_do(tag, number, share, time, with_seconds, day):
    assert (
        language.count(1_234_567, tag),
        language.percent(27, tag),
        language.time_of_day(AFTERNOON, tag),
        language.time_of_day(AFTERNOON, tag, seconds=True),
        language.day(AFTERNOON, tag),
    ) == (number, share, time, with_seconds, day)


@pytest.mark.parametrize("tag", language.LANGUAGES)
def test_every_language_has_a_name_and_writes_small_numbers_bare(tag):
    assert language.name(tag)[:1].isalpha()
    assert [language.count(n, tag) for n in (0, 7, 999)] == ["0", "7", "999"]
    assert language.checked(tag) == tag


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de-DE"),
        ("de-CH", "de-DE"),
        ("de", "de-DE"),
        ("en", "en-GB"),
        ("EN-us", "en-US"),
        ("pt-PT", "pt-PT"),
        ("pt", "pt-BR"),
        ("xx-YY, fr;q=0.5", "fr-FR"),
        (" it ;q=1", "it-IT"),
        ("*", "en-GB"),
        ("", "en-GB"),
        ("gibberish;;,,;\x00\udcff", "en-GB"),
        ("x" * 16_000, "en-GB"),
    ],
)
def test_a_browser_gets_the_first_of_its_languages_that_is_here(header, tag):
    assert language.asked_for(header) == tag


@pytest.mark.parametrize(
    ("tag", "short", "whole"), [("en-GB", "Mon", "Monday"), ("fr-FR", "lun.", "Lundi"), ("zh-CN", "周一", "星期一")]
)
def test_a_weekday_is_short_in_a_chart_and_whole_in_a_form(tag, short, whole):
    assert (language.weekday(0, tag), language.weekday(0, tag, whole=True)) == (short, whole)


def test_the_browsers_own_can_be_chosen_and_nothing_else_that_is_not_here():
    assert language.checked("") == ""
    for wrong in ("de", "de_DE", "xx-XX", "../../etc", "x" * 5000):
        with pytest.raises(InvalidInput) as refused:
            language.checked(wrong)
        assert len(str(refused.value)) < 130
