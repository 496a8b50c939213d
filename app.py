"""Connects the packages: `create_app`, the WSGI `server`, the `asgi` application, and the command line.

`python app.py serve` is the recommended way to run Footfall; `gunicorn app:server` (any WSGI server) and
`granian --interface asgi app:asgi` (any ASGI server) collect too.
"""

from __future__ import annotations

import os
import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler and (
    __name__ == "__main__" or sys.argv[0].endswith("/footfall")
):
    # The imports take a second or two: until `main` runs, Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import atexit
import logging
import secrets
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import click
import flask
from dash import Dash, dash_table
from sqlalchemy.exc import DBAPIError

from analytics.access import accounts, roles
from analytics.access.roles import Person
from analytics.base import error_log, private_files, zones
from analytics.base.config import Config, WrongSetting, read_config, secret_of
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.sites.salt_store import SaltStore
from analytics.storage.database import Database, DatabaseInUse, NoData, check_free
from callbacks import static_files, table
from callbacks.document import ASSETS, INDEX, TranslatedDash
from callbacks.gate import gate, invitation, setup, signin
from callbacks.page_context import client
from callbacks.pages import api
from cli import DATA_DIR, HOST, PORT, administer, cli, our_version
from collector import server as serve
from collector.api.context import PersonOf
from collector.control import Control, NoServer, ask
from collector.doors.endpoint import Endpoint
from collector.doors.routes import Routes
from collector.doors.wsgi import attach
from collector.http.asgi import Asgi
from collector.http.certificate import Certificate
from collector.http.listener import UNIX, CannotListen, Listener, listen_on
from collector.imports import log_file, log_reader, log_sessions
from collector.imports.commands import LOG_FORMAT, LOG_ZONE, SITE
from collector.served_commands import served_commands
from collector.service import Service, places_of
from collector.simulate import demo, demo_days, demo_rules, replay
from collector.simulate.client import RefusedError, Sender
from collector.simulate.demo_days import DemoSite
from collector.simulate.people import DEMO_DOMAIN
from collector.simulate.traffic import SimulatedTraffic, make_traffic

log = logging.getLogger("footfall.app")


def create_app(service: Service) -> Dash:
    """The dashboard over a running service."""
    config = service.config
    server = flask.Flask("footfall", static_folder=None)
    for kind in ("", "_STREAMING"):  # assets are streamed
        # Before Dash, which reads it when it is created.
        server.config[f"COMPRESS_ALGORITHM{kind}"] = list(static_files.ENCODINGS)
    # Dash sends its own tables to every page, and ours have none: 10 kB and a request less. mypy knows no such name.
    setattr(dash_table, "_js_dist", [])  # noqa: B010
    app = TranslatedDash(
        "footfall",
        server=server,  # type: ignore[arg-type]  # Dash's annotation lacks Flask
        title="Footfall",
        update_title="",
        assets_folder=str(ASSETS),
        include_assets_files=False,  # the document names them
        index_string=INDEX.replace("BASE_PATH", config.base_path),
        routes_pathname_prefix="/",
        requests_pathname_prefix=f"{config.base_path}/",
        compress=True,
        serve_locally=True,
        suppress_callback_exceptions=True,  # pages are inserted and removed inside #root
    )
    static_files.register(app.server)
    table.register(app, service, our_version())
    app.layout = table.frame  # for each request: it has words
    plain: dict[str, Any] = {"version": our_version(), "base_url": config.base_url}
    for door in (signin, invitation):
        door.register(app.server, service.database, client=partial(client, service), **plain)
    api.register(app.server, **plain)
    setup.register(app.server, service.database, service.secret, done=service.refresh, **plain)
    app.server.after_request(static_files.set_cache_headers)
    gate.guard(
        app.server,
        service.database,
        public=config.public,
        base_url=config.base_url,
        is_page=table.is_page,
        way_on=partial(table.way_on, service),
        script_hashes=app.csp_hashes,
        declared=lambda: app.callback_map,
    )
    app.server.before_request_funcs[None].insert(0, static_files.negotiate_encoding)
    return app


def person_of(service: Service) -> PersonOf:
    """Finds the person of a request to the public routes, by login. On a public dashboard it is anybody."""

    def found(headers: Mapping[str, str]) -> Person | None:
        if service.config.public:
            return roles.ANYBODY
        cookies = headers.get("cookie", "")
        return gate.person_of(cookies, service.database, gate.epoch(), base_url=service.config.base_url)

    return found


def _warn_of_base_path(app: Dash, routes: Routes) -> None:
    """Logs a warning if the base path begins like one of our own paths.

    Then nobody can see in a path whether a proxy has removed the base path.
    """
    own = {path.split("/")[1] for path in (*routes.paths, *table.ADDRESSES, *map(str, app.server.url_map.iter_rules()))}
    first = routes.base_path.partition("/")[2].partition("/")[0]
    if first and first in own:
        log.warning(
            "FOOTFALL_BASE_URL: Footfall's own addresses begin with /%s too; the proxy has to pass %s on",
            first,
            routes.base_path,
        )


