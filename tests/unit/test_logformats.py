"""Every format of an access log is recognised by its lines, and tells the same of the same request."""

from __future__ import annotations

import json
import time
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.base.errors import InvalidInput
from collector.imports.access_log import NO_AGENT, LoggedPage, Skipped
from collector.imports.log_formats import NAMES
from collector.imports.log_reader import FIRST_LINES, LogReader, printable

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOGLE = "https://www.google.com/"
NOON = 1788170405  # 2026-08-31 10:00:05 UTC
HIT = LoggedPage("8.8.8.8", NOON, "GET", "/a?x=1", 200, GOOGLE, AGENT, "example.com")
BROKEN = Skipped("broken_line")

COMBINED = f'8.8.8.8 - - [31/Aug/2026:12:00:05 +0200] "GET /a?x=1 HTTP/2.0" 200 5120 "{GOOGLE}" "{AGENT}"'
COMMON = '8.8.8.8 - - [31/Aug/2026:10:00:05 +0000] "GET /a?x=1 HTTP/1.1" 200 5120'
NGINX_JSON = {
    "time_iso8601": "2026-08-31T12:00:05+02:00",
    "remote_addr": "8.8.8.8",
    "host": "example.com",
    "request_method": "GET",
    "request_uri": "/a?x=1",
    "status": "200",
    "http_referer": GOOGLE,
    "http_user_agent": AGENT,
}
CADDY = {
    "level": "info",
    "ts": NOON + 0.25,
    "logger": "http.log.access",
    "msg": "handled request",
    "request": {
        "remote_ip": "10.0.0.1",
        "client_ip": "8.8.8.8",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "example.com",
        "uri": "/a?x=1",
        "headers": {"User-Agent": [AGENT], "Referer": [GOOGLE], "Cookie": ["REDACTED"]},
    },
    "duration": 0.012,
    "size": 5120,
    "status": 200,
}
TRAEFIK = {
    "ClientHost": "8.8.8.8",
    "RequestHost": "example.com",
    "RequestMethod": "GET",
    "RequestPath": "/a?x=1",
    "DownstreamStatus": 200,
    "Duration": 10002425284,
    "StartUTC": "2026-08-31T10:00:05.123456789Z",
    "request_User-Agent": AGENT,
    "request_Referer": GOOGLE,
    "time": "2026-08-31T10:00:15Z",
}
TRAEFIK_CLF = f'{COMBINED} 7 "web@docker" "http://172.18.0.3:80" 12ms'
CLOUDFRONT_FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version"
)
CLOUDFRONT_LINE = "\t".join(
    (
        *("2026-08-31", "10:00:05", "FRA2", "5120", "8.8.8.8", "GET", "dxxx.cloudfront.net", "/a", "200", GOOGLE),
        *(AGENT.replace(" ", "%2520"), "x=1", "-", "Hit", "id==", "example.com", "https", "217", "0.001", "-"),
        *("TLSv1.3", "TLS_AES_128", "Hit", "HTTP/2.0"),
    )
)
CLOUDFRONT = f"#Version: 1.0\n#Fields: {CLOUDFRONT_FIELDS}\n{CLOUDFRONT_LINE}"
IIS_FIELDS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) cs-host "
    "sc-status sc-substatus sc-win32-status time-taken"
)
IIS_LINE = (
    f"2026-08-31 10:00:05 198.51.100.2 GET /a x=1 443 - 8.8.8.8 {AGENT.replace(' ', '+')} {GOOGLE} "
    "example.com 200 0 0 12"
)
IIS_START = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-08-31 10:00:00"
IIS = f"{IIS_START}\n#Fields: {IIS_FIELDS}\n{IIS_LINE}"
ALB = (
    "https 2026-08-31T10:00:05.127531Z app/lb/abc 8.8.8.8:2817 10.0.0.1:80 0.001 0.102 0.000 200 200 225 5120 "
    f'"GET https://example.com:443/a?x=1 HTTP/1.1" "{AGENT}" ECDHE-RSA TLSv1.3 arn:aws:targetgroup/x "Root=1-5" '
    '"example.com" "arn:aws:cert" 0 2026-08-31T10:00:05.023000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
)
HAPROXY = (
    "8.8.8.8:33317 [31/Aug/2026:10:00:05.655] web~ static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "
    f'{{example.com|{GOOGLE}|{AGENT}}} {{}} "GET /a?x=1 HTTP/1.1"'
)

