"""The settings: one frozen value, built once from the environment, `.env` and `footfall.toml`."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from analytics.base import idn, private_files
from analytics.base.addresses import Network, network
from analytics.base.mail_server import MailServer, read_mail_server

PREFIX = "FOOTFALL_"
MIN_SECRET_LENGTH = 32  # characters
PLACEHOLDERS = ("change-me", "changeme", "secret", "placeholder", "your-secret", "example", "xxxx")


class WrongSetting(ValueError):
    """A setting that stops the start; the message is one line that names variable, value and what is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting with its default. Build it with `read_config`; `SETTINGS` has what each accepts, and its unit."""

    data_dir: Path = Path("data")
    database_url: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    base_url: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    allowed_targets: tuple[Network, ...] = ()
    smtp_url: MailServer | None = field(default=None, repr=False)
    geoip_database: Path | None = None
    spam_referrers: Path | None = None
    collect_rate: int = 600
    active_window_s: int = 60
    heartbeat_interval_s: int = 30
    heartbeat_retention_days: int = 7
    sample_retention_days: int = 7
    columnar: bool = True
    redis_url: str = field(default="", repr=False)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    log_level: str = "INFO"
    public: bool = False
    unread: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The SQLAlchemy address of the database: the configured one, or SQLite in the data directory."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'footfall.db'}"
        scheme, rest = self.database_url.split("://", 1)
        return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else self.database_url

    @property
    def embedded(self) -> bool:
        """Whether the database is the SQLite file that this process owns alone."""
        return self.url.startswith("sqlite")

    @property
    def has_https_host(self) -> bool:
        """Whether people reach the installation over HTTPS, at a host of its own."""
        return self.base_url.startswith("https://") and not self.base_path

    @property
    def base_path(self) -> str:
        """The path under which people reach the installation, without a slash at its end: "" for a host of its own."""
        return path_of(self.base_url)


def path_of(base_url: str) -> str:
    """The path in a `base_url`, like "/stats"; "" where it names a host alone, and for no address."""
    return urlsplit(base_url).path


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _database(text: str) -> str:
    wanted = "postgresql://user:password@host/database, or empty for SQLite in the data directory"
    if text and not re.match(r"postgres(ql)?://|sqlite:///.", text):
        raise ValueError(wanted)
    try:
        make_url(text or "sqlite://")
    except (ArgumentError, ValueError):
        raise ValueError(wanted) from None
    return text


def _redis(text: str) -> str:
    if text and not re.match(r"(rediss?|unix)://.", text):
        raise ValueError("redis://host:6379/0, rediss:// with TLS, unix:///path/of/a/socket, or empty for memory")
    return text


BASE_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::(\d+))?(/.*)?", re.IGNORECASE)
BASE_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[\w.~-]+)*", re.ASCII)
BASE_URLS = "an address like https://stats.example.com or https://example.com/stats (its path: letters, digits, -._~)"
USUAL_PORTS = {"http": "80", "https": "443"}


def _base_url(text: str) -> str:
    """Scheme, host and port as browsers write them in `Origin`, then the path, without a slash at its end."""
    found = BASE_URL.fullmatch(text)
    if text and not found:
        raise ValueError(BASE_URLS)
    if not found:
        return ""
    scheme, host, port = (part and part.lower() for part in found.groups()[:3])
    path = (found[4] or "").removesuffix("/")
    if not BASE_PATH.fullmatch(path):
        raise ValueError(BASE_URLS)
    host = idn.to_ascii(host) or host  # a name that is no IDN stays as it is
    return f"{scheme}://{host}" + (f":{port}" if port and port != USUAL_PORTS[scheme] else "") + path


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(network(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("a comma-separated list of networks like 10.0.0.0/8,127.0.0.1") from None


def _secret(text: str) -> str:
    if text and (len(text) < MIN_SECRET_LENGTH or any(word in text.lower() for word in PLACEHOLDERS)):
        raise ValueError(f"at least {MIN_SECRET_LENGTH} random characters, or nothing (then one is made and kept)")
    return text


def _level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _switch(text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        raise ValueError("on or off")
    return text.lower() == "on"


def _file(kind: str) -> Callable[[str], Path | None]:
    def parse(text: str) -> Path | None:
        if text and not Path(text).is_file():
            raise ValueError(f"the path of {kind} that exists")
        return Path(text) if text else None

    return parse


class Setting(NamedTuple):
    """A setting: its field in `Config` with the default, the function that reads its text, and its row in the README.

    `kind` raises `ValueError` with what is accepted. `unit` and `help` are Markdown; the value of a `secret` one is
    never shown.
    """

    name: str
    kind: Callable[[str], Any]
    unit: str
    help: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("data_dir", Path, "path", "database, key, lock and control socket; relative to the working directory"),
    Setting(
        "database_url",
        _database,
        "URL",
        "empty: `footfall.db` in the data directory. `postgresql://user:password@host/database` for a server",
        secret=True,
    ),
    Setting(
        "secret_key",
        _secret,
        f"{MIN_SECRET_LENGTH} characters or more",
        "the key under which visitors are hashed. Empty: made at the first start and kept in `secret.key` in the data "
        "directory",
        secret=True,
    ),
    Setting(
        "base_url",
        _base_url,
        "URL",
        "the address that people use, `https://stats.example.com` or, [below a path](#below-a-path), "
        "`https://example.com/stats`. With `https` the login cookie is for HTTPS only. Empty: messages of channels "
        "have no links to the dashboard",
    ),
    Setting(
        "trusted_proxies",
        _networks,
        "networks, comma-separated",
        "whose `X-Forwarded-For` is believed, `127.0.0.1,10.0.0.0/8`",
    ),
    Setting(
        "allowed_targets",
        _networks,
        "networks, comma-separated",
        "networks within which webhooks, other channels and databases of Settings, Database may reach an address that "
        "is not public, `10.1.0.0/16`. Empty: public addresses only, so that nobody who may add one reaches your own "
        "network",
    ),
    Setting(
        "smtp_url",
        read_mail_server,
        "URL",
        "the mail server: `smtp://user:password@host:587?from=stats@example.com`. `from` is the sender; without it the "
        "user is, where that is an address. `smtp://` uses STARTTLS and sends nothing without, except to a server on "
        "this machine, or with `tls=off` in the address; `smtps://` is TLS from the start (465). Certificates are "
        "checked. A `%`, `@`, `/` or `:` in user or password is percent-encoded. Empty: no mail",
        secret=True,
    ),
    Setting(
        "geoip_database",
        _file("an .mmdb file"),
        "path",
        "a better `.mmdb` database, with cities. A new file in its place, however it comes there, is read within "
        "seconds. Empty: the country database that comes along",
    ),
    Setting(
        "spam_referrers",
        _file("a text file, one host a line,"),
        "path",
        "a list of hosts that send referrer spam, one a line: Matomo's current `spammers.txt`, or your own; an empty "
        "file switches the step off. Read again when it changes. Empty: the list of 2015 that comes along",
    ),
    Setting(
        "collect_rate", _whole(0, 1_000_000_000), "events a minute", "for one address on one site; `0` is no limit"
    ),
    Setting(
        "active_window_s",
        _whole(5, 3_600),
        "seconds, 5–3600",
        "how long after the last beat somebody counts as active",
    ),
    Setting(
        "heartbeat_interval_s",
        _whole(1, 300),
        "seconds, 1–300",
        "how often the script beats. Browsers keep the script for up to an hour. Longer than the window above: people "
        "would vanish between two beats, and the log says so",
    ),
    Setting(
        "heartbeat_retention_days",
        _whole(1, 36_500),
        "days, 1–36500",
        "how long heartbeats are kept, to the second, where a site says nothing of its own. Pageviews, events and "
        "visits stay",
    ),
    Setting(
        "sample_retention_days",
        _whole(1, 36_500),
        "days, 1–36500",
        "how long single samples of metrics are kept; what they were by the minute stays for 90 days, by the hour for "
        "two years",
    ),
    Setting(
        "columnar",
        _switch,
        "",
        "`off`: no columnar copy for history (`columnar.duckdb` in the data directory, which may be deleted at any "
        "time); the database answers",
    ),
    Setting(
        "redis_url",
        _redis,
        "URL",
        "a Redis in which servers share the answers to questions, `redis://host:6379/0`; needs the package `redis` "
        "(`footfall[redis]`). While it is away, each server computes. Empty: 512 answers in memory",
        secret=True,
    ),
    Setting(
        "tls_cert",
        _file("a certificate in PEM"),
        "path",
        "a certificate in PEM, with those that signed it: Footfall speaks TLS itself. A renewed file is taken up "
        "within seconds. Empty: plain HTTP",
    ),
    Setting("tls_key", _file("the certificate's key in PEM"), "path", "the key of that certificate, in PEM"),
    Setting(
        "log_level",
        _level,
        "",
        "`DEBUG`, `INFO`, `WARNING` or `ERROR`; the log goes to stderr, each line with its time in UTC. At `DEBUG` a "
        "failure is followed by where it happened",
    ),
)
"""Every setting that something reads, as the README lists them; `make docs` writes them there."""

MIN_SIMILARITY = 0.9  # to a setting's name; a name that is as similar counts as misspelt


OPTIONS = {"HOST": "the option --host of serve", "PORT": "the option --port of serve"}
FUTURE = {"DATABASE_DIRECT_URL", "WORKERS"}
"""Settings of later versions, which nothing reads yet. They do not stop the start."""

_OF_A_CONTAINER = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)")
"""Names, after the prefix, that Kubernetes and Docker set for a service called footfall; its `PORT` is an address."""


def _gathered(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Settings by variable name; the environment wins over `.env`, `.env` over `footfall.toml`."""
    table = _table(folder / "footfall.toml")
    file = {name: value for name, value in dotenv_values(folder / ".env").items() if value is not None}
    for where, names in (("", environ), (" in .env", file)):
        _check_prefixes(where, names)
        _check_names(where, {name: value for name, value in names.items() if name.upper().startswith(PREFIX)})
    found = {PREFIX + name.upper().removeprefix(PREFIX): _as_text(value) for name, value in table.items()}
    _check_names(" in footfall.toml", found)
    return found | file | dict(environ)


