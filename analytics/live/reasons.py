"""Why an event became what it became: a code for programs, and the words that people read.

The codes are in answers, in the counters and in the database: a code that was given once is not renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from analytics.base.words import N_


class Reason(StrEnum):
    """A reason is its code; `label` names it on a page, `advice` says why and what to do; `_` translates both."""

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

    COUNTED = "", N_("Stored"), N_("Counted.")
    AFTER_LEAVE = "after_leave", N_("After leaving"), N_("A late heartbeat: it adds to its page's totals.")
    WITHOUT_VISITOR = (
        "without_visitor",
        N_("Without a visitor"),
        N_("Of a watched table, or of a server that speaks for no visitor: events, but nobody's visit."),
    )


class DuplicateReason(Reason):
    """Of what was sent again."""

    KNOWN_ID = "", N_("Sent again"), N_("Counted once: the same id had come before.")


class FilteredReason(Reason):
    """Of what was understood and deliberately not stored."""

    BOT = "bot", N_("Robots"), N_("They say so themselves; their names are listed.")
    OPTED_OUT = (
        "opted_out",
        N_("Do Not Track or Global Privacy Control"),
        N_("The visitor's wish. It is kept; there is nothing to do."),
    )
    PREFETCH = (
        "prefetch",
        N_("Fetched ahead"),
        N_("The browser prefetched or prerendered the page; perhaps nobody has seen it."),
    )
    DATACENTER = "datacenter", N_("Data centre"), N_("A proxy that you trust marked the address as a data centre's.")
    SPAM_REFERRER = (
        "spam_referrer",
        N_("Referrer spam"),
        N_("The page that led here is a known spammer's. FOOTFALL_SPAM_REFERRERS names another list."),
    )
    EXCLUDED_ADDRESS = "excluded_address", N_("Excluded address"), N_("Your own setting, see Settings, Filters.")
    EXCLUDED_PATH = "excluded_path", N_("Excluded path"), N_("Your own setting, see Settings, Filters.")
    EXCLUDED_HOST = "excluded_host", N_("Excluded host"), N_("Your own setting, or a host that you chose to ignore.")
    UNLISTED_HOST = "unlisted_host", N_("Unlisted host"), N_("Include the host below if its pages are yours.")
    UNKNOWN_PAGEVIEW = (
        "unknown_pageview",
        N_("Leave without its page"),
        N_("The page itself was not stored, so its end says nothing."),
    )


class RejectedReason(Reason):
    """Of what is wrong and would be as wrong if it were sent again."""

    UNKNOWN_PAGEVIEW = (
        "unknown_pageview",
        N_("Heartbeat without its page"),
        N_("The page itself was not stored, and the heartbeat has no address of its own."),
    )
    UNKNOWN_SITE = "unknown_site", N_("Unknown site"), N_("The site was removed, or data-site names another.")
    WRONG_FIELD = "wrong_field", N_("Wrong field"), N_("What was sent breaks a limit; the collector's answer names it.")
    MISSING_FIELD = "missing_field", N_("Missing field"), N_("The collector's answer names it.")
    BAD_NUMBER = "bad_number", N_("Number out of range"), N_("No database holds it.")
    BAD_JSON = "bad_json", N_("No JSON"), N_("The body could not be read.")
    BAD_ENCODING = "bad_encoding", N_("No UTF-8"), N_("The body could not be read.")
    TOO_DEEP = "too_deep", N_("Nested too deep"), N_("No event of ours is.")
    NOT_AN_OBJECT = "not_an_object", N_("No object"), N_("An event is a JSON object.")
    EMPTY = "empty", N_("Empty batch"), N_("An array without an event.")
    TOO_MANY = "too_many", N_("Batch too large"), N_("At most 100 events go into one request.")
    WRONG_CONTENT_TYPE = "wrong_content_type", N_("Wrong content type"), N_("It takes application/json or text/plain.")
    ENCODED_BODY = "encoded_body", N_("Compressed body"), N_("It is not taken.")
    BODY_TOO_LARGE = "http_413", N_("Body too large"), N_("At most 64 KiB are read.")
    BAD_TIME = "bad_time", N_("Wrong time"), N_("More than 7 days back or 5 minutes ahead.")


class ShedReason(Reason):
    """Of what was not taken for now, and may be sent again."""

    TOO_MANY_REQUESTS = (
        "too_many_requests",
        N_("Over the rate"),
        N_("One address sent more a minute than FOOTFALL_COLLECT_RATE."),
    )
    QUEUE_FULL = "queue_full", N_("Queue full"), N_("More came than could be stored; the script sends it again.")
    SITE_QUEUE_FULL = (
        "site_queue_full",
        N_("Site's queue full"),
        N_("More came of one site than could be stored; the script sends it again."),
    )
    DATABASE_AWAY = "database_away", N_("Database away"), N_("It could not be written; the script sends it again.")
    BUSY = "busy", N_("Too much at once"), N_("It came in too many pieces at once; the script sends it again.")
    STOPPING = "stopping", N_("Server stopping"), N_("The script sends it again.")


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