# name of the format, the log, what of the hit it does not tell
LOGS = [
    ("combined", COMBINED, {"host": ""}),
    ("common", COMMON, {"host": "", "referrer": "", "user_agent": NO_AGENT}),
    ("combined-vhost", f"example.com {COMBINED}", {}),
    ("combined-vhost", f"example.com:443 {COMBINED}", {}),
    ("combined-vhost", f"Example.com {COMBINED.replace(' - - ', ' - lena h ')}", {}),
    ("common-vhost", f"example.com:80 {COMMON}", {"referrer": "", "user_agent": NO_AGENT}),
    ("nginx-json", json.dumps(NGINX_JSON), {}),
    ("caddy", json.dumps(CADDY), {}),
    ("traefik", json.dumps(TRAEFIK), {}),
    ("combined", TRAEFIK_CLF, {"host": ""}),
    ("cloudfront", CLOUDFRONT, {}),
    ("iis", IIS, {}),
    ("alb", ALB, {"referrer": ""}),
    ("alb", ALB.removeprefix("https "), {"referrer": ""}),
    ("haproxy", HAPROXY, {}),
]
PREFIXES = [
    "web-1  | ",
    "web_1 | ",
    "\x1b[36mweb-1  |\x1b[0m ",
    "web-1  | 2026-08-31T10:00:05.123456789Z ",
    "<190>Aug 31 12:00:05 web1 nginx: ",
    "Aug  1 12:00:05 web1 nginx[123]: ",
    "Aug 31 12:00:05 nginx: ",
    "2026-08-31T10:00:05.123456+02:00 web1 nginx[123]: ",
    "<190>1 2026-08-31T10:00:05.003Z web1 nginx 123 - - ",
    '<190>1 2026-08-31T10:00:05.003Z web1 nginx 123 ID47 [a@32473 b="c ]d"][e f="g"] \ufeff',
    "2026-08-31T10:00:05.123456789Z stdout F ",
    "2026-08-31T10:00:05.123456789Z ",
]


def found(log, name="", zone=UTC):
    return list(LogReader(name, zone).read(log.splitlines(keepends=True)))


def one(log, **options):
    (hit,) = found(log, **options)
    return hit


def changed(log, **fields):
    return json.dumps(log | fields)


# ── each format ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "log", "untold"), LOGS)
def test_a_log_is_recognised_by_its_lines_and_read_when_its_format_is_named(name, log, untold):
    assert one(log) == one(log, name=name) == HIT._replace(**untold)


def test_every_format_is_tried():
    assert {name for name, _, _ in LOGS} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_log_of_another_format_than_the_named_one_is_not_read(name):
    with_host = {"combined-vhost", "common-vhost"}
    same = {name} | (with_host if name in with_host else set())
    if name in ("combined", "common"):
        same |= {"combined", "common"} | with_host  # a host in front is seen by itself
    for other, log, _ in LOGS:
        if other not in same:
            assert not any(isinstance(hit, LoggedPage) for hit in found(log, name=name)), other


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("name", "log", "untold"), [one for one in LOGS if one[0] not in ("cloudfront", "iis")])
def test_what_log_collectors_write_in_front_is_taken_off(prefix, name, log, untold):
    assert one(prefix + log) == one(prefix + log, name=name) == HIT._replace(**untold)


def test_dockers_own_files_hold_the_line_in_json():
    packed = json.dumps({"log": f"example.com {COMBINED}\n", "stream": "stdout", "time": "2026-08-31T10:00:06Z"})
    assert one(packed) == HIT


