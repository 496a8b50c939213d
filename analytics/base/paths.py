"""Readable paths: each page has one form, however its address was percent-encoded."""

from __future__ import annotations

import re
import unicodedata

# Not right after a lone "%": the decoded character would turn it into a new escape.
_ESCAPES = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])(?:%[0-9A-Fa-f]{2})+")
_DELIMITER = re.compile(r"[/?#%]")
_JOINERS = "\u200c\u200d"  # Persian and Indic words are written with them
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"}  # controls, bidi controls, odd spaces


def readable(path: str) -> str:
    """The path with its percent-encoding decoded once. A path that is readable already comes back unchanged.

    Escapes that carry a meaning stay encoded, in upper-case hexadecimal: `%2F %3F %23 %25` and bytes that are not
    UTF-8. Invisible characters (controls, bidi controls, spaces other than U+0020) are always encoded.
    """
    if "%" in path:
        path = _ESCAPES.sub(_decoded, path)
    return path if path.isascii() or path.isprintable() else "".join(map(_shown, path))


def _decoded(escapes: re.Match[str]) -> str:
    text = bytes.fromhex(escapes[0].replace("%", "")).decode(errors="surrogateescape")
    if text.isprintable() and not _DELIMITER.search(text):
        return text
    return "".join(_encoded(sign) if _DELIMITER.match(sign) else _shown(sign) for sign in text)


def _shown(sign: str) -> str:
    is_visible = sign == " " or sign in _JOINERS or unicodedata.category(sign) not in _INVISIBLE
    return sign if is_visible else _encoded(sign)


def _encoded(sign: str) -> str:
    return "".join(f"%{octet:02X}" for octet in sign.encode(errors="surrogateescape"))
