"""Searches every file that the process wrote for a marked address and a marked user agent."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import SITE, Report, footfall
from benchmarks.postgresql import postgresql
from tests.support.serving import Server, event, heartbeat, leave, pageview

V4, V6 = "203.0.113.177", "2001:db8:5eed:beef:0:7777:cafe:177"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; zq7markedagent) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
CONTROL = "zq7-control"  # goes into a path, which is stored: a search that does not find it proves nothing
_V4, _V6 = ipaddress.ip_address(V4), ipaddress.ip_address(V6)
MARKS = {  # as text, hex, number and bytes; the four bytes of an IPv4 address would turn up by chance
    "the IPv4 address": [V4.encode(), _V4.packed.hex().encode(), str(int(_V4)).encode()],
    "the IPv6 address": [
        *(text.encode() for text in (V6, _V6.compressed, _V6.exploded, _V6.packed.hex(), str(int(_V6)))),
        _V6.packed,
    ],
    "the user agent": [b"zq7markedagent"],
}


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the hits for each way to end and each database; a short run is the same on SQLite alone."""
    ends: dict[str, Callable[[Server], Any]] = {"SIGTERM": Server.stop, "kill -9": Server.kill}
    for number, (how, end) in enumerate(ends.items()):
        _measure(report, f"SQLite, {how}", folder / f"sqlite-{number}", "", end)
        if short:
            continue
        with postgresql(folder / f"server-{number}") as address:
            _measure(report, f"PostgreSQL, {how}", folder / f"server-{number}", address, end)


def _measure(report: Report, name: str, folder: Path, address: str, end: Callable[[Server], Any]) -> None:
    for known in ("home", "tmp"):
        (folder / known).mkdir(parents=True, exist_ok=True)
    places = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "home")}
    with footfall(folder, address, **places, FOOTFALL_LOG_LEVEL="DEBUG") as server:
        sent = _visit(server)
        end(server)
    (folder / "stdout").write_text("\n".join(server.lines))
    (folder / "stderr").write_text("".join(server.errors))
    contents = {path: path.read_bytes() for path in _files(folder)}
    size = sum(map(len, contents.values())) / 1e6
    report.say(f"  {name}: answers {sent} · {len(contents)} files, {size:.1f} MB, data, logs (DEBUG), temporary files")
    controls = sum(content.count(CONTROL.encode()) for content in contents.values())
    report.figure("  hits of the control, which is stored", f"{controls}")
    report.zero("  searches that do not find the control", int(not controls))
    for what, marks in MARKS.items():
        hits = [path for path, content in contents.items() if _has(content, marks)]
        report.zero(f"  files with {what}", len(hits))
        for path in hits:
            report.say(f"      {path.relative_to(folder)}")


def _has(content: bytes, marks: list[bytes]) -> bool:
    lowered = content.lower()
    return any(mark in content or mark.lower() in lowered for mark in marks)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _visit(server: Server) -> str:
    """Everything that a marked visitor may do, right and wrong; returns the answers by status."""
    key = server.command("key", "add", "bench", "--scope", "ingest")
    answers = []
    for address in (V4, V6):
        marked = {"X-Forwarded-For": address, "User-Agent": AGENT}
        name = f"privacy-{address[-3:]}-{len(address)}"
        stored = [
            pageview(name, f"/{CONTROL}", title="A page"),
            heartbeat(name, engaged_ms=1000),
            event(name + "-e", "Ping", props={"a": 1}),
            heartbeat("unknown-page", url=f"https://{SITE}/{CONTROL}"),
            leave(name),
        ]
        answers += [server.collect(one, marked).status for one in (*stored, stored)]
        wrong = [b"{", b"[]", b"\xff\xfe", pageview(name, site="nowhere.example"), {"site": SITE, "type": "odd"}]
        wrong += [pageview(name + "-w", screen="wide"), heartbeat("never-seen-1"), [stored[0], {}, 7]]
        answers += [server.collect(one, marked).status for one in wrong]
        refused = [{"DNT": "1"}, {"Sec-GPC": "1"}, {"Content-Type": "image/png"}, {"Content-Length": "99999999"}]
        answers += [server.collect(pageview(name + "-r"), marked | more).status for more in refused]
        answers.append(server.collect(pageview(name + "-b"), marked | {"User-Agent": AGENT + " Googlebot/2.1"}).status)
        spoken_for = pageview(name + "-k", f"/{CONTROL}", ip=address, user_agent=AGENT)
        answers.append(server.collect(spoken_for, {"Authorization": f"Bearer {key}"}).status)
        answers += _walk(server, marked)
    return json.dumps({str(status): answers.count(status) for status in sorted(set(answers))})


def _walk(server: Server, marked: dict[str, str]) -> list[int]:
    """The same visitor at the other routes: pages, the script, live routes, sign-in with a wrong password."""
    paths = (
        "/",
        f"/live/{SITE}",
        "/js/footfall.js",
        f"/api/live?site={SITE}",
        "/embed/live?token=x",
        "/sign-in",
        "/no",
    )
    found = [server.request("GET", path, headers=marked).status for path in paths]
    form = {"Content-Type": "application/x-www-form-urlencoded"} | marked
    for _ in range(3):
        found.append(server.request("POST", "/sign-in", "email=a%40example.com&password=wrong", form).status)
    callback = {"Content-Type": "application/json"} | marked
    found.append(server.request("POST", "/_dash-update-component", "{}", callback).status)
    return found