def test_lines_of_other_services_in_the_same_log_are_broken():
    log = f"db-1   | ready for start up\nweb-1  | {COMBINED}\nweb-1  | {COMBINED}\nqueue-1 | [warn] {{}} x\n"
    assert found(log) == [BROKEN, HIT._replace(host=""), HIT._replace(host=""), BROKEN]


@pytest.mark.parametrize(
    "log",
    [
        "nothing of use",
        f"something new: {COMBINED}",
        f"web-1 - {COMBINED}",
        f"message={COMBINED}",
        f"message:{COMBINED}",
        f"host:{COMBINED}",
        f'{{"message":"{COMBINED}',
        f"\ufeff{COMBINED}",
        "nothing [31/Aug/2026:10:00:05 +0000",
        "#Version: 1.0\n#Fields: date time c-ip x-file\n2026-08-31 10:00:05 8.8.8.8 a",
        '{"level":"info","msg":"started"}',
        "[[[[[[" * 20_000,
        '{"a":' * 10_000,
    ],
)
def test_a_log_that_is_none_is_not_recognised_and_its_first_line_can_be_shown(log):
    reader = LogReader()
    lines = log.splitlines(keepends=True)
    assert {hit for hit in reader.read(lines) if hit} == {BROKEN}
    assert (reader.recognised, reader.first_line) == (False, printable(lines[0]))


def test_a_shown_line_is_short_and_nothing_that_a_terminal_obeys():
    assert printable("a\x1b[31mb\x07c\u202ed\n") == "a [31mb c d"
    assert printable("x" * 1_000) == "x" * 160 + " …"


def test_a_name_that_no_format_has_is_said_with_those_that_there_are():
    with pytest.raises(InvalidInput, match="no log format 'apache'; there are combined, common, combined-vhost"):
        LogReader("apache")


def test_a_log_that_begins_empty_is_recognised_when_it_has_grown():
    reader = LogReader()
    assert list(reader.read([])) == []
    assert list(reader.read(["\n", IIS_START + "\n"])) == []
    grown = LogReader()
    assert list(grown.read(f"{IIS_START}\n#Fields: {IIS_FIELDS}\n".splitlines())) == []
    assert list(grown.read([IIS_LINE])) == [HIT]
    assert list(grown.read([f"#Fields: {IIS_FIELDS} cs-version\n", f"{IIS_LINE} HTTP/1.1\n"])) == [HIT]


def test_a_start_that_makes_no_sense_is_gone_past_where_the_format_is_named():
    log = "noise\n" * (FIRST_LINES + 5) + COMBINED
    assert found(log, name="combined")[-1] == HIT._replace(host="")


# ── who asked ────────────────────────────────────────────────────────────────────────────────────────────────────────

FRONTS = {
    "8.8.8.8 - - ": ("8.8.8.8", ""),
    "8.8.8.8:51324 - - ": ("8.8.8.8", ""),
    "::ffff:8.8.8.8 - - ": ("8.8.8.8", ""),
    "2001:4860::8888 - lena ": ("2001:4860::8888", ""),
    "[2001:4860::8888]:443 - - ": ("2001:4860::8888", ""),
    "dial-up.example.net - - ": ("dial-up.example.net", ""),
    "8.8.8.8, 172.16.0.9 - - ": ("8.8.8.8", ""),
    "10.0.0.7, 8.8.8.8, 172.16.0.9 - - ": ("8.8.8.8", ""),
    "8.8.8.8 10.0.0.1 - - ": ("8.8.8.8", ""),
    "- 8.8.8.8 - - ": ("8.8.8.8", ""),
    "www.example.com:443 8.8.8.8 - - ": ("8.8.8.8", "www.example.com"),
    "www.example.com 2001:4860::8888 - lena h ": ("2001:4860::8888", "www.example.com"),
    "www.example.com dial-up.example.net - - ": ("dial-up.example.net", "www.example.com"),
    "www.example.com 8.8.8.8, 10.0.0.1 - - ": ("8.8.8.8", "www.example.com"),
    "müller.example 8.8.8.8 - - ": ("8.8.8.8", "xn--mller-kva.example"),
    "203.0.113.9 8.8.8.8 - - ": ("8.8.8.8", "203.0.113.9"),  # asked for by the server's address
    "8.8.8.8 www.example.com lena ": ("8.8.8.8", "www.example.com"),
}