def _check_prefixes(where: str, names: Iterable[str]) -> None:
    """Raises `WrongSetting` for a setting whose prefix is misspelt, like `FOOTFAL_BASE_URL`."""
    settings = [setting.variable for setting in SETTINGS]
    for name in sorted(names):
        if name[:1].upper() != PREFIX[0] or name.upper().startswith(PREFIX):
            continue
        if nearest := get_close_matches(name.upper(), settings, n=1, cutoff=MIN_SIMILARITY):
            raise WrongSetting(f"{name}{where} is no setting; the nearest one is {nearest[0]}")


def _check_names(where: str, values: Mapping[str, str]) -> None:
    """Raises `WrongSetting` for an unknown name: a misspelt setting would have no effect, silently."""
    known = {setting.name.upper() for setting in SETTINGS}
    for variable, value in sorted(values.items()):
        name = variable.removeprefix(PREFIX)
        if name in known | FUTURE or _OF_A_CONTAINER.fullmatch(name) or (name.endswith("PORT") and "://" in value):
            continue
        nearest = get_close_matches(name.upper().removeprefix(PREFIX), sorted(known), n=1, cutoff=0)[0]
        meant = OPTIONS.get(name, f"the nearest one is {PREFIX}{nearest}")
        raise WrongSetting(f"{variable}{where} is no setting; {meant}")


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text()) if path.is_file() else {}
    except ValueError as wrong:
        raise WrongSetting(f"{path} is no TOML: {wrong}") from None


