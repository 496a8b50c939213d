"""The Overview page: the bar with its question, and the parts that answer it."""
