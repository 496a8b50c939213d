"""The words for the outcomes of events, as the pages show them."""

from __future__ import annotations

from analytics.live.reasons import reason_of

FIELDS = {
    "title": "No text, or longer than 300 letters: then it is cut.",
    "screen": "No pair of whole numbers, width and height.",
    "language": "No text, or longer than 35 letters.",
    "timezone": "No text, or longer than 64 letters.",
    "referrer": "No text.",
}
"""The fields that an event may lose and still count, each with the reason for which it is dropped."""

KINDS = {"filtered": "Left out", "rejected": "Refused", "shed": "Turned away"}


def words(outcome: str, reason: str) -> tuple[str, str]:
    """Label and advice of a reason; the code itself where it is unknown, such as one of another version."""
    if (known := reason_of(outcome, reason)) is not None:
        return known.label, known.advice
    return reason.replace("_", " ").capitalize() or outcome.capitalize(), KINDS.get(outcome, "") + "."
