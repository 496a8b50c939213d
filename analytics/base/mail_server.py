"""The mail server that sends Footfall's mail: the setting `FOOTFALL_SMTP_URL`, read."""

from __future__ import annotations

from email.utils import formataddr, parseaddr
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

WANTED = (
    "smtp://user:password@host:587?from=stats@example.com (STARTTLS; ?tls=off for none), smtps:// (TLS from the "
    "start), or empty for no mail"
)
PORTS = {"smtp": 587, "smtps": 465}
OPTIONS = {"from", "tls"}


class MailTls(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"  # required, unless the server is this machine
    IMPLICIT = "implicit"
    OFF = "off"


class MailServer(NamedTuple):
    """A mail server and the sender of our mail, like `Footfall <stats@example.com>`; `user` is "" for no login."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    tls: MailTls


def read_mail_server(text: str) -> MailServer | None:
    """The mail server of a `FOOTFALL_SMTP_URL`; None for an empty one. `ValueError` with what is accepted."""
    if not text:
        return None
    try:
        return _parsed(text)
    except ValueError:
        raise ValueError(WANTED) from None


def _parsed(text: str) -> MailServer:
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    user = unquote(parts.username or "")
    is_wrong = (
        not text.isprintable()
        or parts.scheme not in PORTS
        or not parts.hostname
        or parts.path.strip("/")
        or parts.fragment
        or options.keys() - OPTIONS
    )
    if is_wrong:
        raise ValueError
    tls = _tls(parts.scheme, options.get("tls"))
    port = parts.port or PORTS[parts.scheme]
    return MailServer(parts.hostname or "", port, user, unquote(parts.password or ""), _sender(options, user), tls)


def _tls(scheme: str, option: str | None) -> MailTls:
    if scheme == "smtps":
        if option is not None:
            raise ValueError
        return MailTls.IMPLICIT
    return MailTls(option or MailTls.STARTTLS)


def _sender(options: dict[str, str], user: str) -> str:
    """The sender: `from`, else the user where that is an address."""
    given = options.get("from", user)
    name, address = parseaddr(given)
    local, _, domain = address.rpartition("@")
    if not (local and domain) or not address.isascii() or not given.isprintable() or " " in address:
        raise ValueError
    return formataddr((name or "Footfall", address))
