"""Bounds that several rooms have to agree on."""

MAX_VISIT_S = 7 * 86_400
"""How long after its start a visit may still go on. Who never pauses (a screen on a wall) begins another one then.

The writer looks so far back for a visit to continue, and questions look so far around a period for its visits.
"""
