"""Measures an application and sends the figures to Footfall, in the background. Uses the standard library only.

`wsgi.Middleware` is for Flask and Django, `asgi.Middleware` for FastAPI and Starlette, `dash.install` for Dash.
"""

__version__ = "0.1.0"
