"""A dry run: the result of each step for a pageview, and what would be stored. It stores and counts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from analytics.base.addresses import plain_address
from analytics.base.errors import InvalidInput, message
from analytics.sites.site import Site
from collector.ingest import pipeline
from collector.ingest.event import Event
from collector.ingest.outcomes import Filtered, Rejected, name_and_reason
from collector.ingest.pipeline import DATACENTER, STEPS, Hit, Kit
from collector.ingest.rate import Rate
from collector.ingest.visit import Origin

READ_STEP = "read_hit"
"""The name of the check before the steps: the address can be read as a page."""


class SamplePageview(NamedTuple):
    """A made-up pageview. `opted_out`: Do Not Track or Global Privacy Control is on; `datacenter`: a trusted proxy has
    marked the address as a data centre's.
    """

    url: str
    referrer: str = ""
    user_agent: str = ""
    address: str = ""
    opted_out: bool = False
    datacenter: bool = False


class Verdict(NamedTuple):
    """The result of one step. `state` is "passed", "stopped" or "not reached"; `reason` says why it stopped, `name` is
    the robot's name or the unlisted host.
    """

    step: str
    state: str
    reason: str = ""
    name: str = ""


class DryRun(NamedTuple):
    """The verdicts in the order of the steps. `host`, `path` and `origin` are what would be stored if no step stopped
    the pageview; they are empty if the address cannot be read.
    """

    verdicts: tuple[Verdict, ...]
    host: str = ""
    path: str = ""
    origin: Origin = Origin()

    @property
    def stored(self) -> bool:
        """Whether the pageview would be stored."""
        return all(verdict.state == "passed" for verdict in self.verdicts)


def dry_run(kit: Kit, site: Site, sample: SamplePageview, now_ms: int) -> DryRun:
    """Runs the steps on a pageview of that site. The rate limit always lets it pass and does not count it.

    Raises `InvalidInput` if the sample's IP address is invalid.
    """
    kit = replace(kit, rate=Rate(0))
    event = Event(site=site.domain, type="pageview", url=sample.url, referrer=sample.referrer or None)
    hit = pipeline.read_hit(event, kit, _address(sample.address), _headers(sample), now_ms, trusted=False)
    if isinstance(hit, Rejected):
        return DryRun(
            (Verdict(READ_STEP, "stopped", hit.code), *(Verdict(step.__name__, "not reached") for step in STEPS))
        )
    assert hit.page is not None
    verdicts = (Verdict(READ_STEP, "passed"), *_verdicts(hit, kit))
    origin = pipeline.origin_of(hit.page, event, hit.address, hit.agent, kit.places)
    return DryRun(verdicts, hit.page.host, hit.page.path, origin)


def _address(text: str) -> str:
    if address := plain_address(text):
        return address
    wrong = message("{address} is no address like 203.0.113.7 or 2001:db8::1", address=repr(text[:50]))
    raise InvalidInput(wrong, {"address": wrong})


def _headers(sample: SamplePageview) -> dict[str, str]:
    headers = {"user-agent": sample.user_agent}
    if sample.opted_out:
        headers["sec-gpc"] = "1"
    if sample.datacenter:
        headers["x-footfall-ip-type"] = DATACENTER
    return headers


def _verdicts(hit: Hit, kit: Kit) -> Iterator[Verdict]:
    stopped = False
    for step in STEPS:
        refusal = None if stopped else step(hit, kit)
        if refusal is None:
            yield Verdict(step.__name__, "not reached" if stopped else "passed")
        else:
            stopped = True
            name = refusal.name if isinstance(refusal, Filtered) else ""
            yield Verdict(step.__name__, "stopped", name_and_reason(refusal)[1], name)
