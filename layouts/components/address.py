"""The addresses of our own pages and files, as a browser requests them: below the path of FOOTFALL_BASE_URL.

All other code uses addresses without that path. The gate sets the path for each request (`set_base_path`), in a
context variable.
"""

from __future__ import annotations

from contextvars import ContextVar

_base_path: ContextVar[str] = ContextVar("base_path", default="")


def set_base_path(path: str) -> None:
    """Sets the base path of this request, like "/stats"; "" for the host's root."""
    _base_path.set(path)


def at(path: str) -> str:
    """The address for a link, a form or a redirect: the base path, then `path`, which starts with a slash."""
    return _base_path.get() + path
