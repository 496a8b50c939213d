"""Redaction: personal data and credentials are removed from a path or an address before it is stored."""

from __future__ import annotations

import re

from analytics.base import paths

REDACTED = ":redacted"

_SEGMENT = re.compile(r"[^/#]+")
_SUSPECT = re.compile(r"[@;=(]|%(?:25)*(?:40|3[bBdD])|eyJ|[0-9a-fA-F]{32}")
_AT = re.compile(r"@|%(?:25)*40")
_DOMAIN_DOT = re.compile(r"\.\D")  # `lodash@4.17.21` is a version, not an address
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8}")  # every JWT begins with the base64 of `{"`
_HEX = re.compile(r"(?<![0-9a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{32}")  # a key has a digit somewhere
_PARAMETER = re.compile(  # `;name=value`; possessive, so that each letter is looked at once
    r"(?:^|[;,&!?]|%(?:25)*+(?:3b|2c|26|23|3f))([\w.-]++)(?:=|%(?:25)*+3d)(?=.)", re.IGNORECASE | re.ASCII
)
_SECRET_NAME = re.compile(  # `jsessionid`, and what is called like it
    r"sess(?:ion)?[_-]?id|token|secret|password|(?:^|[._-])(?:sid|session)$|^(?:auth|api[_-]?key|cfid|oscsid|sig|signature)$",
    re.IGNORECASE,
)
_COOKIELESS = re.compile(r"[()][A-Z]\([A-Za-z0-9_-]{16}")  # ASP.NET's `/(S(lit3py55t21z5v55vlm25s55))/`, `/(X(1)S(…))/`


def clean_path(path: str) -> str:
    """The path as it is stored: readable (`paths.readable`) and redacted. Idempotent."""
    return redact(paths.readable(path))


def redact(path: str) -> str:
    """`path` without personal data and credentials.

    A segment, of the path or of a route behind "#", becomes ":redacted" if it contains an e-mail address, a JWT, 32
    hexadecimal digits in a row or a session id. A path parameter (`;name=value`) is removed if it contains one of
    these, or if its name is that of a session or a token.
    """
    return _SEGMENT.sub(_redacted, path) if _SUSPECT.search(path) else path


def clean_address(address: str) -> str:
    """An address, or a path with its query, as it is stored: a clean path, and no query if that has a secret."""
    address, mark, query = address.partition("?")
    scheme, colon, rest = address.partition("://")
    origin = ""
    if colon and scheme.isalpha():
        host, slash, address = rest.partition("/")
        origin = f"{scheme}://{host.rpartition('@')[2]}{slash}"
    parameters = f";{query.replace('&', ';')}"
    return origin + clean_path(address) + (mark + query if redact(parameters) == parameters else "")


def names_person(text: str) -> bool:
    """Whether `text` contains a JWT or an e-mail address (a handle, as in `/@ann@social.example`, is none)."""
    if "eyJ" in text and _JWT.search(text):
        return True
    if "@" not in text and "%" not in text:
        return False
    name, *domain = _AT.split(text, maxsplit=1)
    return bool(name and domain and _DOMAIN_DOT.search(domain[0]))


def _redacted(segment: re.Match[str]) -> str:
    head, *parameters = segment[0].split(";")
    if _is_secret(head):
        return REDACTED
    return ";".join([head, *(one for one in parameters if not _is_secret(one))])


def _is_secret(text: str) -> bool:
    return bool(
        names_person(text)
        or _HEX.search(text)
        or any(_SECRET_NAME.search(found[1]) for found in _PARAMETER.finditer(text))
        or _COOKIELESS.search(text)
    )
