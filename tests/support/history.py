"""A few visits whose numbers can be computed by hand, stored by the collector's own rules: 10 to 12 March 2026, UTC.

Visit  visitor  from                 when              what
A      1        Google, DE, Firefox  10th 10:00–10:10  / (30 s, 50 %), /pricing (90 s, 100 %), event Signup plan=pro
B      2        nowhere, DE, Chrome  10th 10:30        / (10 s, 20 %)
C      3, u1    Google, FR, Firefox  10th 23:50–00:20  /blog/a (60 s, 80 %), on the 11th /blog/b (no reading) and
                                                       event Purchase plan=pro seats=3, 20 EUR
D      1        newsletter, DE       11th 09:00–09:01  / (20 s, 30 %), / again (40 s, 60 %)
E      4        nowhere, US          11th 12:00        event Download plan=free on /files, 30 EUR, and no pageview
F      5        Google, US           12th 08:00        /docs/x/y (no reading)
G      6        nowhere              11th 15:00        a heartbeat of a pageview that never came
H      7        another site         11th 10:00        /
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from analytics.storage.database import Database
from collector.ingest.accepted import Accepted
from collector.ingest.visit import Origin
from tests.support.factories import accepted, event, heartbeat, stored

ORGANIC = {"source": "Google", "channel": "Organic Search", "referrer": "google.com"}
A = Origin(
    "example.com",
    **ORGANIC,
    country="DE",
    city="Berlin",
    browser="Firefox",
    browser_version="140",
    os="GNU/Linux",
    screen="1440x900",
    language="de-DE",
)
B = Origin("example.com", channel="Direct", country="DE", browser="Chrome", device="Mobile")
C = Origin("example.com", **ORGANIC, country="FR", city="Paris", browser="Firefox", os="Mac")
D = Origin(
    "example.com", "newsletter", "Email", utm_source="newsletter", utm_medium="email", country="DE", browser="Firefox"
)
E = Origin("example.com", channel="Direct", country="US", browser="Chrome")
F = Origin("example.com", **ORGANIC, country="US", browser="Safari")
SUPPLIER: dict[str, Any] = {"user_id": "u1", "user_type": "supplier"}


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    """That moment of March 2026 (UTC) in seconds since the epoch."""
    return int(datetime(2026, 3, day, hour, minute, tzinfo=UTC).timestamp())


def reading(page_id: str, when: int, visitor: int, engaged_s: int, scroll: int, **fields: Any) -> Accepted:
    """The last reading of a page: engaged time and scroll depth."""
    return heartbeat(page_id, at=when, visitor=visitor, engaged_ms=engaged_s * 1000, scroll=scroll, **fields)


def keep_history(database: Database) -> None:
    """Stores the visits above, as site 1 (and H as site 2)."""
    stored(
        database,
        accepted(page_id="view-a-01", at=at(10, 10), visitor=1, origin=A),
        reading("view-a-01", at(10, 10, 4), 1, 30, 50),
        accepted(page_id="view-a-02", at=at(10, 10, 5), visitor=1, path="/pricing", origin=A),
        event("event-a-1", at=at(10, 10, 10), visitor=1, path="/pricing", origin=A, props={"plan": "pro"}),
        reading("view-a-02", at(10, 10, 11), 1, 90, 100),
        accepted(page_id="view-b-01", at=at(10, 10, 30), visitor=2, origin=B),
        reading("view-b-01", at(10, 10, 31), 2, 10, 20),
        accepted(page_id="view-c-01", at=at(10, 23, 50), visitor=3, path="/blog/a", origin=C, **SUPPLIER),
        reading("view-c-01", at(11, 0, 9), 3, 60, 80, **SUPPLIER),
        accepted(page_id="view-c-02", at=at(11, 0, 10), visitor=3, path="/blog/b", origin=C, **SUPPLIER),
        event(
            "event-c-1",
            at=at(11, 0, 20),
            visitor=3,
            path="/blog/b",
            origin=C,
            name="Purchase",
            props={"plan": "pro", "seats": 3},
            value=20.0,
            currency="EUR",
            **SUPPLIER,
        ),
        accepted(page_id="view-d-01", at=at(11, 9), visitor=1, origin=D),
        reading("view-d-01", at(11, 9, 1), 1, 20, 30),
        accepted(page_id="view-d-02", at=at(11, 9, 1), visitor=1, origin=D),
        reading("view-d-02", at(11, 9, 2), 1, 40, 60),
        event(
            "event-e-1",
            at=at(11, 12),
            visitor=4,
            path="/files",
            origin=E,
            name="Download",
            props={"plan": "free"},
            value=30.0,
            currency="EUR",
        ),
        accepted(page_id="view-f-01", at=at(12, 8), visitor=5, path="/docs/x/y", origin=F),
        heartbeat("view-g-01", at=at(11, 15), visitor=6, url="https://example.com/lost"),
        accepted(page_id="view-h-01", at=at(11, 10), visitor=7, site_id=2),
    )
