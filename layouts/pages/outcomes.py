"""The words for what became of an event, as the pages show them."""

from __future__ import annotations

from analytics.live.reasons import reason_of

FIELDS = {
    "title": "No text, or longer than 300 letters: then it is cut.",
    "screen": "No pair of whole numbers, width and height.",
    "language": "No text, or longer than 35 letters.",
    "timezone": "No text, or longer than 64 letters.",
    "referrer": "No text.",
}
"""The fields without which an event counts all the same, and what is wrong with one that is left out."""

KINDS = {"filtered": "Left out", "rejected": "Refused", "shed": "Turned away"}


def words(outcome: str, reason: str) -> tuple[str, str]:
    """Label and advice of a reason; of one that has none, such as of another version, the code itself."""
    if (known := reason_of(outcome, reason)) is not None:
        return known.label, known.advice
    return reason.replace("_", " ").capitalize() or outcome.capitalize(), KINDS.get(outcome, "") + "."
