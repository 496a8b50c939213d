"""The numbers of the PostgreSQL advisory locks that Footfall takes; any that no other program takes in the database.

Processes of several versions may share a database, so a number never changes. In PostgreSQL, locks of one number are
distinct from locks of two.
"""

MIGRATION = 7_303_001
"""Taken by the transaction that migrates the schema."""

WORKER = 7_303_002
"""With a worker number: taken for as long as the process of that number lives."""

DAILY_WORK = 7_303_003
"""Taken while one of all processes does the day's work."""

ALERTS = 7_303_004
"""Taken by the one of all processes that evaluates metric rules, for as long as it lives."""

PARTITIONS = 7_303_005
"""Taken by a transaction that adds partitions."""

WATCH = 7304
"""With a watch's key, in the database of the host application: held by the process that follows the watch."""

SITE = 7303
"""With a site's id: taken by a transaction that stores for the site or removes it."""

SAMPLES = 7305
"""With a site's id, or 0: taken by a transaction that stores samples of the site or removes it."""