@pytest.mark.parametrize("front", FRONTS)
def test_address_and_host_are_found_in_front_of_a_combined_line(front):
    hit = one(COMBINED.replace("8.8.8.8 - - ", front))
    assert (hit.address, hit.host) == FRONTS[front]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("172.18.0.1", "8.8.8.8", "8.8.8.8"),
        ("172.18.0.1", "6.6.6.6, 8.8.8.8, 10.0.0.3", "8.8.8.8"),
        ("172.18.0.1", "::ffff:8.8.8.8", "8.8.8.8"),
        ("172.18.0.1", "[2001:4860::8888]:5123", "2001:4860::8888"),
        ("172.18.0.1", "10.0.0.3", "172.18.0.1"),
        ("1.1.1.1", "unknown", "1.1.1.1"),
        ("1.1.1.1", "-", "1.1.1.1"),
    ],
)
def test_the_visitor_behind_proxies_is_the_last_public_address(peer, forwarded, address):
    """nginx's own format `main` ends with the header; others have a field for it."""
    caddy = CADDY["request"] | {"remote_ip": peer, "client_ip": peer}
    caddy = caddy | {"headers": caddy["headers"] | {"X-Forwarded-For": [forwarded]}}
    logs = [
        f'{COMBINED.replace("8.8.8.8", peer)} "{forwarded}"',
        changed(NGINX_JSON, remote_addr=peer, http_x_forwarded_for=forwarded),
        changed(CADDY, request=caddy),
        changed(TRAEFIK, ClientHost=peer, **{"request_X-Forwarded-For": forwarded}),
        f"{IIS_START}\n#Fields: {IIS_FIELDS} X-Forwarded-For\n"
        f"{IIS_LINE.replace('8.8.8.8', peer)} {forwarded.replace(' ', '+')}",
        CLOUDFRONT.replace("8.8.8.8", peer).replace("\t0.001\t-\t", f"\t0.001\t{forwarded.replace(' ', '%20')}\t"),
    ]
    assert [one(log).address for log in logs] == [address] * len(logs)


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "zone", "at"),
    [
        ("2026-08-31T10:00:05Z", "UTC", NOON),
        ("2026-08-31T10:00:05.999999999Z", "Asia/Tokyo", NOON),
        ("2026-08-31T05:30:05-04:30", "UTC", NOON),
        ("2026-08-31 12:00:05", "Europe/Berlin", NOON),
        ("31/Aug/2026:12:00:05 +0200", "UTC", NOON),
        (f"{NOON}.123", "UTC", NOON),
        (NOON, "UTC", NOON),
        (NOON * 1000 + 1, "UTC", NOON),
        (NOON * 10**9 + 1, "UTC", NOON),
    ],
)
def test_a_time_of_json_is_read_however_it_is_written(written, zone, at):
    log = changed({name: value for name, value in NGINX_JSON.items() if name != "time_iso8601"}, time=written)
    assert one(log, zone=ZoneInfo(zone)).time == at
    assert one(changed(CADDY, ts=written), zone=ZoneInfo(zone)).time == at


@pytest.mark.parametrize(
    "written", ["", "yesterday", None, [], True, -1, 10**300, 1e300, "nan", "9999-12-31T00:00:00Z"]
)
def test_what_is_no_time_makes_a_line_broken(written):
    assert one(changed(CADDY, ts=written)) == BROKEN


def test_haproxys_time_is_of_the_zone_that_is_given():
    log = HAPROXY.replace(":10:00:05", ":12:00:05")
    assert one(log, zone=ZoneInfo("Europe/Berlin")) == one(HAPROXY) == HIT


