"""E-mail through the mail server of the settings: HTML and text, readable without pictures."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any

from analytics.base.mail_server import MailServer, MailTls
from analytics.base.name_lookup import Resolve, look_up
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound.answer import ChannelAnswer, failure, line_of
from analytics.notify.outbound.message import OutboundMessage, facts_of, headline_of, lines_of, links_of
from analytics.notify.outbound.outside import Outside

TIMEOUT_S = 15.0  # of each step with the mail server
MAX_SUBJECT = 200  # characters
NO_SERVER = "there is no mail server: FOOTFALL_SMTP_URL is empty"
NO_TLS = "the mail server offers no STARTTLS; `tls=off` in FOOTFALL_SMTP_URL sends without"
PERMANENT = 500  # SMTP: codes from here on are not temporary

_BODY = "margin:0;padding:24px;background:#f4f6f8;font-family:system-ui,-apple-system,'Segoe UI',Arial,sans-serif"
_CARD = (
    "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px;color:#1c2733;"
    "word-break:break-word;overflow-wrap:anywhere"  # a title without spaces must not make the mail scroll sideways
)
_BUTTON = (
    "display:inline-block;margin:0 8px 8px 0;padding:12px 16px;border-radius:6px;line-height:20px;text-decoration:none"
)
_VIEWPORT = '<meta name="viewport" content="width=device-width">'  # else phones shrink a page of 980 px
_FIRST_BUTTON = f"{_BUTTON};background:#0b5cad;color:#ffffff"
_OTHER_BUTTON = f"{_BUTTON};border:1px solid #5b6b7b;color:#1c2733"


def send(channel: NotificationChannel, message: OutboundMessage, outside: Outside, now: int) -> ChannelAnswer:
    """Hands the mail to the mail server; what that accepts counts as sent."""
    if outside.mail is None:
        return failure(NO_SERVER, final=True)
    mail = mail_of(message, outside.mail.sender, channel.address, now)
    try:
        with _connected(outside.mail, outside) as server:
            server.send_message(mail)
    except smtplib.SMTPAuthenticationError as refused:  # the operator can repair it, so it is tried again
        return _refused(refused.smtp_code, refused.smtp_error)._replace(final=False)
    except smtplib.SMTPRecipientsRefused as refused:
        code, why = next(iter(refused.recipients.values()))
        return _refused(code, why)
    except smtplib.SMTPResponseException as refused:
        return _refused(refused.smtp_code, refused.smtp_error)
    except ssl.SSLCertVerificationError as wrong:
        return failure(f"the certificate of {outside.mail.host} is not valid: {wrong.verify_message}")
    except (OSError, ValueError) as failed:  # `SMTPException` is an `OSError`
        return failure(f"{outside.mail.host}: {getattr(failed, 'strerror', None) or failed or type(failed).__name__}")
    return ChannelAnswer(True, 250, f"accepted by {outside.mail.host}")


def _refused(code: int, why: bytes | str) -> ChannelAnswer:
    text = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
    return ChannelAnswer(False, code, line_of(text), final=code >= PERMANENT)


class _Smtp(smtplib.SMTP):
    """`smtplib.SMTP`, but for the look-up of its host, which ends after a time."""

    def __init__(self, mail: MailServer, resolve: Resolve, **options: Any) -> None:
        self._resolve = resolve
        name = parseaddr(mail.sender)[1].rpartition("@")[2]  # the system's own name may take a slow look-up
        super().__init__(mail.host, mail.port, name, timeout=TIMEOUT_S, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        why = OSError("it has no address")
        for address in look_up(self._resolve, host, port):
            try:
                return socket.create_connection((address, port), timeout)
            except OSError as failed:
                why = failed
        raise why


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    """The same for `smtplib.SMTP_SSL`."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = super()._get_socket(host, port, timeout)
        return self.context.wrap_socket(raw, server_hostname=host)


def _connected(mail: MailServer, outside: Outside) -> smtplib.SMTP:
    """A connection on which mail may be sent: encrypted as the settings say, and signed in."""
    if mail.tls is MailTls.IMPLICIT:
        server: smtplib.SMTP = _SmtpOverTls(mail, outside.resolve, context=outside.trust)
    else:
        server = _Smtp(mail, outside.resolve)
    try:
        if mail.tls is MailTls.STARTTLS and not is_this_machine(mail.host):
            _start_tls(server, outside.trust)
        if mail.user:
            server.login(mail.user, mail.password)
    except BaseException:
        server.close()
        raise
    return server


def _start_tls(server: smtplib.SMTP, trust: ssl.SSLContext) -> None:
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("starttls"):
        raise ValueError(NO_TLS)
    server.starttls(context=trust)


def is_this_machine(host: str) -> bool:
    """Whether mail to that server never leaves the machine."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def mail_of(message: OutboundMessage, sender: str, to: str, now: int) -> EmailMessage:
    """The mail, with a `Message-ID` that is the same at each attempt."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = _subject(message)
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    mail["Message-ID"] = f"<{message.message_id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text_of(message))
    mail.add_alternative(html_of(message), subtype="html")
    return mail


def _subject(message: OutboundMessage) -> str:
    """The subject, without encoded words: Python decodes `=?utf-8?q?=0A…?=` to a line break, which begins a header."""
    return line_of(f"[{message.site}] {headline_of(message)}")[:MAX_SUBJECT].replace("=?", "= ?")


def text_of(message: OutboundMessage) -> str:
    """The mail as plain text."""
    facts = "\n".join(f"{name}: {value}" for name, value in facts_of(message))
    links = "\n".join(f"{link.label}: {link.url}" for link in links_of(message))
    parts = (headline_of(message), message.text, "\n".join(lines_of(message)), facts, links)
    return "\n\n".join(part for part in parts if part) + "\n"


def html_of(message: OutboundMessage) -> str:
    """The mail as HTML: no picture, no style sheet, nothing from elsewhere."""
    paragraphs = "".join(f'<p style="margin:0 0 12px">{escape(one)}</p>' for one in message.text.split("\n") if one)
    lines = "".join(f'<li style="margin:0 0 6px">{escape(one)}</li>' for one in lines_of(message))
    facts = "".join(_row(name, value) for name, value in facts_of(message))
    links = "".join(
        f'<a href="{escape(link.url)}" style="{_OTHER_BUTTON if number else _FIRST_BUTTON}">{escape(link.label)}</a>'
        for number, link in enumerate(links_of(message))
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{_VIEWPORT}'
        f"<title>{escape(headline_of(message))}</title></head>"
        f'<body style="{_BODY}"><div style="{_CARD}">'
        f'<h1 style="margin:0 0 16px;font-size:20px">{escape(headline_of(message))}</h1>{paragraphs}'
        + (f'<ul style="margin:0 0 12px;padding-left:20px">{lines}</ul>' if lines else "")
        + f'<table style="margin:0 0 16px;border-collapse:collapse">{facts}</table><p style="margin:0">{links}</p>'
        "</div></body></html>\n"
    )


def _row(name: str, value: str) -> str:
    cell = "padding:2px 16px 2px 0;text-align:left"
    return f'<tr><th scope="row" style="{cell};font-weight:400;color:#5b6b7b">{name}</th><td>{escape(value)}</td></tr>'
