"""Which lines of an access log are page views."""

from __future__ import annotations

import gzip
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.imports.access_log import NO_AGENT, LoggedPage, Skipped, is_page
from collector.imports.log_file import open_log
from collector.imports.log_reader import LogReader

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0"
STAMP = "17/May/2015:10:05:03 +0000"
TIME = 1431857103
BROKEN = Skipped("broken_line")


def line(request="GET /a HTTP/1.1", *, status=200, stamp=STAMP, referrer="-", agent=AGENT, address="83.149.9.216"):
    return f'{address} - - [{stamp}] "{request}" {status} 512 "{referrer}" "{agent}"\n'


def read(lines):
    return LogReader().read(lines)


def one(text):
    (found,) = read([text])
    return found


def hit(**changed):
    return LoggedPage("83.149.9.216", TIME, "GET", "/a", 200, "", AGENT)._replace(**changed)


def test_combined_line_tells_all_of_a_page_view():
    text = line("GET /a?b=c HTTP/1.1", referrer="https://example.com/x?y")
    assert one(text) == hit(path="/a?b=c", referrer="https://example.com/x?y")


def test_common_line_has_neither_referrer_nor_agent():
    assert one(f'::1 - - [{STAMP}] "GET /a HTTP/1.0" 200 -') == hit(address="::1", user_agent=NO_AGENT)


def test_ipv6_address_user_name_and_further_fields_are_understood():
    text = f'2001:db8::7 - lena h [{STAMP}] "GET /a HTTP/2.0" 200 5 "-" "{AGENT}" "10.0.0.1" 0.004 -\n'
    assert one(text) == hit(address="2001:db8::7")


def test_escaped_quotes_and_bytes_are_what_they_stood_for():
    text = line("GET /caf\\xc3\\xa9 HTTP/1.1", agent=r"a \"quoted\" \\ agent\t", referrer=r"http://\xe4\xe5.example/")
    assert one(text) == hit(path="/café", user_agent='a "quoted" \\ agent\t', referrer="http://\ufffd\ufffd.example/")


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("17/May/2015:12:05:03 +0200", TIME),
        ("17/May/2015:02:35:03 -0730", TIME),
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("31/Dec/2016:23:59:60 +0000", 1483228800),
        ("29/Feb/2024:00:00:00 +0000", 1709164800),
    ],
)
def test_time_is_the_lines_own_with_its_offset(stamp, time):
    assert one(line(stamp=stamp)).time == time


@pytest.mark.parametrize(
    "stamp",
    [
        "30/Feb/2015:10:05:03 +0000",
        "17/Foo/2015:10:05:03 +0000",
        "17/May/0000:10:05:03 +0000",
        "17/May/2015:24:05:03 +0000",
        "17/May/2015:10:60:03 +0000",
        "17/May/2015:10:05:61 +0000",
        "17/May/2015:10:05:03",
        "٢٧/May/2015:10:05:03 +0000",
    ],
)
def test_impossible_time_is_a_broken_line(stamp):
    assert one(line(stamp=stamp)) == BROKEN


def test_line_cut_anywhere_is_broken_unless_the_common_format_ends_there():
    whole = line().rstrip()
    ends = whole.index(" 512 ")
    fine = [cut for cut in range(1, len(whole)) if one(whole[:cut]) != BROKEN]
    assert fine == [ends + 2, ends + 3, ends + 4, ends + 5]
    assert {one(whole[:cut]) for cut in fine} == {hit(user_agent=NO_AGENT)}


@pytest.mark.parametrize("request_", ["HEAD / HTTP/1.1", "POST / HTTP/1.1", "-", "", r"\x16\x03\x01", "get / HTTP/1.1"])
def test_what_no_browser_asks_a_page_with_is_not_get(request_):
    assert one(line(request_)) == Skipped("not_get")


@pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 101])
def test_only_2xx_and_304_are_ok(status):
    assert one(line(status=status)) == Skipped("not_ok")
    assert [one(line(status=good)) for good in (200, 206, 304)] == [hit(status=good) for good in (200, 206, 304)]


