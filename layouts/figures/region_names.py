"""Which region a name means: databases of places and outlines write the same region differently."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NAMES = Path(__file__).parent / "data" / "regions.json"
# Words for kinds of regions; names are compared without them if they are not the same with them.
_KINDS = re.compile(
    r"\b(?:administrative|and|area|autonoma|autonomous|canton|capital|city|comunidad|community|county|departamento|"
    r"department|departement|district|emirate|federal|federation|free|governorate|hanseatic|judet|krai|kray|kraj|lan|"
    r"land|maakunta|metropolitan|municipality|national|oblast|of|okrug|parish|prefecture|principality|province|"
    r"provincia|region|republic|respublika|rural|special|state|territory|the|union|voivodeship|wilaya|de|del|do|da|y)\b"
)


class Outlines(NamedTuple):
    """The regions of a country that can be drawn: their English names by code, and the codes by every name."""

    names: Mapping[str, str]
    keys: Mapping[str, str]

    def find(self, name: str) -> str:
        """The code of the region with that name; "" if none has it."""
        return self.keys.get(key(name)) or self.keys.get(loose_key(name), "")


def outlines(country: str) -> Outlines | None:
    """The outlines of a country's regions; None where there is no file of them."""
    found = _countries().get(country)  # not cached by `country`: strangers ask for any
    return Outlines(**found) if found else None


@cache
def _countries() -> Mapping[str, Mapping[str, dict[str, str]]]:
    read: Mapping[str, Mapping[str, dict[str, str]]] = json.loads(_NAMES.read_bytes())
    return read


def key(name: str) -> str:
    """A name without accents, case and punctuation."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l").replace("ø", "o").replace("đ", "d"))
    words = re.findall(r"[^\W_]+", "".join(one for one in letters if not unicodedata.combining(one)))
    return " ".join("saint" if word == "st" else word for word in words)


def loose_key(name: str) -> str:
    """The same without words for kinds of regions, after a `~`."""
    return "~" + " ".join(_KINDS.sub(" ", key(name)).split())
