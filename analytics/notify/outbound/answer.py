"""What came of an attempt to send: `ChannelAnswer`."""

from __future__ import annotations

from typing import NamedTuple

MAX_TEXT = 500


class ChannelAnswer(NamedTuple):
    """What the receiver answered, or why there is no answer.

    `status` is that of HTTP or SMTP, None if there was none. `text` is one line, at most `MAX_TEXT` characters.
    `retry_after_s` is how long the receiver wants to be left alone. `final`: another attempt would not help. `gone`:
    the receiver is no more, the channel has to be disabled.
    """

    sent: bool
    status: int | None
    text: str
    retry_after_s: int | None = None
    final: bool = False
    gone: bool = False


def line_of(text: str) -> str:
    """The text as one line for the log of deliveries: no control characters, at most `MAX_TEXT` characters."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: MAX_TEXT * 4])
    return " ".join(printable.split())[:MAX_TEXT]


def failure(text: str, *, final: bool = False) -> ChannelAnswer:
    """The answer where nothing was answered."""
    return ChannelAnswer(False, None, line_of(text), final=final)
