"""The Overview page: what was asked, and the parts that answer it."""
