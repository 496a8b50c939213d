"""Internationalised domain names: stored in ASCII (IDNA 2008, UTS 46 non-transitional), shown in Unicode."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

MAX_HOST = 253
MAX_LABEL = 63

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_HOST = re.compile(r"[a-z0-9._-]+")
_SCRIPTS_OF_LETTERS = {"CJK": "HAN", "IDEOGRAPHIC": "HAN", "KATAKANA-HIRAGANA": "KATAKANA"}
_NO_SCRIPT = {"COMBINING", "MIDDLE"}  # marks on letters, and the dot of the Catalan "l·l"
_WRITTEN_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "HANGUL"},
    {"LATIN", "HAN", "BOPOMOFO"},
)
_LIKE_LATIN = frozenset("аеорсухѕіјһԁԛԝӏгѵүкньтмανικορτυωχ")  # Cyrillic, Greek


def to_ascii(host: str) -> str:
    """The host in ASCII and lower case, from either form; "" if the Unicode form is no valid name.

    A host that is ASCII already is not checked. `straße.example` becomes `xn--strae-oqa.example`, as in browsers.
    """
    if host.isascii():
        return host.lower()
    return _encoded(host) if len(host) <= MAX_HOST else ""


def to_letters(host: str) -> str:
    """The host as people read it: in Unicode, unless its letters could be mistaken for others; then in ASCII.

    That is so if a label mixes scripts that nobody writes together, or if all letters of a label look like Latin ones
    (`аррӏе.example`, in Cyrillic, is no apple). Characters that are no letters stay in ASCII too. A port may follow.
    """
    return _decoded(host) if "xn--" in host and len(host) <= MAX_HOST else host


def in_letters(text: str) -> str:
    """The text with every host in it as `to_letters` shows it: an address, or a host with a path."""
    return _HOST.sub(lambda found: to_letters(found[0]), text) if "xn--" in text else text


def in_ascii(text: str) -> str:
    """The text with each label converted to ASCII: a host, a part of one, or a pattern like `*.müller.example`."""
    return text if text.isascii() else ".".join(to_ascii(label) or label for label in text.split("."))


@lru_cache(4_096)
def _encoded(host: str) -> str:
    try:
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
        encoded = ".".join(map(_label, mapped.split(".")))
    except UnicodeError:
        return ""
    return encoded if len(encoded) <= MAX_HOST and _NAME.fullmatch(encoded) else ""  # "℀" becomes "a/c" on the way


def _label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode()
    except idna.InvalidCodepoint:  # such as "❤": browsers open such hosts, although IDNA 2008 allows letters only
        idna.check_bidi(label)
    encoded = f"xn--{label.encode('punycode').decode()}"
    return encoded if len(encoded) <= MAX_LABEL else ""


@lru_cache(4_096)
def _decoded(host: str) -> str:
    name, colon, port = host.partition(":")
    labels = [_unlabel(label) for label in name.split(".")]
    is_plain = all(map(_is_in_one_script, labels)) and not (labels[-1].isascii() and any(map(_looks_latin, labels)))
    letters = ".".join(labels)
    return letters + colon + port if is_plain and to_ascii(letters) == name else host


def _unlabel(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.ulabel(label)
    except UnicodeError:
        return label


def _is_in_one_script(label: str) -> bool:
    scripts = {_script(sign) for sign in label if not sign.isdecimal() and sign not in "-_"} - _NO_SCRIPT
    return len(scripts) <= 1 or any(scripts <= together for together in _WRITTEN_TOGETHER)


def _script(letter: str) -> str:
    """The first word of the letter's Unicode name, which is its script: Python has no property for scripts."""
    word = unicodedata.name(letter, "UNKNOWN").split()[0]
    return _SCRIPTS_OF_LETTERS.get(word, word)


def _looks_latin(label: str) -> bool:
    return not label.isascii() and all(sign.isascii() or sign in _LIKE_LATIN for sign in label)
