"""The wire formats of others: each file reads requests into our own events, and answers as their senders expect."""
