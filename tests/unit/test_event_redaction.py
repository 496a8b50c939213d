"""The addresses in the script's own events."""

from __future__ import annotations

import pytest

from collector.ingest.event import Event
from collector.ingest.redaction import with_redacted_address

JWT = "eyJhbGciOiJIUzI1NiJ9.e30.x"


def event(name: str, **props) -> Event:
    return Event(site="example.com", type="event", id="event-01", url="https://example.com/", name=name, props=props)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://video.example/watch?v=abc&t=1", "https://video.example/watch?v=abc&t=1"),
        ("https://a.example/ann@b.example/x", "https://a.example/:redacted/x"),
        (f"https://a.example/x?v=1&token={JWT}", "https://a.example/x"),
        ("https://a.example/x?mail=ann%40b.example", "https://a.example/x"),
    ],
)
def test_what_names_a_person_or_opens_a_door_is_left_out_of_the_address(sent, kept):
    assert with_redacted_address(event("Outbound Link: Click", url=sent, nth=2)) == event(
        "Outbound Link: Click", url=kept, nth=2
    )


def test_of_downloads_and_missing_pages_too():
    secret = "0123456789abcdef" * 2
    assert with_redacted_address(event("File Download", url=f"https://a.example/{secret}/a.pdf")).props == {
        "url": "https://a.example/:redacted/a.pdf"
    }
    assert with_redacted_address(event("404", path=f"/reset/{secret}")).props == {"path": "/reset/:redacted"}


@pytest.mark.parametrize(
    "event",
    [
        event("Signup", url="https://a.example/ann@b.example", path="/ann@b.example"),
        event("404", url="https://a.example/ann@b.example"),
        event("404", path=404),
        event("404"),
        event("File Download", url="https://a.example/x.pdf"),
    ],
)
def test_everything_else_stays_as_it_was_sent(event):
    assert with_redacted_address(event) is event
