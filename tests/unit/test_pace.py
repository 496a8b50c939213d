"""The pace of each kind of channel, and what a receiver asks for on top of it."""

from __future__ import annotations

import pytest

from analytics.notify.channel import ChannelKind
from analytics.notify.pace import PACES, Pacing

OPS = 7  # the id of a channel


def moments(kind: str, many: int, takes_s: int = 0) -> list[int]:
    """The seconds at which so many messages begin that are all due at 0, where an attempt takes so long."""
    pacing, begun, now = Pacing(), [], 0
    while len(begun) < many:
        if OPS in pacing.paced(now):
            now += 1
        else:
            begun.append(now)
            now += takes_s
            pacing.attempted(OPS, kind, now)
    return begun


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (ChannelKind.WEBHOOK, [*[0] * 60, *[60] * 60, *[120] * 5]),
        (ChannelKind.SLACK, [0, 1, 2, 3, 4]),
        (ChannelKind.DISCORD, [0, 1, 2, 3, 4]),
        (ChannelKind.EMAIL, [*[0] * 10, *[60] * 10, *[120] * 5]),
        (ChannelKind.APPRISE, [*[0] * 20, *[60] * 20, *[120] * 5]),
    ],
)
def test_a_burst_goes_at_once_up_to_the_pace_and_the_rest_a_minute_later(kind, seconds):
    assert moments(kind, len(seconds)) == seconds


def test_every_kind_has_a_pace():
    assert set(PACES) == set(ChannelKind)


def test_a_slow_receiver_is_not_slowed_further():
    assert moments(ChannelKind.EMAIL, 30, takes_s=7) == [7 * number for number in range(30)]


def test_a_receiver_may_ask_for_a_longer_rest():
    pacing = Pacing()
    pacing.attempted(OPS, ChannelKind.SLACK, 100, retry_after_s=30)
    assert [now for now in range(100, 140) if OPS in pacing.resting(now)] == list(range(100, 130))


def test_each_channel_has_its_own():
    pacing = Pacing()
    pacing.attempted(OPS, ChannelKind.SLACK, 100)
    pacing.attempted(8, ChannelKind.WEBHOOK, 100)
    assert (pacing.paced(100), pacing.resting(100)) == ({OPS}, set())
