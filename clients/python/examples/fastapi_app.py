"""A FastAPI application that Footfall measures; the two lines for it are marked. `python fastapi_app.py` serves it.

FOOTFALL_SERVER is Footfall's address, FOOTFALL_INGEST_KEY a key that `footfall key add NAME --scope ingest` prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

from footfall_client import asgi  # ← one

app = FastAPI()
app.add_middleware(asgi.Middleware)  # ← two


@app.get("/", response_class=PlainTextResponse)
async def home() -> str:
    return "Hello from FastAPI"


@app.get("/rows")
def rows() -> StreamingResponse:
    """Streams: the request lasts until the last row."""

    def all_rows() -> Iterator[str]:
        for number in range(100):
            yield f"{number}\n"

    return StreamingResponse(all_rows(), media_type="text/plain")


@app.get("/broken")
async def broken() -> str:
    raise RuntimeError("this page is broken")


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), log_level="warning")
