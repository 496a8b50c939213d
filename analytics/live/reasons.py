"""Why an event became what it became: a code for programs, and the words that people read.

The codes are in answers, in the counters and in the database: a code that was given once is not renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason is its code; `label` names it on a page, `advice` says why and what to do."""

    label: str
    advice: str

    def __new__(cls, code: str, label: str, advice: str) -> Self:
        """A member of its code."""
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.label, reason.advice = label, advice
        return reason


class StoredReason(Reason):
    """Of what is counted."""

    COUNTED = "", "Stored", "Counted."
    AFTER_LEAVE = "after_leave", "After leaving", "A late heartbeat: it adds to its page's totals."


class DuplicateReason(Reason):
    """Of what was sent again."""

    KNOWN_ID = "", "Sent again", "Counted once: the same id had come before."


class FilteredReason(Reason):
    """Of what was understood and deliberately not stored."""

    BOT = "bot", "Robots", "They say so themselves; their names are listed."
    OPTED_OUT = (
        "opted_out",
        "Do Not Track or Global Privacy Control",
        "The visitor's wish. It is kept; there is nothing to do.",
    )
    PREFETCH = (
        "prefetch",
        "Fetched ahead",
        "The browser prefetched or prerendered the page; perhaps nobody has seen it.",
    )
    DATACENTER = "datacenter", "Data centre", "A proxy that you trust marked the address as a data centre's."
    SPAM_REFERRER = (
        "spam_referrer",
        "Referrer spam",
        "The page that led here is a known spammer's. FOOTFALL_SPAM_REFERRERS names another list.",
    )
    EXCLUDED_ADDRESS = "excluded_address", "Excluded address", "Your own setting, see Settings, Filters."
    EXCLUDED_PATH = "excluded_path", "Excluded path", "Your own setting, see Settings, Filters."
    EXCLUDED_HOST = "excluded_host", "Excluded host", "Your own setting, or a host that you chose to ignore."
    UNLISTED_HOST = "unlisted_host", "Unlisted host", "Include the host below if its pages are yours."
    UNKNOWN_PAGEVIEW = (
        "unknown_pageview",
        "Leave without its page",
        "The page itself was not stored, so its end says nothing.",
    )


class RejectedReason(Reason):
    """Of what is wrong and would be as wrong if it were sent again."""

    UNKNOWN_PAGEVIEW = (
        "unknown_pageview",
        "Heartbeat without its page",
        "The page itself was not stored, and the heartbeat has no address of its own.",
    )
    UNKNOWN_SITE = "unknown_site", "Unknown site", "The site was removed, or data-site names another."
    WRONG_FIELD = "wrong_field", "Wrong field", "What was sent breaks a limit; the collector's answer names it."
    MISSING_FIELD = "missing_field", "Missing field", "The collector's answer names it."
    BAD_NUMBER = "bad_number", "Number out of range", "No database holds it."
    BAD_JSON = "bad_json", "No JSON", "The body could not be read."
    BAD_ENCODING = "bad_encoding", "No UTF-8", "The body could not be read."
    TOO_DEEP = "too_deep", "Nested too deep", "No event of ours is."
    NOT_AN_OBJECT = "not_an_object", "No object", "An event is a JSON object."
    EMPTY = "empty", "Empty batch", "An array without an event."
    TOO_MANY = "too_many", "Batch too large", "At most 100 events go into one request."
    WRONG_CONTENT_TYPE = "wrong_content_type", "Wrong content type", "It takes application/json or text/plain."
    ENCODED_BODY = "encoded_body", "Compressed body", "It is not taken."
    BODY_TOO_LARGE = "http_413", "Body too large", "At most 64 KiB are read."
    BAD_TIME = "bad_time", "Wrong time", "More than 7 days back or 5 minutes ahead."


class ShedReason(Reason):
    """Of what was not taken for now, and may be sent again."""

    TOO_MANY_REQUESTS = (
        "too_many_requests",
        "Over the rate",
        "One address sent more a minute than FOOTFALL_COLLECT_RATE.",
    )
    QUEUE_FULL = "queue_full", "Queue full", "More came than could be stored; the script sends it again."
    SITE_QUEUE_FULL = (
        "site_queue_full",
        "Site's queue full",
        "More came of one site than could be stored; the script sends it again.",
    )
    DATABASE_AWAY = "database_away", "Database away", "It could not be written; the script sends it again."
    BUSY = "busy", "Too much at once", "It came in too many pieces at once; the script sends it again."
    STOPPING = "stopping", "Server stopping", "The script sends it again."


REASONS: Mapping[str, type[Reason]] = {
    "stored": StoredReason,
    "duplicate": DuplicateReason,
    "filtered": FilteredReason,
    "rejected": RejectedReason,
    "shed": ShedReason,
}
"""The reasons of each outcome. A refusal of the HTTP connection itself has none: its code is `http_` and the status."""


def reason_of(outcome: str, code: str) -> Reason | None:
    """The reason of that code, None where this version knows none."""
    return next((reason for reason in REASONS.get(outcome, ()) if reason == code), None)
