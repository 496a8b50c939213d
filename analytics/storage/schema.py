"""The tables of the database, in SQLAlchemy Core: a file for each group of them in `tables/`, all names here.

Times are whole seconds since the epoch, UTC. Every key and join has `site_id`, so that all fact tables can be
distributed by site. `analytics.base.ids` makes the `id` of a fact: it starts with the fact's time, so the primary key
is also the index by time, and rows are appended rather than scattered.
"""

from __future__ import annotations

from analytics.storage.tables.access import embeds, invitations, keys, logins, memberships, people
from analytics.storage.tables.activity import activity_cards, gauge_readings, gauges, watches
from analytics.storage.tables.columns import metadata
from analytics.storage.tables.counts import concurrents, daily_usage, jobs, outcomes, robots
from analytics.storage.tables.facts import changes, events, heartbeats, pageviews, visits
from analytics.storage.tables.health import health_hours, health_minutes, health_samples, health_series
from analytics.storage.tables.notify import (
    alert_steps,
    alerts,
    channels,
    deliveries,
    notification_marks,
    notification_reads,
    notifications,
    quiet_hours,
    rule_states,
    rules,
)
from analytics.storage.tables.sites import notes, salts, segments, sites, unlisted_hosts

__all__ = [
    "activity_cards",
    "alert_steps",
    "alerts",
    "changes",
    "channels",
    "concurrents",
    "daily_usage",
    "deliveries",
    "embeds",
    "events",
    "gauge_readings",
    "gauges",
    "health_hours",
    "health_minutes",
    "health_samples",
    "health_series",
    "heartbeats",
    "invitations",
    "jobs",
    "keys",
    "logins",
    "memberships",
    "metadata",
    "notes",
    "notification_marks",
    "notification_reads",
    "notifications",
    "outcomes",
    "pageviews",
    "people",
    "quiet_hours",
    "robots",
    "rule_states",
    "rules",
    "salts",
    "segments",
    "sites",
    "unlisted_hosts",
    "visits",
    "watches",
]