def test_advanced_logging_of_iis_has_local_times_and_quotes():
    fields = (
        "date-local time-local s-ip cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) cs(Referer) cs(Host) "
        "sc-status"
    )
    line = f'2026-08-31 12:00:05.363 10.0.0.1 GET /a x=1 "8.8.8.8" "{AGENT}" "{GOOGLE}" "example.com" 200'
    assert one(f"#Fields: {fields}\n{line}", zone=ZoneInfo("Europe/Berlin")) == HIT


# ── what the formats have of their own ───────────────────────────────────────────────────────────────────────────────


def test_nginx_json_has_the_fields_names_that_people_give():
    log = {
        "date": "2026-08-31T12:00:05+02:00",
        "ip": "8.8.8.8",
        "host": "example.com",
        "path": "/a?x=1",
        "status": "200",
        "referrer": GOOGLE,
        "user_agent": AGENT,
        "length": 512,
    }
    assert one(json.dumps(log)) == HIT
    whole = {"msec": f"{NOON}.001", "remote_addr": "8.8.8.8", "request": "GET /a?x=1 HTTP/1.1", "status": 200}
    assert one(json.dumps(whole)) == HIT._replace(host="", referrer="", user_agent=NO_AGENT)
    parts = NGINX_JSON | {"request_uri": "", "uri": "/a", "args": "x=1"}
    assert one(json.dumps(parts)) == HIT


def test_bytes_that_nginx_writes_into_json_are_read():
    line = json.dumps(NGINX_JSON).replace("/a?x=1", "/caf\\xC3\\xA9?x=\\x22")
    assert one(line).path == '/café?x="'


def test_caddy_of_before_has_the_address_with_its_port():
    request = {name: value for name, value in CADDY["request"].items() if name not in ("remote_ip", "client_ip")}
    assert one(changed(CADDY, request=request | {"remote_addr": "8.8.8.8:4711"})) == HIT


def test_whoever_sends_no_agent_is_told_from_a_log_without_agents():
    nobody = CADDY["request"] | {"headers": {"Accept": ["*/*"]}}
    bare = CADDY["request"] | {"headers": {}}
    assert one(changed(CADDY, request=nobody)).user_agent == ""
    assert one(changed(CADDY, request=bare)).user_agent == NO_AGENT
    assert one(changed(NGINX_JSON, http_user_agent="-")).user_agent == ""
    assert one(json.dumps({k: v for k, v in TRAEFIK.items() if "request_" not in k})).user_agent == NO_AGENT


def test_addresses_of_cloudfront_are_as_they_were_sent():
    log = CLOUDFRONT.replace("\t/a\t", "\t/caf%25C3%25A9\t").replace(f"\t{GOOGLE}\t", "\thttps://x.example/%2525\t")
    assert (one(log).path, one(log).referrer) == ("/caf%C3%A9?x=1", "https://x.example/%25")


def test_a_line_with_more_or_fewer_values_than_fields_is_broken():
    log = f"{IIS_START}\n#Fields: {IIS_FIELDS}\n{IIS_LINE} more\n{IIS_LINE.rpartition(' ')[0]}\n{IIS_LINE}\n"
    assert found(log) == [BROKEN, BROKEN, HIT]


def test_fields_change_in_the_middle_of_a_w3c_log():
    log = f"{IIS}\n#Fields: time date c-ip sc-status cs-uri-stem\n10:00:05 2026-08-31 8.8.8.8 200 /b\n#Fields: x\na\n"
    bare = HIT._replace(path="/b", host="", referrer="", user_agent=NO_AGENT)
    assert found(log) == [HIT, bare, BROKEN, BROKEN]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (ALB.replace(" 200 200 ", " 460 - ").replace("10.0.0.1:80 0.001", "- -1"), "not_ok"),
        (ALB.replace(" 200 200 ", " - - "), "not_ok"),
        (ALB.replace("GET https", "POST https"), "not_get"),
        (HAPROXY.replace('"GET /a?x=1 HTTP/1.1"', '"<BADREQ>"').replace(" 200 ", " 400 "), "not_get"),
        (HAPROXY.replace("GET /a?x=1", "GET /a.png"), "not_a_page"),
        (changed(CADDY, status=404), "not_ok"),
        (changed(CADDY, status=308), "not_ok"),
        (changed(TRAEFIK, RequestMethod="HEAD"), "not_get"),
        (changed(TRAEFIK, RequestPath="/feed/"), "not_a_page"),
        (changed(NGINX_JSON, status="304"), None),
    ],
)
def test_what_is_no_page_is_none_in_any_format(line, why):
    assert one(line) == (Skipped(why) if why else HIT._replace(status=304))