@cache
def _wsgi() -> flask.Flask:
    """The application that WSGI servers import; it is opened in their worker, on first access."""
    error_log.configure("INFO")
    os.umask(private_files.UMASK)
    service = Service(read_config())
    app = create_app(service)
    routes = service.routes(person_of(service))
    _warn_of_base_path(app, routes)
    attach(app.server, routes)
    here = "http://127.0.0.1:8000"  # the usual default of WSGI servers
    Control(service.config.data_dir, served_commands(service, service.config.base_url or here, here))
    wsgi: flask.Flask = app.server
    return wsgi


def _open_endpoint() -> tuple[Endpoint, Callable[[], None]]:
    """An endpoint with a service of its own, and a function that closes both; it may be called twice."""
    error_log.configure("INFO")
    os.umask(private_files.UMASK)
    with ExitStack() as stack:
        service = Service(read_config())
        stack.callback(service.close)
        app = create_app(service)
        routes = service.routes(person_of(service))
        _warn_of_base_path(app, routes)
        endpoint = Endpoint(routes, service.writer, app.server)
        stack.callback(endpoint.close)
        here = "http://127.0.0.1:8000"  # the default of Granian and uvicorn
        control = Control(service.config.data_dir, served_commands(service, service.config.base_url or here, here))
        stack.callback(control.close)
        opened = stack.pop_all()
    atexit.register(opened.close)
    return endpoint, opened.close


asgi = Asgi(_open_endpoint)
"""The application that ASGI servers import; it is opened in their worker, when that starts to serve."""


def __getattr__(name: str) -> Any:
    if name == "server":
        return _wsgi()
    raise AttributeError(name)


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────


@cli.command("serve")
@HOST
@PORT
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--reuse-port", is_flag=True, help="Share the port with servers on the same PostgreSQL (SO_REUSEPORT).")
@DATA_DIR
def serve_command(host: str, port: int, workers: int, reuse_port: bool, data_dir: Path | None) -> None:
    """Serve the collector and the dashboard; also what happens without a command.

    --port 0 takes a free port, --host :: listens on IPv4 and IPv6, --host unix:/run/footfall.sock on a Unix socket;
    with --reuse-port several servers on one PostgreSQL share a port.
    """
    if workers > 1:
        raise InvalidInput("--workers: one process serves for now; several come with the work on PostgreSQL clusters")
    config = read_config(data_dir=data_dir)
    with closing(_listener(config, host, port, shared=reuse_port)) as listener:
        is_drained = _serve(config, listener)
    _end_process(is_drained)


def _listener(config: Config, host: str, port: int, *, shared: bool) -> Listener:
    """The listener. If the port is in use by another server of the same data, the error names that server."""
    certificate = _certificate(config)
    try:
        return listen_on(host, port, certificate, shared=shared)
    except CannotListen:
        check_free(config)
        raise


def _certificate(config: Config) -> Certificate | None:
    if not config.tls_cert or not config.tls_key:
        return None
    try:
        return Certificate(config.tls_cert, config.tls_key)
    except (OSError, ValueError) as wrong:
        why = "their owner alone may read them" if isinstance(wrong, PermissionError) else "they are no such pair"
        raise WrongSetting(
            f"FOOTFALL_TLS_CERT, FOOTFALL_TLS_KEY: {config.tls_cert} and {config.tls_key} cannot be used: {why};"
            " they take a certificate in PEM, with those that signed it, and its key without a password"
        ) from None


@cli.command("demo")
@HOST
@PORT
def demo_command(host: str, port: int) -> None:
    """Serve a demo site that visitors are walking through, on a throw-away database, without login."""
    settings = read_config()
    if host.startswith(UNIX):
        raise InvalidInput(f"--host: the demo's visitors come over a port, and {host!r} has none")
    with closing(listen_on(host, port)) as listener, tempfile.TemporaryDirectory(prefix="footfall-demo-") as folder:
        config = replace(settings, data_dir=Path(folder), database_url="", collect_rate=0, public=True)
        traffic = make_traffic(secrets.randbits(32), gate.epoch())
        key = _make_demo_site(config, traffic)
        with demo.demo_visitors(listener.local_url, key, traffic) as start_visitors:

            def ready(service: Service) -> None:
                start_visitors()
                threading.Thread(target=_write_days, args=(service, traffic), name="demo-days", daemon=True).start()

            is_drained = _serve(config, listener, on_ready=ready)
    _end_process(is_drained)


def _make_demo_site(config: Config, traffic: SimulatedTraffic) -> str:
    """Makes the database with the demo site and its visits of today. Returns an `ingest` key for the site."""
    with closing(Database(config)) as database, closing(places_of(config)) as places:
        site = store.add(database, DEMO_DOMAIN, "Demo", now=traffic.now)
        salt = SaltStore(database, secret_of(config)).of(site, traffic.now).today
        demo_days.write_today(DemoSite(database, site.id, places), traffic, salt)
        demo_rules.add(database, site.id, now=traffic.now)
    return administer(config, "key add", name="demo", scope="ingest", site=DEMO_DOMAIN)


