"""The words for what became of an event, and what somebody may do about it."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """A label, and a sentence that says why and what to do."""

    label: str
    advice: str


WORDS = {
    ("stored", ""): Words("Stored", "Counted."),
    ("stored", "after_leave"): Words("After leaving", "A late heartbeat: it adds to its page's totals."),
    ("duplicate", ""): Words("Sent again", "Counted once: the same id had come before."),
    ("filtered", "bot"): Words("Robots", "They say so themselves; their names are listed."),
    ("filtered", "opted_out"): Words(
        "Do Not Track or Global Privacy Control", "The visitor's wish. It is kept; there is nothing to do."
    ),
    ("filtered", "prefetch"): Words(
        "Fetched ahead", "The browser prefetched or prerendered the page; perhaps nobody has seen it."
    ),
    ("filtered", "datacenter"): Words("Data centre", "A proxy that you trust marked the address as a data centre's."),
    ("filtered", "spam_referrer"): Words(
        "Referrer spam", "The page that led here is a known spammer's. FOOTFALL_SPAM_REFERRERS names another list."
    ),
    ("filtered", "excluded_address"): Words("Excluded address", "Your own setting, see Settings, Filters."),
    ("filtered", "excluded_path"): Words("Excluded path", "Your own setting, see Settings, Filters."),
    ("filtered", "excluded_host"): Words("Excluded host", "Your own setting, or a host that you chose to ignore."),
    ("filtered", "unlisted_host"): Words("Unlisted host", "Include the host below if its pages are yours."),
    ("filtered", "unknown_pageview"): Words(
        "Leave without its page", "The page itself was not stored, so its end says nothing."
    ),
    ("rejected", "unknown_pageview"): Words(
        "Heartbeat without its page", "The page itself was not stored, and the heartbeat has no address of its own."
    ),
    ("rejected", "unknown_site"): Words("Unknown site", "The site was removed, or data-site names another."),
    ("rejected", "wrong_field"): Words("Wrong field", "What was sent breaks a limit; the collector's answer names it."),
    ("rejected", "missing_field"): Words("Missing field", "The collector's answer names it."),
    ("rejected", "bad_number"): Words("Number out of range", "No database holds it."),
    ("rejected", "bad_json"): Words("No JSON", "The body could not be read."),
    ("rejected", "bad_encoding"): Words("No UTF-8", "The body could not be read."),
    ("rejected", "too_deep"): Words("Nested too deep", "No event of ours is."),
    ("rejected", "not_an_object"): Words("No object", "An event is a JSON object."),
    ("rejected", "empty"): Words("Empty batch", "An array without an event."),
    ("rejected", "too_many"): Words("Batch too large", "At most 100 events go into one request."),
    ("rejected", "wrong_content_type"): Words("Wrong content type", "It takes application/json or text/plain."),
    ("rejected", "encoded_body"): Words("Compressed body", "It is not taken."),
    ("rejected", "http_413"): Words("Body too large", "At most 64 KiB are read."),
    ("rejected", "bad_time"): Words("Wrong time", "More than 7 days back or 5 minutes ahead."),
    ("shed", "too_many_requests"): Words("Over the rate", "One address sent more a minute than FOOTFALL_COLLECT_RATE."),
    ("shed", "queue_full"): Words("Queue full", "More came than could be stored; the script sends it again."),
    ("shed", "site_queue_full"): Words(
        "Site's queue full", "More came of one site than could be stored; the script sends it again."
    ),
    ("shed", "database_away"): Words("Database away", "It could not be written; the script sends it again."),
    ("shed", "busy"): Words("Too much at once", "It came in too many pieces at once; the script sends it again."),
    ("shed", "stopping"): Words("Server stopping", "The script sends it again."),
}

FIELDS = {
    "title": "No text, or longer than 300 letters: then it is cut.",
    "screen": "No pair of whole numbers, width and height.",
    "language": "No text, or longer than 35 letters.",
    "timezone": "No text, or longer than 64 letters.",
    "referrer": "No text.",
}
"""The fields without which an event counts all the same, and what is wrong with one that is left out."""

KINDS = {"filtered": "Left out", "rejected": "Refused", "shed": "Turned away"}


def words(outcome: str, reason: str) -> Words:
    """The words for an outcome and its reason; for a reason that has none, the reason itself."""
    known = WORDS.get((outcome, reason))
    return known or Words(reason.replace("_", " ").capitalize() or outcome.capitalize(), KINDS.get(outcome, "") + ".")