def _as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read_config(environ: Mapping[str, str] | None = None, folder: Path = Path(), **overrides: Any) -> Config:
    """The settings of this process. `overrides` are parsed values (from options) that take precedence.

    Raises `WrongSetting` with one line that names the variable, its value and what is accepted.
    """
    found = _gathered(os.environ if environ is None else environ, folder)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        variable = setting.variable
        if variable not in found:
            continue
        try:
            values[setting.name] = setting.kind(found[variable])
        except ValueError as wrong:
            shown = "the value given" if setting.secret else repr(found[variable])
            raise WrongSetting(f"{variable}: {shown} is not accepted; it takes {wrong}") from None
    if bool(values.get("tls_cert")) != bool(values.get("tls_key")):
        there, missing = ("CERT", "KEY") if values.get("tls_cert") else ("KEY", "CERT")
        raise WrongSetting(f"{PREFIX}TLS_{there} is set and {PREFIX}TLS_{missing} is not; it takes both, or none")
    values["unread"] = tuple(sorted(PREFIX + name for name in FUTURE if found.get(PREFIX + name)))
    known = {field.name for field in fields(Config)}
    return Config(**values | {name: value for name, value in overrides.items() if name in known and value is not None})


def config_with(settings: Mapping[str, Any], caller: str) -> Config:
    """The settings of this process, with those that another program passes to `caller`, by name in lower case.

    Raises `WrongSetting`, also for an unknown name.
    """
    known = [setting.name for setting in SETTINGS]
    for name in settings:
        if name not in known:
            raise WrongSetting(f"{caller}: there is no setting {name!r}; there are {', '.join(known)}")
    return read_config(os.environ | {PREFIX + name.upper(): _passed(value) for name, value in settings.items()})


def _passed(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else _as_text(value)


def secret_of(config: Config) -> bytes:
    """The key of this installation: the configured one, else one made once and stored with the data (0600)."""
    if config.secret_key:
        return config.secret_key.encode()
    private_files.directory(config.data_dir)
    path = config.data_dir / "secret.key"
    if not path.exists():
        _make_secret(path)
    return path.read_text().strip().encode()


def _make_secret(path: Path) -> None:
    """Writes the key atomically; of several processes that start at the same time, the first one's key stays."""
    made = path.with_name(f".secret.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(made, path)
    made.unlink()
