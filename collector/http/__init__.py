"""The HTTP edge: connections, messages, listening, proxies. It knows nothing of analytics (see README.md here)."""
