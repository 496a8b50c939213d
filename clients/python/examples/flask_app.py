"""A Flask application that Footfall measures; the two lines for it are marked. `python flask_app.py` serves it.

FOOTFALL_SERVER is Footfall's address, FOOTFALL_INGEST_KEY a key that `footfall key add NAME --scope ingest` prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from flask import Flask, Response

from footfall_client import wsgi  # ← one

app = Flask(__name__)
app.wsgi_app = wsgi.Middleware(app.wsgi_app)  # type: ignore[method-assign]  # ← two


@app.get("/")
def home() -> str:
    return "Hello from Flask"


@app.get("/rows")
def rows() -> Response:
    """Streams: the request lasts until the last row."""

    def all_rows() -> Iterator[str]:
        for number in range(100):
            yield f"{number}\n"

    return Response(all_rows(), mimetype="text/plain")


@app.get("/broken")
def broken() -> str:
    raise RuntimeError("this page is broken")


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8000")))
