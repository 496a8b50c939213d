"""PostgreSQL's advisory locks that Footfall takes: any numbers that nobody else takes in the same database.

Processes of several versions may meet on one database, so a number never changes. PostgreSQL keeps locks of one number
apart from those of two.
"""

MIGRATION = 7_303_001
"""For the transaction in which the schema is brought up to date."""

WORKER = 7_303_002
"""With the worker's number: held as long as the process that has it lives."""

DAILY_WORK = 7_303_003
"""While one process of all does the day's work."""

SITE = 7303
"""With the site's number: for a transaction that stores for the site, or removes it."""
