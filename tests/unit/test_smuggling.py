"""Requests that two parsers may end at different bytes: each is refused, or has the one end that every parser sees.

Behind each stands another request. Where the first is refused, nothing behind it may be answered: it may be the body
that a proxy in front saw. Where it is read, what stands behind it is the next request.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.edge import Memory, Noting, Recorder, hear
from tests.support.h11_reader import Message, messages

NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
REFUSED, AWAITED = -1, -2


class Case(NamedTuple):
    """Header lines and body of a post, and the length of the body that is read; `REFUSED`, `AWAITED` where none is."""

    lines: bytes
    body: bytes
    read: int = REFUSED


CL, TE = b"Content-Length: ", b"Transfer-Encoding: "
CHUNKED = TE + b"chunked\r\n"
EMPTY = b"0\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
CASES = {
    # one end
    "a length": Case(CL + b"5\r\n", b"hello", 5),
    "no body": Case(b"", b"", 0),
    "a length of nothing": Case(CL + b"0\r\n", b"", 0),
    "zeros before a length": Case(CL + b"005\r\n", b"hello", 5),
    "white space around a length": Case(b"Content-Length:\t 5 \t\r\n", b"hello", 5),
    "chunks": Case(CHUNKED, HELLO, 5),
    "chunks in capitals": Case(b"TRANSFER-ENCODING: CHUNKED\r\n", HELLO, 5),
    "white space around chunked": Case(b"Transfer-Encoding:\t chunked  \r\n", HELLO, 5),
    "zeros before a size": Case(CHUNKED, b"0005\r\nhello\r\n000\r\n\r\n", 5),
    "a size in capitals": Case(CHUNKED, b"A\r\nhellohello\r\n0\r\n\r\n", 10),
    "an extension": Case(CHUNKED, b"5;a=b\r\nhello\r\n0;c\r\n\r\n", 5),
    "a quoted extension": Case(CHUNKED, b'5;a="b;c"\r\nhello\r\n0\r\n\r\n', 5),
    "a trailer": Case(CHUNKED, b"5\r\nhello\r\n0\r\nA: b\r\n\r\n", 5),
    "a trailer like a header of ours": Case(CHUNKED, b"5\r\nhello\r\n0\r\nHost: evil\r\nCookie: a\r\n\r\n", 5),
    "a lone identity of TE": Case(b"TE: trailers\r\n" + CL + b"5\r\n", b"hello", 5),
    # CL.TE and TE.CL
    "a length, then chunks": Case(CL + b"5\r\n" + CHUNKED, EMPTY),
    "chunks, then a length": Case(CHUNKED + CL + b"5\r\n", EMPTY),
    "a length of nothing, then chunks": Case(CL + b"0\r\n" + CHUNKED, EMPTY),
    "chunks around what a length ends before": Case(CL + b"4\r\n" + CHUNKED, b"20\r\n" + NEXT + b"\r\n0\r\n\r\n"),
    # TE.TE: a coding that only one of two takes for chunked
    "xchunked": Case(TE + b"xchunked\r\n", EMPTY),
    "chunkedx": Case(TE + b"chunkedx\r\n", EMPTY),
    "chunked twice": Case(CHUNKED * 2, EMPTY),
    "chunked, then identity": Case(CHUNKED + TE + b"identity\r\n", EMPTY),
    "identity, then chunked": Case(TE + b"identity\r\n" + CHUNKED, EMPTY),
    "identity and a length": Case(TE + b"identity\r\n" + CL + b"5\r\n", b"hello"),
    "identity": Case(TE + b"identity\r\n", b""),
    "a list": Case(TE + b"gzip, chunked\r\n", EMPTY),
    "a list that begins empty": Case(TE + b", chunked\r\n", EMPTY),
    "a list that ends empty": Case(TE + b"chunked,\r\n", EMPTY),
    "no coding": Case(TE + b"\r\n", EMPTY),
    "quoted": Case(TE + b'"chunked"\r\n', EMPTY),
    "a parameter": Case(TE + b"chunked;a=b\r\n", EMPTY),
    "a tab behind it": Case(TE + b"chunked\t\r\n", EMPTY),  # which RFC 9110 allows, and nobody sends
    "a vertical tab before it": Case(TE + b"\x0bchunked\r\n", EMPTY),
    "a form feed behind it": Case(TE + b"chunked\x0c\r\n", EMPTY),
    "a NUL behind it": Case(TE + b"chunked\0\r\n", EMPTY),
    "a no-break space before it": Case(TE + b"\xa0chunked\r\n", EMPTY),
    "a space before the colon": Case(b"Transfer-Encoding : chunked\r\n", EMPTY),
    "a tab before the colon": Case(b"Transfer-Encoding\t: chunked\r\n", EMPTY),
    "a space before the name": Case(b" Transfer-Encoding: chunked\r\n", EMPTY),
    "a name that goes on": Case(b"X: y\nTransfer-Encoding: chunked\r\n", EMPTY),
    "folded": Case(b"Transfer-Encoding:\r\n chunked\r\n", EMPTY),
    "a fold behind another header": Case(b"X: y\r\n Transfer-Encoding: chunked\r\n", EMPTY),
    "an underscore": Case(b"Transfer_Encoding: chunked\r\n", b"", 0),
    # lengths
    "two lengths": Case(CL + b"5\r\n" + CL + b"6\r\n", b"hello"),
    "the same length twice": Case((CL + b"5\r\n") * 2, b"hello"),
    "a list of lengths": Case(CL + b"5, 5\r\n", b"hello"),
    "a sign": Case(CL + b"+5\r\n", b"hello"),
    "a negative length": Case(CL + b"-5\r\n", b"hello"),
    "a length in hex": Case(CL + b"0x5\r\n", b"hello"),
    "a length with a point": Case(CL + b"5.0\r\n", b"hello"),
    "a length with an underscore": Case(CL + b"1_0\r\n", b"hellohello"),
    "a length in other digits": Case(CL + "５".encode() + b"\r\n", b"hello"),
    "a length and a letter": Case(CL + b"5a\r\n", b"hello"),
    "a length of two words": Case(CL + b"5 5\r\n", b"hello"),
    "an empty length": Case(CL + b"\r\n", b"hello"),
    "a length beyond 64 bits": Case(CL + b"18446744073709551621\r\n", b"hello"),
    "a space before a length's colon": Case(b"Content-Length : 5\r\n", b"hello"),
    "a folded length": Case(CL + b"\r\n 5\r\n", b"hello"),
    "a length behind a bare LF": Case(b"X: y\nContent-Length: 5\r\n", b"hello"),
    "a length behind a bare CR": Case(b"X: y\rContent-Length: 5\r\n", b"hello"),
    # chunks
    "a size beyond 64 bits": Case(CHUNKED, b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    "a size of 64 bits": Case(CHUNKED, b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", AWAITED),
    "a size of all that comes": Case(CHUNKED, b"40\r\nhello\r\n0\r\n\r\n", AWAITED),
    "a size with a sign": Case(CHUNKED, b"+5\r\nhello\r\n0\r\n\r\n"),
    "a negative size": Case(CHUNKED, b"-1\r\nhello\r\n0\r\n\r\n"),
    "a size like 0x5": Case(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a size with an underscore": Case(CHUNKED, b"0_5\r\nhello\r\n0\r\n\r\n"),
    "no size": Case(CHUNKED, b"\r\nhello\r\n0\r\n\r\n"),
    "a space before a size": Case(CHUNKED, b" 5\r\nhello\r\n0\r\n\r\n"),
    "a space behind a size": Case(CHUNKED, b"5 \r\nhello\r\n0\r\n\r\n"),
    "a size that ends in LF": Case(CHUNKED, b"5\nhello\r\n0\r\n\r\n"),
    "a size that ends in CR": Case(CHUNKED, b"5\rhello\r\n0\r\n\r\n"),
    "data that end in LF": Case(CHUNKED, b"5\r\nhello\n0\r\n\r\n"),
    "data that end in two other bytes": Case(CHUNKED, b"5\r\nhelloXX0\r\n\r\n"),
    "data longer than their size": Case(CHUNKED, b"4\r\nhello\r\n0\r\n\r\n"),
    "data shorter than their size": Case(CHUNKED, b"6\r\nhello\r\n0\r\n\r\n"),
    "an extension that ends in LF": Case(CHUNKED, b"5;a\nhello\r\n0\r\n\r\n"),
    "an extension with a bare CR": Case(CHUNKED, b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    "an extension with a NUL": Case(CHUNKED, b"5;a\0\r\nhello\r\n0\r\n\r\n"),
    "an extension with a line end in quotes": Case(CHUNKED, b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n'),
    "a last chunk that ends in LF": Case(CHUNKED, b"5\r\nhello\r\n0\n\r\n"),
    "an end in LF": Case(CHUNKED, b"5\r\nhello\r\n0\r\n\n"),
    "a trailer with a length": Case(CHUNKED, b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"),
    "a trailer with a coding": Case(CHUNKED, b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a trailer without a colon": Case(CHUNKED, b"5\r\nhello\r\n0\r\nA b\r\n\r\n"),
    "a trailer with a space before its colon": Case(CHUNKED, b"5\r\nhello\r\n0\r\nA : b\r\n\r\n"),
    "a folded trailer": Case(CHUNKED, b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
    # the head
    "a line that ends in LF": Case(b"A: b\n", b""),
    "a line that ends in CR": Case(b"A: b\r", b""),
    "CR CR LF": Case(b"A: b\r\r\n", b""),
    "a head that ends in LF": Case(b"A: b\r\n\n", b""),
    "a NUL in a value": Case(b"A: b\0c\r\n", b""),
    "no name": Case(b": b\r\n", b""),
    "no colon": Case(b"Ab\r\n", b""),
    "two hosts": Case(b"Host: y\r\n", b""),
}


def sent(case: Case, version: bytes = b"1.1") -> bytes:
    """The post of a case, and the next request."""
    return b"POST /first HTTP/%b\r\nHost: x\r\n%b\r\n%b" % (version, case.lines, case.body) + NEXT


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("in_bytes", [False, True], ids=["at once", "byte by byte"])
def test_a_request_has_one_end_or_is_refused_with_all_behind_it(name, in_bytes):
    case = CASES[name]
    whole = sent(case)
    heard = hear(*([whole[at : at + 1] for at in range(len(whole))] if in_bytes else [whole]))
    read = [(request.path, len(request.body)) for request in heard.requests]
    if case.read == REFUSED:
        assert (read, heard.closed) == ([], True)
        assert heard.statuses in ([400], [413])
    elif case.read == AWAITED:
        assert (read, heard.statuses, heard.closed) == ([], [], False)
    else:
        assert (read, heard.statuses) == ([("/first", case.read), ("/next", 0)], [200, 200])


@pytest.mark.parametrize("name", CASES)
def test_http_1_0_has_no_chunks_and_nothing_behind_it(name):
    heard = hear(sent(CASES[name], b"1.0"))
    assert [request.path for request in heard.requests] in ([], ["/first"])
    assert heard.closed or CASES[name].read == AWAITED
    if b"chunked" in CASES[name].lines.lower() and b"_" not in CASES[name].lines:
        assert heard.statuses == [400]


def test_trailers_are_none_of_the_headers():
    heard = hear(sent(CASES["a trailer like a header of ours"]))
    assert heard.requests[0].headers == {"host": "x", "transfer-encoding": "chunked"}


LINES = {
    "two spaces": b"GET  /x HTTP/1.1",
    "a tab": b"GET\t/x HTTP/1.1",
    "a space behind": b"GET /x HTTP/1.1 ",
    "a space before": b" GET /x HTTP/1.1",
    "a space in the target": b"GET /x y HTTP/1.1",
    "a bare CR in the target": b"GET /x\ry HTTP/1.1",
    "a NUL in the target": b"GET /x\0 HTTP/1.1",
    "letters beyond ASCII in the target": b"GET /\xe4 HTTP/1.1",
    "a method of nobody": b"SMUGGLE /x HTTP/1.1",
    "a method in small letters": b"get /x HTTP/1.1",
    "a method with a NUL": b"GET\0 /x HTTP/1.1",
    "no target": b"GET  HTTP/1.1",
    "a relative target": b"GET x HTTP/1.1",
    "HTTP/1.01": b"GET /x HTTP/1.01",
    "HTTP/01.1": b"GET /x HTTP/01.1",
    "HTTP/1,1": b"GET /x HTTP/1,1",
    "HTTP/+1.1": b"GET /x HTTP/+1.1",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_request_line_of_another_shape_is_refused_with_all_behind_it(line):
    heard = hear(line + b"\r\nHost: x\r\n\r\n" + NEXT)
    assert (heard.requests, heard.statuses, heard.closed) == ([], [400], True)


# ── another parser ───────────────────────────────────────────────────────────────────────────────────────────────────

# Where ours and h11 do not do the same, one of them refuses. Nothing is read in two ways.
WE_REFUSE = {
    "the same length twice": (CL + b"5\r\n") * 2,  # RFC 9112 §6.3 lets a server refuse or join them
    "a list of lengths": CL + b"5, 5\r\n",
    "a length and chunks": CL + b"5\r\n" + CHUNKED,  # §6.1: it ought to be handled as an error
    "folded": b"A: b\r\n c\r\n",  # §5.2
    "another expectation": b"Expect: a-miracle\r\n",
    "a host that is none": None,
    "a method of nobody": None,
}


@pytest.mark.parametrize("name", WE_REFUSE)
def test_where_we_refuse_and_h11_does_not(name):
    lines = WE_REFUSE[name]
    whole = b"POST /first HTTP/1.1\r\nHost: x\r\n%b\r\n%b" % (lines or b"", b"hello" if lines and CL in lines else b"")
    if name == "a length and chunks":
        whole = b"POST /first HTTP/1.1\r\nHost: x\r\n%b\r\n%b" % (lines, HELLO)
    elif name == "a host that is none":
        whole = b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"
    elif name == "a method of nobody":
        whole = b"SMUGGLE / HTTP/1.1\r\nHost: x\r\n\r\n"
    read, refused = messages(whole)
    assert (len(read), refused) == (1, False)
    assert hear(whole).statuses in ([400], [417])


H11_REFUSES = {"an empty line before": b"\r\n", "a bare LF before": b"\n"}  # §2.2: a server ought to pass over them


@pytest.mark.parametrize("before", H11_REFUSES.values(), ids=H11_REFUSES)
def test_where_h11_refuses_and_we_do_not(before):
    assert messages(before + NEXT) == ([], True)
    assert hear(before + NEXT).statuses == [200]


def ours(whole: bytes) -> tuple[list[Message], bool]:
    """What ours reads, byte by byte, so that what is left behind each request is known; whether it refuses the rest."""

    async def read() -> tuple[list[Message], bool]:
        connection = Noting(Recorder())
        connection.connection_made(Memory())
        found: list[Message] = []
        for at in range(len(whole)):
            connection.data_received(whole[at : at + 1])
            if len(connection.read) > len(found):
                found.append(connection.read[-1]._replace(left=len(whole) - at - 1))
        return found, connection.refused

    return asyncio.run(read())


def agree(whole: bytes) -> None:
    mine, refused = ours(whole)
    theirs, they_refuse = messages(whole)
    both = min(len(mine), len(theirs))
    assert mine[:both] == theirs[:both]
    assert len(mine) == both or they_refuse, "we see more requests, and h11 refuses none"
    assert len(theirs) == both or refused, "h11 sees more requests, and we refuse none"


@pytest.mark.parametrize("name", CASES)
def test_h11_ends_every_case_where_we_do_or_refuses_it(name):
    agree(sent(CASES[name]))


tokens = st.text("abcXYZ019-_!", min_size=1, max_size=8)
values = st.binary(max_size=12) | st.sampled_from(
    [b"chunked", b"5", b"0", b"close", b"identity", b"100-continue", b"x"]
)
names = st.sampled_from(["Content-Length", "Transfer-Encoding", "Connection", "Host", "Expect", "Upgrade"]) | tokens
ends = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n ", b"\0\r\n"])
lines = st.builds(
    lambda name, colon, value, end: name.encode() + colon + value + end,
    names,
    st.sampled_from([b": "] * 8 + [b":", b" : ", b"\t:"]),
    values,
    ends,
)
sizes = st.sampled_from([*(b"%x" % size for size in range(10)), b"5;a=b", b"05", b"+5", b"", b"f" * 16])
chunks = st.builds(lambda size, end, data, last: size + end + data + last, sizes, ends, st.binary(max_size=9), ends)
bodies = st.binary(max_size=20) | st.lists(chunks, max_size=3).map(b"".join) | st.just(HELLO) | st.just(b"hello")
requests = st.builds(
    lambda method, target, version, headers, body: (
        b"%b %b HTTP/%b\r\nHost: x\r\n%b\r\n%b" % (method, target, version, b"".join(headers), body)
    ),
    st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT"]),
    st.sampled_from([b"/", b"/a?b", b"*", b"http://x/", b"/%00", b"//", b"x:80"]),
    st.sampled_from([b"1.1"] * 8 + [b"1.0", b"2.0"]),
    st.lists(lines, max_size=4),
    bodies,
)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(requests, min_size=1, max_size=3).map(b"".join), st.data())
def test_whatever_comes_is_read_as_h11_reads_it_or_refused(whole, data):
    if data.draw(st.booleans()):  # bent somewhere
        at = data.draw(st.integers(0, len(whole)))
        whole = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(0, 2)) :]
    agree(whole + NEXT)


def test_the_other_parser_is_the_one_that_was_compared():
    assert h11.__version__.startswith("0.16.")
