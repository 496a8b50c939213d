"""The files that pages load: our scripts and styles joined, what figures need, and how long browsers keep each."""

from __future__ import annotations

from functools import partial

import flask
from werkzeug.exceptions import NotFound

from callbacks.document import ASSETS
from collector.http import negotiation
from layouts import joined
from layouts.figures import bundle, region_names

ENCODINGS = "br", "gzip"
DASHS_PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
FRAME = "/_dash-layout", "/_dash-dependencies"  # the same for all signed-in people while the server runs


def register(server: flask.Flask) -> None:
    """Serves the files."""
    server.add_url_rule(f"{bundle.ROOT}<version>/<name>", "bundle", _send_bundle)
    server.add_url_rule(f"{bundle.ROOT}<version>/{bundle.OUTLINES}/<country>.json", "outlines", _send_outlines)
    for path, kind in ((joined.SCRIPTS, "text/javascript"), (joined.STYLES, "text/css")):
        server.add_url_rule(path, path, partial(_send_joined, path, kind))
    server.add_url_rule(DASHS_PLOTLY, "dash's plotly.js", partial(_send_bundle, bundle.version(), bundle.SCRIPT))


def negotiate_encoding() -> None:
    """Replaces `Accept-Encoding` by the best encoding for it: Flask-Compress sends Brotli in spite of `br;q=0`."""
    environ = flask.request.environ
    if accepted := environ.get("HTTP_ACCEPT_ENCODING"):
        environ["HTTP_ACCEPT_ENCODING"] = negotiation.encoding(accepted, ENCODINGS)


def _send_joined(path: str, kind: str) -> flask.Response:
    """Our scripts or styles in one file."""
    return flask.Response(joined.joined(path).content, mimetype=kind)


def _send_bundle(version: str, name: str) -> flask.Response:
    """A file that figures need, as it was compressed once; also in place of Dash's own plotly.js."""
    if version != bundle.version() or name not in bundle.TYPES:
        raise NotFound
    encoding = flask.request.headers.get("Accept-Encoding", "")  # the best of them alone, see `negotiate_encoding`
    response = flask.Response(bundle.packed(name, encoding), mimetype=bundle.TYPES[name])
    response.headers["Vary"] = "Accept-Encoding"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


def _send_outlines(version: str, country: str) -> flask.Response:
    """The outlines of a country's regions. Flask-Compress compresses them for browsers without Brotli."""
    if version != bundle.version() or region_names.outlines(country) is None:
        raise NotFound
    has_brotli = flask.request.headers.get("Accept-Encoding") == "br"
    content = bundle.packed_outlines(country) if has_brotli else bundle.unpacked_outlines(country)
    response = flask.Response(content, mimetype="application/json")
    response.headers["Vary"] = "Accept-Encoding"
    if has_brotli:
        response.headers["Content-Encoding"] = "br"
    return response


def set_cache_headers(response: flask.Response) -> flask.Response:
    """Sets how long browsers cache an answer.

    Assets with their version in the address are cached for a year, others for an hour. The frame of the pages is cached
    and revalidated each time.
    """
    path = flask.request.path
    if path.startswith("/assets/") and response.status_code == 200:
        is_final = path.startswith(bundle.ROOT) or flask.request.args.get("m") == _version_of(path)
        response.headers["Cache-Control"] = f"public, max-age={31_536_000 if is_final else 3600}"
    if path in FRAME and response.status_code == 200:
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
    return response


def _version_of(path: str) -> str:
    """What the address of an asset that is there has as `m`: a version asked for in advance must not be kept."""
    if path in joined.FOLDERS:
        return joined.joined(path).version
    return str(int((ASSETS / path.removeprefix("/assets/")).stat().st_mtime))
