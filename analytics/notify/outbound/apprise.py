"""Everything else, through the package `apprise` (an extra), in a process of its own.

The services of apprise open connections as they like: to a host in the URL, after a redirect, to a name that leads
elsewhere by now. So they run in a process whose connections are all checked (`apprise_process.py`), and which ends
after a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from importlib.util import find_spec

from analytics.base.errors import InvalidInput, message
from analytics.notify.channel import NotificationChannel
from analytics.notify.notification import RESOLVED
from analytics.notify.outbound.answer import ChannelAnswer, failure, line_of
from analytics.notify.outbound.message import OutboundMessage, facts_of, headline_of, lines_of, links_of
from analytics.notify.outbound.outside import Outside

TIMEOUT_S = 30.0  # starting takes a second of it
MAX_PROCESSES = 2
BUSY = "other messages are being sent by apprise"
_processes = threading.BoundedSemaphore(MAX_PROCESSES)  # each has memory of its own

MISSING = "the package apprise is not installed where Footfall runs: `.venv/bin/python -m pip install apprise`"
SCRIPT = "analytics.notify.outbound.apprise_process"


def send(channel: NotificationChannel, message: OutboundMessage, outside: Outside, _now: int) -> ChannelAnswer:
    """Sends the message to the service of the channel's address, like `tgram://TOKEN/CHAT`."""
    if find_spec("apprise") is None:
        return failure(MISSING, final=True)
    asked = {"url": channel.address, "title": headline_of(message), "body": text_of(message), "urgent": _level(message)}
    return _run(asked, outside)


def check(url: str, outside: Outside) -> str:
    """The URL if apprise knows it and it leads nowhere that is refused; else `InvalidInput`. Nothing is sent."""
    if find_spec("apprise") is None:
        raise InvalidInput(message("apprise: {why}", why=MISSING))
    answer = _run({"url": url}, outside)
    if not answer.sent:
        raise InvalidInput(message("to: {why}", why=answer.text))
    return url


def text_of(message: OutboundMessage) -> str:
    """The message below its title, as plain text."""
    facts = "\n".join(f"{name}: {value}" for name, value in facts_of(message))
    links = "\n".join(f"{link.label}: {link.url}" for link in links_of(message))
    return "\n\n".join(part for part in (message.text, "\n".join(lines_of(message)), facts, links) if part)


def _level(message: OutboundMessage) -> str:
    """How apprise calls what kind of message it is."""
    if message.type == RESOLVED:
        return "success"
    return {"high": "warning", "urgent": "failure"}.get(message.priority, "info")


def _environment() -> dict[str, str]:
    """Ours without our settings, some of which are secret, and without proxies, which reach what is refused here."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("FOOTFALL_") and not name.lower().endswith("_proxy")
    }


def _run(asked: dict[str, str], outside: Outside) -> ChannelAnswer:
    if not _processes.acquire(timeout=TIMEOUT_S):
        return failure(BUSY)
    try:
        return _answered(json.dumps(asked | {"allowed": ",".join(map(str, outside.allowed))}))
    finally:
        _processes.release()


def _answered(given: str) -> ChannelAnswer:
    try:
        done = subprocess.run(  # noqa: S603  # our own module, with the URL on its standard input
            [sys.executable, "-m", SCRIPT],
            input=given,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return failure(f"apprise did not end within {TIMEOUT_S:g} s")
    except OSError as failed:
        return failure(f"apprise cannot be started: {failed.strerror}")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return failure("apprise failed")
    return ChannelAnswer(answer["sent"], None, line_of(answer["text"]), final=answer["final"])
