"""The words of the pages in the reader's language, looked up in the catalogues of `catalogues/` by their English text.

    from analytics.base.words import N_, _, ngettext

    _("Reload")                                      a text
    _("Nobody came: {period}", period=period)        with values; the braces of `str.format`, names that say what it is
    ngettext("{n} page", "{n} pages", n, n=figures.count(n))     a number of things
    pgettext("column", "Now")                        a word that has another translation elsewhere
    TABS = (N_("Live"), N_("Overview"))              marks a constant; the reader of the page reads `_(TABS[0])`
    raise InvalidInput(message("no zone: {zone}", zone=zone))    English (errors.py), until `translated` is called

Nothing that a function translates may be kept from one request to the next (`functools.cache`, a module's constant).
A text without a translation is written in English. `make words` collects the texts of the code into the catalogues.
"""

from __future__ import annotations

import gettext as standard
from functools import cache
from io import BytesIO
from pathlib import Path

from analytics.base import language
from analytics.base.errors import Message, filled

ENGLISH = "en"
TRANSLATED = ("de", "es", "fr", "zh")  # besides English, by the first part of the tag; Chinese in simplified letters
HTML_TAGS = {"zh": "zh-Hans"}
FOLDER = Path(__file__).parent / "catalogues"

_installed: dict[str, standard.NullTranslations] = {}


def spoken(tag: str = "") -> str:
    """The language of the words for a tag of `language.LANGUAGES`, by default the reader's: "en" or one of
    `TRANSLATED`.
    """
    first = (tag or language.written_in()).partition("-")[0]
    return first if first in TRANSLATED else ENGLISH


def html_tag() -> str:
    """The language of the reader's words as `<html lang>` names it."""
    return HTML_TAGS.get(spoken(), spoken())


def gettext(text: str, /, **values: object) -> str:
    """The text in the reader's language, with its values filled in; "" stays empty."""
    return filled(_catalogue().gettext(text) if text else "", values)


def pgettext(context: str, text: str, /, **values: object) -> str:
    """The text in the reader's language, where `context` says which of its meanings is meant."""
    return filled(_catalogue().pgettext(context, text), values)


def ngettext(one: str, several: str, number: float, /, **values: object) -> str:
    """The form of a text that belongs to a number of things in the reader's language, with its values filled in."""
    return filled(_catalogue().ngettext(one, several, int(number)), values)


def N_(text: str) -> str:  # noqa: N802  # the name that gettext tools know
    """The same text: marks a constant that `_` translates where it is shown."""
    return text


_ = gettext


def translated(text: str) -> str:
    """A `Message` in the reader's language; any other text is looked up as it is. Values that are messages are
    translated too.
    """
    if not isinstance(text, Message):
        return gettext(text)
    values = {name: translated(one) if isinstance(one, Message) else one for name, one in text.values.items()}
    return gettext(text.template, **values)


def use(name: str, translations: standard.NullTranslations | None) -> None:
    """Replaces the translations of a language in this process, for tests; None brings back those of its file."""
    _installed.pop(name, None)
    if translations is not None:
        _installed[name] = translations


def _catalogue() -> standard.NullTranslations:
    name = spoken()
    return _installed.get(name) or _loaded(name)


@cache
def _loaded(name: str) -> standard.NullTranslations:
    """The catalogue of a language, read when the first text is written in it."""
    if name == ENGLISH:
        return standard.NullTranslations()
    from babel.messages import mofile, pofile  # noqa: PLC0415  # English needs none of it

    compiled = BytesIO()
    with (FOLDER / f"{name}.po").open("rb") as file:
        mofile.write_mo(compiled, pofile.read_po(file, locale=name))
    compiled.seek(0)
    return standard.GNUTranslations(compiled)
