"""Counts of one moment belong together, in a real browser: the number, its two sides, and the lists below."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from reader import add_owner, add_site, come, go
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving

NUMBERS = itertools.count()
CALLBACKS = "*_dash-update-component*"

# Before every frame that is painted: the number, signed in, anonymous, and the people of both lists, as a reader sees
# them.
SAMPLER = """
window.samples = [];
const number = (id) => Number(document.getElementById(id)?.textContent.replace(",", ""));
const people = (id) => {
  const rest = document.querySelector(`#${id} .ff-rest`);
  const rows = [...document.querySelectorAll(`#${id} tbody tr`)].map((row) => Number(row.lastChild.textContent));
  return rows.reduce((sum, one) => sum + one, rest ? parseInt(rest.textContent, 10) : 0);
};
const sample = () => {
  const all = document.getElementById("active-now")?.textContent;
  if (all && document.querySelector("#pages tbody"))
    samples.push([number("active-now"), number("signed-in"), number("anonymous"), people("pages"), people("sources")]);
  requestAnimationFrame(sample);
};
requestAnimationFrame(sample);
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        add_site(running, SITE, "UTC")
        come(running, SITE, ["the first"])
        yield running


def come_and_go(server: Server) -> None:
    """Traffic: people of both kinds, on more pages than a list has rows."""
    for number in itertools.islice(NUMBERS, 30):
        signed_in = {"user_id": f"u-{number}"} if number % 3 else {}
        come(server, SITE, [f"person {number}"], f"/page-{number % 14}", **signed_in)
        if number % 2:
            go(server, SITE, [f"person {number}"])


@pytest.mark.parametrize("stream", ["*nothing", "*/api/live/stream*"], ids=["with the stream", "without it"])
def test_the_number_is_the_sum_of_its_sides_in_every_frame(signed_in, server, stream):
    with signed_in.prepared(SAMPLER), signed_in.cut_off_from(stream):
        signed_in.open(f"/live/{SITE}")
        until(lambda: signed_in.run("return samples.length"))
        come_and_go(server)
        signed_in.click("#refresh")
        until(lambda: signed_in.run("return samples[samples.length - 1][0] > samples[0][0]"))
        samples = signed_in.run("return samples")
    assert len({number for number, *_ in samples}) > 1
    assert [sample for sample in samples if sample[0] != sample[1] + sample[2]] == []
    assert [sample for sample in samples if sample[3] != sample[4]] == []  # the lists are of one moment
    signed_in.complaints()  # of the stream that was cut off


def test_lists_that_cannot_follow_the_number_say_of_when_they_are(signed_in, server):
    signed_in.open_live(SITE)
    people = int(signed_in.text("active-now") or 0)
    with signed_in.cut_off_from(CALLBACKS):
        come(server, SITE, ["a late one"])
        signed_in.see("active-now", str(people + 1))
        until(lambda: len(found := {*signed_in.texts(".ff-age")}) == 1 and found != {""})
        (said,) = {*signed_in.texts(".ff-age")}
        assert said.startswith(f"{people} people " if people > 1 else "1 person ")
        assert said.endswith(" s ago")
        signed_in.shoot("lists-of-another-moment")
    signed_in.click("#refresh")
    until(lambda: {*signed_in.texts(".ff-age")} == {""})
    signed_in.complaints()
