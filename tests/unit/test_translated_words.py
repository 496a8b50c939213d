"""Words in the reader's language, with their values and their plurals."""

from __future__ import annotations

import gettext
from collections.abc import Iterator

import pytest
from dash import html

from analytics.base import language, words
from analytics.base.errors import InvalidInput, checked, message
from analytics.base.words import N_, _, ngettext, pgettext, translated
from layouts.components.markup import sentence


class Marked(gettext.NullTranslations):
    """Every text in brackets, after its context."""

    def gettext(self, text: str) -> str:
        return f"[{text}]"

    def ngettext(self, one: str, several: str, n: int) -> str:
        return f"[{one if n == 1 else several}]"

    def pgettext(self, context: str, text: str) -> str:
        return f"[{context}: {text}]"


@pytest.fixture(autouse=True)
def _marked() -> Iterator[None]:
    """French is the marked language here; readers read it until they are given another."""
    words.use("fr", Marked())
    with language.writing_in("fr-CA"):
        yield
    words.use("fr", None)


def test_a_text_is_looked_up_and_then_filled():
    assert (_("Reload"), _("{n} of {all}", n=1, all=3), _("{left} alone")) == ("[Reload]", "[1 of 3]", "[{left} alone]")
    assert _("") == ""


def test_a_number_chooses_its_form_and_a_context_its_meaning():
    pages = [ngettext("{n} page", "{n} pages", n, n=n) for n in (1, 2)]
    assert (pages, pgettext("column", "Now")) == (["[1 page]", "[2 pages]"], "[column: Now]")


def test_a_constant_is_translated_where_it_is_used():
    constant = N_("Live")
    assert (constant, _(constant)) == ("Live", "[Live]")


@pytest.mark.parametrize(
    ("tag", "spoken", "of_the_page"),
    [
        ("de-DE", "de", "de"),
        ("es-MX", "es", "es"),
        ("zh-CN", "zh", "zh-Hans"),
        ("it-IT", "en", "en"),
        ("en-IN", "en", "en"),
        ("zh-TW,de;q=0.5", "zh", "zh-Hans"),
        ("", "en", "en"),
    ],
)
def test_the_words_follow_the_readers_tag(tag, spoken, of_the_page):
    with language.writing_in(tag):
        assert (words.spoken(), words.html_tag()) == (spoken, of_the_page)


def test_without_a_translation_the_text_is_english():
    with language.writing_in("de-DE"):
        assert _("No catalogue has this {n}", n=2) == "No catalogue has this 2"
        assert ngettext("{n} thing", "{n} things", 2, n=2) == "2 things"


def test_an_error_is_english_until_it_is_translated_for_a_reader():
    length = message("at most {limit} letters", limit=30)
    assert (length, str(InvalidInput(length))) == ("at most 30 letters", "at most 30 letters")
    assert translated(str(InvalidInput(length))) == "[at most 30 letters]"
    assert translated(message("{what}: {why}", what="a/b", why=length)) == "[a/b: [at most 30 letters]]"


def test_errors_of_fields_can_be_translated_after_they_were_collected():
    def check(value: str) -> str:
        raise InvalidInput(message("not {value}", value=value))

    with pytest.raises(InvalidInput, match=r"^not x; not y$") as refused:
        checked({"name": check, "zone": check}, {"name": "x", "zone": "y"})
    assert {name: translated(text) for name, text in refused.value.fields.items()} == {
        "name": "[not x]",
        "zone": "[not y]",
    }


def test_a_sentence_has_components_where_its_translation_wants_them():
    bold, again = html.B("now"), [html.Button("1"), html.Button("2")]
    assert sentence("Since {since}. {again}", since=bold, again=again) == ["Since ", bold, ". ", *again]
    assert sentence("{again}{since}", since=bold, again=again) == [*again, bold]
    assert sentence("In {n} browsers", n="2") == ["In 2 browsers"]