def test_ipv6_addresses_with_a_port_are_read():
    assert one(ALB.replace("8.8.8.8:2817", "[2001:4860::8888]:2817")).address == "2001:4860::8888"
    assert one(HAPROXY.replace("8.8.8.8:33317", "2001:4860::8888:33317")).address == "2001:4860::8888"
    assert one(HAPROXY.replace("8.8.8.8:33317", "::ffff:8.8.8.8:33317")).address == "8.8.8.8"


def test_haproxys_captured_headers_may_be_fewer_or_escaped():
    assert one(HAPROXY.replace(f"{{example.com|{GOOGLE}|{AGENT}}} {{}} ", "")) == HIT._replace(
        host="", referrer="", user_agent=NO_AGENT
    )
    log = HAPROXY.replace(f"{GOOGLE}|", "8.8.4.4|").replace("8.8.8.8", "10.0.0.1").replace("Linux", "#7B#7CLinux")
    assert one(log) == HIT._replace(address="8.8.4.4", referrer="", user_agent=AGENT.replace("Linux", "{|Linux"))


# ── hostile lines ────────────────────────────────────────────────────────────────────────────────────────────────────

SAMPLES = [log for _, log, _ in LOGS] + [prefix + COMBINED for prefix in PREFIXES]


def sane(hit):
    return isinstance(hit, Skipped) or (0 <= hit.time < 2**34 and hit.path[0] == "/" and hit.path.encode() is not None)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_no_damage_to_a_line_raises(log, data):
    cut = data.draw(st.integers(0, len(log)))
    end = data.draw(st.integers(cut, min(len(log), cut + 40)))
    damaged = log[:cut] + data.draw(st.text(max_size=12)) + log[end:]
    assert all(sane(hit) for hit in found(damaged))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([NGINX_JSON, CADDY, TRAEFIK, CADDY["request"]]), st.data())
def test_no_value_in_json_raises(log, data):
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    name = data.draw(st.sampled_from(sorted(log)))
    made = log | {name: data.draw(values)}
    whole = made if log is not CADDY["request"] else CADDY | {"request": made}
    assert all(sane(hit) for hit in found(json.dumps(whole)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5), st.sampled_from(["", *NAMES]))
def test_no_bytes_raise_in_any_format(lines, name):
    assert all(sane(hit) for hit in LogReader(name).read(lines))


@pytest.mark.parametrize(
    "line",
    [
        "a " * 30_000,
        "8.8.8.8, " * 7_000 + '- - [31/Aug/2026:10:00:05 +0000] "GET / HTTP/1.1" 200 1',
        f'{COMBINED} "' + "8," * 30_000 + '"',
        '{"a":"' + "\\x41" * 16_000,
        "[" * 60_000,
        "<1>1 " + "[a " * 20_000,
        "<1>1 2026-08-31T10:00:05Z a b c d " + '[a="' * 15_000,
        "web | " * 10_000,
        "#Fields: " + "c-ip " * 12_000,
        HAPROXY.replace("example.com|", "|" * 60_000),
        ALB.replace("Mozilla", '\\"' * 30_000),
        "\x1b[0m" * 15_000,
        "1:" * 30_000 + " - - " + COMBINED[16:],
    ],
    ids=lambda line: line[:20],
)
def test_the_longest_lines_are_read_in_a_moment(line):
    began = time.process_time()
    for name in ("", *NAMES):
        list(LogReader(name).read([line[: 64 * 1024]]))
    assert time.process_time() - began < 3
