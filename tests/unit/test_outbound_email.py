"""Mail through a real mail server on this machine: with and without TLS, accepted and refused."""

from __future__ import annotations

import ssl

import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from analytics.base.mail_server import MailServer, MailTls
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.email import NO_SERVER, NO_TLS, is_this_machine
from analytics.notify.outbound.outside import Outside
from analytics.notify.outbound.sending import send
from tests.support.channels import outbound_message
from tests.support.factories import NOW
from tests.support.mailbox import Mailbox, mail_server

SENDER = "Footfall <stats@example.com>"
MESSAGE = outbound_message(
    "Größte Last: 3 > 2",
    type="alert.firing",
    text="Ann & Bob",
    severity="error",
    open_url="https://stats.example.com/alerts/1",
    snooze_url="https://stats.example.com/alerts/1/snooze?token=t&hours=4",
)
ELSEWHERE = "0.0.0.0"  # leads to this machine, and is not known as its name


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def sent(
    port: int, host="127.0.0.1", tls=MailTls.STARTTLS, user="", password="", authority=None, message=MESSAGE
) -> ChannelAnswer:
    trust = ssl.create_default_context()
    if authority:
        authority.configure_trust(trust)
    channel = NotificationChannel(1, 1, "email", "", "ann@example.net", "")
    return send(channel, message, Outside((), MailServer(host, port, user, password, SENDER, tls), trust), NOW)


def test_a_mail_arrives_as_html_and_text(mailbox):
    with mail_server(mailbox) as port:
        assert sent(port) == ChannelAnswer(True, 250, "accepted by 127.0.0.1")
    ((mail_from, recipients, mail),) = mailbox.accepted
    assert (mail_from, recipients) == ("stats@example.com", ["ann@example.net"])
    assert mail["Subject"] == "[example.com] Größte Last: 3 > 2"
    assert mail["Message-ID"] == "<msg_1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    assert text.splitlines() == [
        "Größte Last: 3 > 2",
        "",
        "Ann & Bob",
        "",
        "Site: example.com",
        "Priority: medium",
        "Severity: error",
        "Time: 2027-01-15 08:00 UTC",
        "",
        "Open in Footfall: https://stats.example.com/alerts/1",
        "Snooze: https://stats.example.com/alerts/1/snooze?token=t&hours=4",
    ]
    assert "Größte Last: 3 &gt; 2</h1>" in html
    assert 'href="https://stats.example.com/alerts/1/snooze?token=t&amp;hours=4"' in html


@pytest.mark.parametrize(
    "title",
    [
        "=?utf-8?q?Hi=0D=0ABcc:_eve=40example.com?=",
        "=?utf-8?b?SGkKQmNjOiBldmVAZXhhbXBsZS5jb20=?=",
        "=?x?q?=FF?= =?utf-8",
    ],
)
def test_a_title_that_a_visitor_encoded_adds_no_header_and_arrives_as_it_is(mailbox, title):
    with mail_server(mailbox) as port:
        assert sent(port, message=MESSAGE._replace(title=title)).sent
    ((_, recipients, mail),) = mailbox.accepted
    assert recipients == ["ann@example.net"]
    assert "bcc" not in mail
    assert mail["Subject"] == f"[example.com] {title.replace('=?', '= ?')}"


def test_another_attempt_has_the_same_message_id(mailbox):
    with mail_server(mailbox) as port:
        sent(port)
        sent(port)
    assert [mail["Message-ID"] for *_, mail in mailbox.accepted] == ["<msg_1@example.com>"] * 2


def test_starttls_is_used_and_the_certificate_is_checked(mailbox, authority):
    with mail_server(mailbox, tls_context=certified(authority, ELSEWHERE), require_starttls=True) as port:
        assert sent(port, ELSEWHERE, authority=authority).sent
        untrusted = sent(port, ELSEWHERE)
        assert not untrusted.final
        assert untrusted.text.startswith("the certificate of 0.0.0.0 is not valid: ")
    assert len(mailbox.accepted) == 1


def test_without_starttls_nothing_is_sent_unless_the_setting_says_so(mailbox):
    with mail_server(mailbox) as port:
        assert sent(port, ELSEWHERE) == ChannelAnswer(False, None, f"0.0.0.0: {NO_TLS}")
        assert mailbox.accepted == []
        assert sent(port, ELSEWHERE, MailTls.OFF).sent


def test_tls_from_the_start(mailbox, authority):
    with mail_server(mailbox, ssl_context=certified(authority, "127.0.0.1")) as port:
        assert sent(port, tls=MailTls.IMPLICIT, authority=authority).sent
        assert "certificate" in sent(port, tls=MailTls.IMPLICIT).text
    assert len(mailbox.accepted) == 1


def test_the_password_signs_in_over_tls_and_a_wrong_one_is_tried_again(mailbox, authority):
    def check(_server, _session, _envelope, _mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"ann", b"p@ss"), handled=False)

    options = {"tls_context": certified(authority, ELSEWHERE), "authenticator": check, "auth_required": True}
    with mail_server(mailbox, **options) as port:
        assert sent(port, ELSEWHERE, user="ann", password="p@ss", authority=authority).sent
        wrong = sent(port, ELSEWHERE, user="ann", password="hunter2", authority=authority)
        assert wrong == ChannelAnswer(False, 535, "5.7.8 Authentication credentials invalid")
        assert "hunter2" not in wrong.text
    assert len(mailbox.accepted) == 1


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        ("550 no such mailbox", ChannelAnswer(False, 550, "no such mailbox", final=True)),
        ("451 try again later", ChannelAnswer(False, 451, "try again later")),
    ],
)
def test_a_refusal_is_final_or_not_by_its_code(mailbox, refusal, answer):
    mailbox.refusal = refusal
    with mail_server(mailbox) as port:
        assert sent(port) == answer


def test_a_server_that_is_away_is_tried_again():
    assert sent(1) == ChannelAnswer(False, None, "127.0.0.1: Connection refused")


def test_without_a_mail_server_it_is_said_in_one_line():
    channel = NotificationChannel(1, 1, "email", "", "ann@example.net", "")
    answer = send(channel, MESSAGE, Outside((), None, ssl.create_default_context()), NOW)
    assert answer == ChannelAnswer(False, None, NO_SERVER, final=True)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), (ELSEWHERE, False), ("mail.example.com", False)],
)
def test_this_machine_needs_no_tls(host, is_ours):
    assert is_this_machine(host) is is_ours
