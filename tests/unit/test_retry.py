"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

import pytest

from analytics.notify import retry
from analytics.notify.delivery import DeliveryState
from analytics.notify.outbound.answer import ChannelAnswer, failure
from analytics.notify.outbound.http_channel import answered
from analytics.notify.outbound.http_post import HttpAnswer
from analytics.notify.retry import Next, after_attempt

NOW = 1_800_000_000
FAILED = failure("no answer within 15 s")


def test_the_schedule_is_that_of_standard_webhooks():
    delays = [after_attempt(attempts, FAILED, 0, 0.0) for attempts in range(1, 11)]
    waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert delays == [*(Next(DeliveryState.WAITING, wait) for wait in waits), Next(DeliveryState.FAILED, 0)]
    assert sum(waits) < retry.DISABLED_AFTER_S, "a channel is tried for longer than one delivery"


def test_jitter_adds_a_tenth_at_most():
    assert after_attempt(3, FAILED, NOW, 0.5) == Next(DeliveryState.WAITING, NOW + 1_890)
    assert after_attempt(3, FAILED, NOW, 1.0) == Next(DeliveryState.WAITING, NOW + 1_980)


@pytest.mark.parametrize(
    ("answer", "attempts", "following"),
    [
        (ChannelAnswer(True, 204, ""), 1, Next(DeliveryState.SENT, NOW)),
        (ChannelAnswer(True, 200, "ok"), 10, Next(DeliveryState.SENT, NOW)),
        (ChannelAnswer(False, 301, ""), 1, Next(DeliveryState.WAITING, NOW + 5)),
        (ChannelAnswer(False, 500, ""), 2, Next(DeliveryState.WAITING, NOW + 300)),
        (ChannelAnswer(False, 429, "", retry_after_s=60), 1, Next(DeliveryState.WAITING, NOW + 60)),
        (ChannelAnswer(False, 429, "", retry_after_s=60), 2, Next(DeliveryState.WAITING, NOW + 300)),
        (ChannelAnswer(False, 503, "", retry_after_s=10**9), 1, Next(DeliveryState.WAITING, NOW + 86_400)),
        (ChannelAnswer(False, 429, "", retry_after_s=60), 10, Next(DeliveryState.FAILED, NOW)),
        (ChannelAnswer(False, 410, "", final=True, gone=True), 1, Next(DeliveryState.FAILED, NOW)),
        (failure("blocked_address: …", final=True), 1, Next(DeliveryState.FAILED, NOW)),
    ],
)
def test_what_follows_an_answer(answer, attempts, following):
    assert after_attempt(attempts, answer, NOW, 0.0) == following


@pytest.mark.parametrize(
    ("http", "answer"),
    [
        (HttpAnswer(200, "ok"), ChannelAnswer(True, 200, "ok")),
        (HttpAnswer(299, ""), ChannelAnswer(True, 299, "")),
        (HttpAnswer(200, "x", None, "the answer ended early"), ChannelAnswer(False, 200, "the answer ended early")),
        (HttpAnswer(302, "moved", 9), ChannelAnswer(False, 302, "redirects are not followed")),
        (HttpAnswer(400, "bad"), ChannelAnswer(False, 400, "bad")),
        (HttpAnswer(404, "none"), ChannelAnswer(False, 404, "none")),
        (HttpAnswer(410, "gone"), ChannelAnswer(False, 410, "gone", final=True, gone=True)),
        (HttpAnswer(429, "slow", 9), ChannelAnswer(False, 429, "slow", 9)),
        (HttpAnswer(500, "down", 9), ChannelAnswer(False, 500, "down")),
        (HttpAnswer(502, "down", 9), ChannelAnswer(False, 502, "down", 9)),
        (HttpAnswer(503, "down", 9), ChannelAnswer(False, 503, "down", 9)),
        (HttpAnswer(504, "down", 9), ChannelAnswer(False, 504, "down", 9)),
    ],
)
def test_what_an_http_answer_means(http, answer):
    assert answered(http) == answer


def test_a_channel_is_given_up_after_five_days_of_failures():
    assert not retry.is_given_up(NOW, NOW + 5 * 86_400 - 1)
    assert retry.is_given_up(NOW, NOW + 5 * 86_400)