def _write_days(service: Service, traffic: SimulatedTraffic) -> None:
    """Writes the demo's earlier days, without pauses: there are no real visitors to wait."""
    site = store.find(service.database, DEMO_DOMAIN)
    place = DemoSite(service.database, site.id, service.places)
    demo_days.write_days(place, traffic, lambda _: service.pause(0))


def _serve(config: Config, listener: Listener, on_ready: Callable[[Service], None] = lambda _: None) -> bool:
    """Serves until SIGTERM or Ctrl-C. False if the end had to be forced."""
    error_log.configure(config.log_level)
    for verbose in ("werkzeug", "alembic"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
    public_url = config.base_url or listener.local_url
    service = Service(config)
    app = create_app(service)
    routes = service.routes(person_of(service))
    _warn_of_base_path(app, routes)
    endpoint = Endpoint(routes, service.writer, app.server, scheme=listener.scheme)
    own_url = public_url if listener.certificate else listener.local_url  # a certificate is valid for a name
    if listener.certificate and not config.base_url.startswith("https://"):
        log.warning("FOOTFALL_BASE_URL names no https address: login cookies are not kept to HTTPS")
    if listener.url.startswith(UNIX) and not config.base_url:
        log.warning("FOOTFALL_BASE_URL is not set: no browser can open %s, so no link works", public_url)
    control = Control(config.data_dir, served_commands(service, public_url, own_url))

    def ready() -> None:
        if not config.public and not accounts.has_people(service.database):
            click.echo(f"Set it up, once, at {setup.link(public_url, service.secret)}")
        click.echo(f"Footfall is ready on {listener.url}")
        sys.stdout.flush()
        on_ready(service)

    try:
        is_drained = serve.serve(endpoint, listener, on_ready=ready, on_stop=service.drain)
    finally:
        control.close()
        endpoint.close()
        service.close()
    return is_drained


def _end_process(is_drained: bool) -> NoReturn:
    """Ends the process without ending the interpreter: 0, or 1 if the end had to be forced.

    A background thread that is still in DuckDB would meet a dead interpreter there, and C++ aborts the process
    ("exception not rethrown", SIGABRT). Everything is committed and closed by now.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if is_drained else 1)


@cli.group("replay")
def replay_group() -> None:
    """Recorded traffic as live visitors."""


@replay_group.command(
    "access-log",
    params=[
        click.Argument(["file"], type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        SITE,
        click.Option(["--speed"], default=60.0, show_default=True, type=click.FloatRange(0.01, 100_000)),
        LOG_FORMAT,
        LOG_ZONE,
    ],
)
@DATA_DIR
def replay_access_log(file: Path, site: str, speed: float, form: str, timezone: str, data_dir: Path | None) -> None:
    """Let each address of a web server's log walk, beat and leave at the log's pace times the speed."""
    config = read_config(data_dir=data_dir)
    skipped: Counter[str] = Counter()
    reader = log_reader.LogReader(form, ZoneInfo(zones.checked_zone(timezone)))
    sessions = log_sessions.sessions_of(reader.pages(log_file.open_log(file), skipped))
    with _ingest_key(config, site) as (address, key):
        if not sessions and set(skipped) == {"broken_line"}:
            raise InvalidInput(log_reader.unknown_format_message(file, reader))
        totals = replay.play(sessions, site, speed, Sender(address, key), sys.stdout)
    click.echo(replay.summary(totals, skipped))


@contextmanager
def _ingest_key(config: Config, site: str) -> Iterator[tuple[str, str]]:
    """The running server's address, and an `ingest` key for the site that is removed at the end of the block."""
    address = ask(config.data_dir, "address", {})
    if address.startswith(UNIX):
        raise InvalidInput(f"the server listens on {address} alone; to replay, start it with a --host that has a port")
    key = ask(config.data_dir, "key add", {"name": "replay", "scope": "ingest", "site": site})
    try:
        yield address, key
    finally:
        ask(config.data_dir, "key forget", {"key": key})


def main() -> None:
    """The command line. A mistake of the user is one line and exit status 2; Ctrl-C is silent, with status 130."""
    os.umask(private_files.UMASK)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as missing:
        commands = ", ".join(missing.ctx.command.commands) if isinstance(missing.ctx.command, click.Group) else ""
        _fail(f"{missing.ctx.command_path}: a command is missing; there are {commands}")
    except click.ClickException as wrong:
        _fail(wrong.format_message())
    except (InvalidInput, WrongSetting, CannotListen, DatabaseInUse, NoData, NoServer, RefusedError) as wrong:
        _fail(str(wrong))
    except OSError as refused:
        where = f"{refused.filename}: " if refused.filename else ""
        _fail(f"{where}{error_log.cause(refused) or refused.strerror or refused}; see --data-dir and FOOTFALL_DATA_DIR")
    except DBAPIError as failed:
        setting = "" if isinstance(failed.orig, sqlite3.Error) else "FOOTFALL_DATABASE_URL: "
        why = error_log.cause(failed) or str(failed.orig).partition(chr(10))[0]
        _fail(f"{setting}the database cannot be used: {why}")


def _fail(message: str) -> None:
    click.echo(f"footfall: {' '.join(message.split())}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
