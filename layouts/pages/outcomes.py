"""The words for the outcomes of events, as the pages show them."""

from __future__ import annotations

from analytics.base.words import N_, _
from analytics.live.reasons import reason_of

FIELDS = {
    "title": N_("No text, or longer than 300 letters: then it is cut."),
    "screen": N_("No pair of whole numbers, width and height."),
    "language": N_("No text, or longer than 35 letters."),
    "timezone": N_("No text, or longer than 64 letters."),
    "referrer": N_("No text."),
}
"""The fields that an event may lose and still count, each with the reason for which it is dropped."""

KINDS = {"filtered": N_("Left out"), "rejected": N_("Refused"), "shed": N_("Turned away")}
OF_UNKNOWN = {"filtered": N_("Left out."), "rejected": N_("Refused."), "shed": N_("Turned away.")}


def words(outcome: str, reason: str) -> tuple[str, str]:
    """Label and advice of a reason; the code itself where it is unknown, such as one of another version."""
    if (known := reason_of(outcome, reason)) is not None:
        return _(known.label), _(known.advice)
    return reason.replace("_", " ").capitalize() or outcome.capitalize(), _(OF_UNKNOWN.get(outcome, ""))
