"""One POST to a checked address: where the connection goes, and how long and how much of an answer is read."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator

import pytest
import trustme

from analytics.notify.outbound import http_post
from analytics.notify.outbound.address import Target
from analytics.notify.outbound.http_post import HttpAnswer, NoAnswer, post, retry_after
from tests.support.receiver import Receiver, answer, raw, receiving, silent

BODY = b'{"a":1}'
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trust(authority) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def target(receiver: Receiver, host: str = "hooks.example.com", *addresses: str) -> Target:
    scheme = receiver.url.partition(":")[0]
    return Target(scheme, host, receiver.port, "/hook?a=b", addresses or ("127.0.0.1",))


def test_the_request_goes_to_the_checked_address_under_the_name_of_the_url(receiver, trust):
    """The name is one that no resolver knows: nothing but the address was used."""
    assert post(target(receiver, "hooks.invalid"), BODY, {"webhook-id": "msg_1"}, trust) == HttpAnswer(200, "ok")
    (received,) = receiver.received
    assert received.line == "POST /hook?a=b HTTP/1.1"
    assert received.body == BODY
    assert received.headers == {
        "host": f"hooks.invalid:{receiver.port}",
        "webhook-id": "msg_1",
        "user-agent": "Footfall",
        "connection": "close",
        "accept-encoding": "identity",
        "content-length": "7",
    }


def test_the_next_address_is_tried_where_one_refuses(receiver, trust):
    assert post(target(receiver, "hooks.invalid", "127.0.0.9", "127.0.0.1"), BODY, {}, trust).status == 200
    with pytest.raises(NoAnswer, match=r"^hooks.invalid cannot be reached: Connection refused$"):
        post(target(receiver, "hooks.invalid", "127.0.0.9", "127.0.0.8"), BODY, {}, trust)


def serving_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_over_tls_the_certificate_has_to_be_that_of_the_url_s_host(authority, trust):
    with receiving(serving_tls(authority, "hooks.example.com")) as receiver:
        assert post(target(receiver), BODY, {}, trust).status == 200
        with pytest.raises(NoAnswer, match=r"^the certificate of other\.example\.com is not valid: Hostname mismatch"):
            post(target(receiver, "other.example.com"), BODY, {}, trust)
        with pytest.raises(NoAnswer, match=r"^the certificate of hooks\.example\.com is not valid: "):
            post(target(receiver), BODY, {}, ssl.create_default_context())
        assert len(receiver.received) == 1


def test_tls_with_who_speaks_none_is_no_answer(receiver, trust):
    with pytest.raises(NoAnswer, match=r"^(no TLS with hooks\.example\.com: |no answer within 2 s)"):
        post(target(receiver)._replace(scheme="https"), BODY, {}, trust, total_s=2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(receiver, trust, status):
    with receiving() as other:
        receiver.replies = [answer(status, "there", Location=f"{other.url}/x")]
        assert post(target(receiver), BODY, {}, trust) == HttpAnswer(status, "there")
        assert other.connections == 0
    assert receiver.connections == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(204, ""), HttpAnswer(204, "")),
        (answer(429, "slow down", Retry_After="17"), HttpAnswer(429, "slow down", 17)),
        (answer(500, "a\r\nb\x1b[31m\u202ec"), HttpAnswer(500, "a b [31m c")),
        (raw(b"HTTP/1.0 200 OK\r\n\r\nuntil it closes"), HttpAnswer(200, "until it closes")),
        (raw(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n"), HttpAnswer(200, "ok")),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, b"Content-Length: 2\r\n\r\nok"), HttpAnswer(200, "ok")),
        (raw(HEAD, b"Content-Length: 2\r\n\r\nok and more"), HttpAnswer(200, "ok")),
        (raw(HEAD, b"Content-Length: 9\r\n\r\nok"), HttpAnswer(200, "ok", None, "the answer ended early")),
        (
            raw(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"9\r\nok\r\n"),
            HttpAnswer(200, "", None, "the answer ended early"),
        ),
    ],
    ids=["204", "429", "500", "to the end", "chunked", "100", "too long", "too short", "broken chunk"],
)
def test_an_answer_is_a_status_and_one_line(receiver, trust, reply, expected):
    receiver.replies = [reply]
    assert post(target(receiver), BODY, {}, trust) == expected


def test_of_an_endless_answer_64_kb_are_read(receiver, trust):
    receiver.replies = [raw(HEAD + b"\r\n", b"x" * 4_096, for_s=20)]
    began = time.monotonic()
    answered = post(target(receiver), BODY, {}, trust)
    assert time.monotonic() - began < 2
    assert answered == HttpAnswer(200, "x" * 500, None, "the answer is longer than 64 kB")


@pytest.mark.parametrize(
    "begin",
    [b"-1\r\n", b"0\r\n"],
    ids=["a chunk of size -1", "trailers without an end"],
)
def test_of_what_python_reads_without_a_limit_256_kb_are_read(receiver, trust, begin):
    receiver.replies = [raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + begin, b"X: y\r\n" * 1_000, for_s=20)]
    began = time.monotonic()
    assert post(target(receiver), BODY, {}, trust) == HttpAnswer(200, "", None, "the answer ended early")
    assert time.monotonic() - began < 2


@pytest.mark.alone
def test_a_dripping_answer_is_read_for_5_seconds(receiver, trust):
    receiver.replies = [raw(HEAD + b"\r\n", b"x", pause_s=0.2, for_s=20)]
    began = time.monotonic()
    answered = post(target(receiver), BODY, {}, trust)
    assert 4.9 < time.monotonic() - began < 6
    assert answered == HttpAnswer(200, "", None, "the answer did not end within 5 s")


@pytest.mark.parametrize(
    "reply",
    [raw(b"H", b"T", pause_s=0.2, for_s=20), raw(HEAD, b"X: y\r\n", pause_s=0.2, for_s=20)],
    ids=["status", "headers"],
)
def test_dripping_headers_end_with_the_time_for_all(receiver, trust, reply):
    receiver.replies = [reply]
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"^(no answer within 1\.5 s|what was answered is no HTTP)"):
        post(target(receiver), BODY, {}, trust, total_s=1.5)
    assert time.monotonic() - began < 2.5


def test_silence_is_no_answer(receiver, trust):
    receiver.replies = [silent(receiver)]
    with pytest.raises(NoAnswer, match=r"^no answer within 0\.5 s$"):
        post(target(receiver), BODY, {}, trust, total_s=0.5)
    assert (http_post.TOTAL_S, http_post.BODY_S) == (15, 5)


@pytest.mark.parametrize("reply", [raw(b"SSH-2.0-OpenSSH\r\n"), raw(b""), raw(HEAD + b"X" * 70_000 + b": y\r\n\r\n")])
def test_what_is_no_http_is_no_answer(receiver, trust, reply):
    receiver.replies = [reply]
    with pytest.raises(NoAnswer, match=r"^(what was answered is no HTTP|hooks\.example\.com cannot be reached)"):
        post(target(receiver), BODY, {}, trust)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("17", 17),
        (" 0 ", 0),
        ("9" * 40, 999_999_999),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60),
        ("Fri, 15 Jan 2027 07:59:00 GMT", 0),
        ("soon", None),
        ("Fri, 15 Jan 99999999999 08:01:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, now=1_800_000_000) == seconds
