"""Limits that several packages have to agree on."""

MAX_VISIT_S = 7 * 86_400
"""How long a visit may last. A visitor who never pauses (a screen on a wall) then begins another visit.

The writer looks this far back for a visit to continue; queries look this far around a period for its visits.
"""

MAX_ENGAGED_MS = 30 * 86_400_000
"""The longest engaged time of one pageview: a heartbeat with more is refused, engagements add up to this."""