@pytest.mark.parametrize(
    "path",
    [
        "/favicon.ico",
        "/robots.txt",
        "/style.CSS?v=3",
        "/a/b.min.js",
        "/img/x.png",
        "/f/inter.woff2",
        "/blog/tags/puppet?flav=rss20",
        "/?flav=atom",
        "/index.php?page=1&feed=rss2",
        "/feed/",
        "/blog/feed",
        "/comments/feed/atom",
        "/sitemap.xml",
        "/files/logstash-1.1.0.jar",
        "/talk.pdf",
        "/scripts/grok.py",
    ],
)
def test_assets_feeds_and_downloads_are_no_pages(path):
    assert one(line(f"GET {path} HTTP/1.1")) == Skipped("not_a_page")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?page=2",
        "/about",
        "/projects/xdotool/xdotool.xhtml",
        "/talk.pdf.html",
        "/index.php?id=3",
        "/user/john.doe",
        "/release/v1.2",
        "/files.zip/",
        "/blog/tags/c",
        "/feedback",
        "/search?q=style.css",
        "/a//b",
        "/.well-known",
    ],
)
def test_pages_are_pages(path):
    assert is_page(path)
    assert one(line(f"GET {path} HTTP/1.1")) == hit(path=path)


def test_target_may_be_a_whole_url_or_stand_without_a_protocol():
    assert one(line("GET http://example.com/a?b HTTP/1.1")) == hit(path="/a?b", host="example.com")
    assert one(line("GET /a")) == hit()
    assert one(line("GET a HTTP/1.1")) == BROKEN
    assert one(line("GET  HTTP/1.1")) == BROKEN


def test_blank_lines_are_passed_over_and_the_order_is_the_logs():
    lines = [b"\n", line().encode(), "  \r\n", b"\xff\xfe\x00 nonsense", line(status=404)]
    assert list(read(lines)) == [hit(), BROKEN, Skipped("not_ok")]


def test_wrong_utf8_is_replaced():
    assert one(line(agent="caf\xe9").encode("latin-1")) == hit(user_agent="caf\ufffd")


def test_pages_counts_what_it_leaves_out():
    skipped: Counter[str] = Counter()
    lines = [
        line(),
        "broken",
        line("HEAD / HTTP/1.1"),
        line("GET /a.png HTTP/1.1"),
        line("GET /b.png HTTP/1.1"),
    ]
    assert (list(LogReader().pages(lines, skipped)), skipped) == (
        [hit()],
        {"broken_line": 1, "not_get": 1, "not_a_page": 2},
    )


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(junk):
    assert all(isinstance(found, Skipped) for found in read([junk]))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_texts_in_the_fields_raise(request_, referrer, agent):
    assert len(list(read([line("GET " + request_, referrer=referrer, agent=agent)]))) == 1


def test_line_without_an_end_to_its_quotes_is_told_in_linear_time():
    assert one(line(agent='\\"' * 20_000 + "\\")[:-2]) == BROKEN


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_open_log_reads_plain_and_gzipped_files_whatever_their_name(tmp_path, packed):
    path = tmp_path / "access.log.1"
    path.write_bytes(packed(b"one\ntwo\r\nthree"))
    assert list(open_log(path)) == [b"one\n", b"two\r\n", b"three"]


def test_open_log_cuts_an_endless_line_and_goes_on_with_the_next(tmp_path):
    path = tmp_path / "access.log"
    path.write_bytes(b"x" * 200_000 + b"\nnext\n")
    assert list(open_log(path)) == [b"x" * 65_536, b"next\n"]


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:12] + b"\xff" * 20])
def test_damaged_gzip_is_an_os_error_that_names_the_file(tmp_path, damage):
    path = tmp_path / "access.log.gz"
    path.write_bytes(damage(gzip.compress(line().encode() * 50)))
    with pytest.raises(OSError, match=r"access\.log\.gz is a damaged gzip file"):
        list(open_log(path))


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        next(open_log(tmp_path / "none"))
