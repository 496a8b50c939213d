"""Rules make notifications and alerts; deliveries take them outside."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, SmallInteger, Table, Text, true

from analytics.storage.tables.columns import NEVER_AGAIN, id_column, metadata, text_column

# Where notifications go besides the dashboard.
channels = Table(
    "channels",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("kind", Text, nullable=False),  # webhook, slack, discord, email, apprise
    text_column("name"),
    Column("address", Text, nullable=False),
    text_column("secret"),  # with which a webhook is signed, whsec_…
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),  # None: it is used
    text_column("disabled_why"),
    Column("failing_since", BigInteger),  # None: the last attempt succeeded, or there was none
    **NEVER_AGAIN,
)

rules = Table(
    "rules",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # analytics.notify.kinds: event, threshold, change, no_data
    Column("definition", Text, nullable=False),  # JSON: `when` and `notify` of the contract, §7
    Column("enabled", Boolean, nullable=False, server_default=true()),
    text_column("shipped"),  # the name of the example that it was made from; "": people's own
    text_column("wrong"),  # why it was switched off: it erred
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("snoozed_until", BigInteger, nullable=False, server_default="0"),  # nothing goes outside until then
    **NEVER_AGAIN,
)

# How a metric rule stands, and what it has seen in a row.
rule_states = Table(
    "rule_states",
    metadata,
    Column("rule_id", Integer, primary_key=True, autoincrement=False),
    Column("site_id", Integer, nullable=False, index=True),
    Column("state", Text, nullable=False),  # analytics.notify.alert.State
    Column("since", BigInteger, nullable=False),
    Column("value", Float),  # of the last reading; None: no data
    Column("readings", Integer, nullable=False, server_default="0"),  # in a row that speak for the next state
    Column("read_at", BigInteger, nullable=False),
    Column("alert_id", Integer),  # the open alert
    Column("snoozed_until", BigInteger, nullable=False, server_default="0"),  # alerts of the rule are silent
    text_column("wrong"),  # why the last reading failed
)

# One row an incident, from the moment at which its rule fires.
alerts = Table(
    "alerts",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False),
    Column("rule_id", Integer, nullable=False, index=True),
    Column("severity", Text, nullable=False),  # info, warning, error, critical
    Column("title", Text, nullable=False),
    text_column("message"),
    Column("metric", Text, nullable=False),
    Column("value", Float),  # the last beyond the line
    Column("threshold", Float),
    Column("affected", Integer, nullable=False, server_default="0"),  # people
    text_column("why"),  # JSON: which source, page or country makes the difference
    Column("fired_at", BigInteger, nullable=False),
    Column("recovering_at", BigInteger),
    Column("resolved_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    text_column("acknowledged_by"),
    Column("snoozed_until", BigInteger),
    Column("told_at", BigInteger, nullable=False),  # the last notification about it
    Index(None, "site_id", "resolved_at"),
    **NEVER_AGAIN,
)

# What an alert went through, and what it saw.
alert_steps = Table(
    "alert_steps",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("rule_id", Integer, nullable=False, index=True),
    Column("alert_id", Integer, index=True),
    Column("at", BigInteger, nullable=False),
    Column("step", Text, nullable=False),  # a state, or acknowledged, snoozed
    Column("value", Float),
    text_column("who"),
)

notifications = Table(
    "notifications",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False),
    Column("rule_id", Integer),  # None: Footfall's own
    Column("alert_id", Integer),
    Column("type", Text, nullable=False),  # notification.created, alert.firing, alert.resolved
    Column("priority", Text, nullable=False),  # low, medium, high, urgent
    text_column("severity"),
    Column("title", Text, nullable=False),
    text_column("message"),
    text_column("link"),
    text_column("link_label"),
    Column("audience", Text, nullable=False, server_default="everybody"),  # everybody, admins
    Column("value", Float),
    Column("threshold", Float),  # of an alert: the line that its metric has crossed
    text_column("why"),  # of an alert that fires, as `alerts.why`
    text_column("currency"),
    Column("count", Integer, nullable=False, server_default="1"),  # of the events that it stands for
    Column("at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),  # of the newest of these events
    Column("open_until", BigInteger, nullable=False),  # until then further events of the rule are added to it
    Column("counted_at", BigInteger, nullable=False, server_default="0"),  # by which its first event was grouped
    Index(None, "site_id", "audience", "id"),
    Index(None, "site_id", "audience", "priority", "id"),
    Index(None, "site_id", "audience", "type", "id"),
    Index(None, "site_id", "audience", "type", "priority", "id"),
    Index(None, "rule_id", "open_until"),
    **NEVER_AGAIN,
)

# Up to which notification a person has read and cleared; later ones that were read one by one are in `reads`.
notification_marks = Table(
    "notification_marks",
    metadata,
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("read_up_to", BigInteger, nullable=False, server_default="0"),
    Column("cleared_up_to", BigInteger, nullable=False, server_default="0"),
)

notification_reads = Table(
    "notification_reads",
    metadata,
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("notification_id", Integer, primary_key=True, autoincrement=False),
    Column("site_id", Integer, nullable=False, index=True),
)

# When a person does not want to be disturbed outside the dashboard.
quiet_hours = Table(
    "quiet_hours",
    metadata,
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("days", SmallInteger, nullable=False),  # a bit for each weekday on which they begin, Monday is 1; 0: never
    Column("begins", SmallInteger, nullable=False),  # minutes after midnight
    Column("ends", SmallInteger, nullable=False),  # the next day, if not after `begins`
    Column("timezone", Text, nullable=False),
    Column("up_to", Text, nullable=False),  # the highest priority that is held back
    Column("digest", Text, nullable=False, server_default="off"),  # off, daily, weekly
    Column("digest_at", SmallInteger, nullable=False, server_default="480"),  # minutes after midnight
    Column("digest_day", SmallInteger, nullable=False, server_default="0"),  # the weekday of a weekly one, 0 is Monday
)

# The outbox: one row for each message to a channel.
deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False, index=True),
    Column("channel_id", Integer, nullable=False),
    Column("notification_id", Integer, index=True),  # None: a test, or a message of several
    Column("message_id", Text, nullable=False),  # the same at each attempt
    Column("state", Text, nullable=False),  # waiting, sent, failed, grouped, held, covered, dropped
    Column("covers", Text, nullable=False, server_default="[]"),  # JSON: ids of the notifications of one of several
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("can_wait", Boolean, nullable=False, server_default=true()),  # false: urgent, so it goes first
    Column("next_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_at", BigInteger),
    Column("status", Integer),  # of the last answer; None: there was none
    text_column("answer"),  # the last answer, or why there was none
    Column("sent_count", Integer, nullable=False, server_default="0"),  # the notification's count when it was sent
    Column("claimed_until", BigInteger, nullable=False, server_default="0"),
    Column("more", Integer, nullable=False, server_default="0"),  # messages for which there was no room: only counted
    Index(None, "state", "next_at"),
    Index(None, "state", "can_wait", "next_at"),
    Index(None, "channel_id", "state"),
    **NEVER_AGAIN,
)
