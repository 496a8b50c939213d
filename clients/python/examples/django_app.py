"""A Django application that Footfall measures; the two lines for it are marked, in a project they stand in `wsgi.py`.
`python django_app.py` serves it.

FOOTFALL_SERVER is Footfall's address, FOOTFALL_INGEST_KEY a key that `footfall key add NAME --scope ingest` prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from footfall_client import wsgi  # ← one

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1", "localhost"])
django.setup()


def home(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello from Django")


def rows(_request: HttpRequest) -> StreamingHttpResponse:
    """Streams: the request lasts until the last row."""

    def all_rows() -> Iterator[str]:
        for number in range(100):
            yield f"{number}\n"

    return StreamingHttpResponse(all_rows(), content_type="text/plain")


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("this page is broken")


urlpatterns = [path("", home), path("rows", rows), path("broken", broken)]
application = wsgi.Middleware(get_wsgi_application())  # ← two

if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), application) as server:
        server.serve_forever()
