"""The addresses of our own pages and files, as a browser asks for them: below the path of FOOTFALL_BASE_URL.

Everything else knows them without it. Which path that is, the gate sets for each request (`set_base_path`), in the
request's own context.
"""

from __future__ import annotations

from contextvars import ContextVar

_base_path: ContextVar[str] = ContextVar("base_path", default="")


def set_base_path(path: str) -> None:
    """From here on addresses are below that path, like "/stats"; "" for the host's root."""
    _base_path.set(path)


def at(path: str) -> str:
    """What a link, a form or a redirect names to reach `path`, which starts with a slash."""
    return _base_path.get() + path
