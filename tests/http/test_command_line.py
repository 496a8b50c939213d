"""The command line: what each command prints, with a server running and without, and what people get wrong."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import app
from analytics.access import first_owner
from analytics.base.config import Config, secret_of
from tests.support import preloaded
from tests.support.serving import (
    AS_ON_A_TERMINAL,
    ROOT,
    SITE,
    environment_of,
    eventually,
    pageview,
    rows,
    run_command,
    serving,
    with_data,
)

SNIPPET = '<script defer src="{address}/js/footfall.js" data-site="{site}"></script>'
PASSWORD = "correct horse battery"


@pytest.fixture
def cli(monkeypatch, capsys):
    """Runs the command line in this process: exit code, what it printed, what it complained of."""
    monkeypatch.chdir(ROOT)

    def run(config, *words, stdin="", **environment):
        for name in [name for name in os.environ if name.startswith("FOOTFALL_")]:
            monkeypatch.delenv(name)
        for name, value in (environment_of(config) | environment).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["app.py", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = 0
        try:
            app.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out.rstrip("\n"), err.rstrip("\n")

    return run


@pytest.fixture
def done(cli, config):
    """Runs a command that has to succeed, and gives what it printed."""

    def run(*words, **options):
        code, out, err = cli(config, *words, **options)
        assert (code, err) == (0, "")
        return out

    return run


@pytest.fixture(params=["without a server", "beside a server"])
def address(request, config):
    """The address that commands speak of, once without a running server and once with one."""
    if request.param == "without a server":
        with_data(config)
        yield "http://127.0.0.1:8050"
        return
    with serving(config) as server:
        yield server.url


# ── each command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_commands_of_an_administrator_with_and_without_a_server(config, done, address, tmp_path):
    sites_are_managed(done, address)
    people_are_managed(config, done, address)
    keys_are_added(done)
    cards_are_managed(done, address)
    rules_are_managed(done, tmp_path / "rule.json")
    channels_are_managed(done)
    assert done("site", "remove", "zwei.example") == "zwei.example and all of its data are gone."
    [listed] = done("site", "list").splitlines()[1:]
    assert re.fullmatch(r"example\.com  Shop  Europe/Berlin  browser   [0-9a-f-]{36}", listed)


def sites_are_managed(done, address):
    assert done("site", "list") == "No site yet. `.venv/bin/python app.py site add DOMAIN` adds one."
    added = done("site", "add", "https://Example.com/", "--name", "Shop", "--timezone", "Europe/Berlin")
    assert added.splitlines()[-1] == SNIPPET.format(address=address, site="example.com")
    assert done("site", "add", "zwei.example").startswith("zwei.example is added.")
    changed = ("--identity", "browser", "--allow-host", "shop.test", "--exclude-address", "10.0.0.0/8")
    more = ("--week-start", "sunday", "--retention-days", "30", "--exclude-host", "test.example.com")
    assert (
        done("site", "set", "example.com", *changed, "--exclude-path", "/admin/**", *more) == "example.com is changed."
    )
    uuid = "11111111-1111-4111-8111-111111111111"
    assert done("site", "set", "zwei.example", "--uuid", uuid.upper()) == "zwei.example is changed."
    head, first, second = done("site", "list").splitlines()
    assert head == "DOMAIN        NAME          TIME ZONE      IDENTITY  UUID"
    assert re.fullmatch(r"example\.com   Shop          Europe/Berlin  browser   [0-9a-f-]{36}", first)
    assert second == f"zwei.example  zwei.example  UTC            daily     {uuid}"


def people_are_managed(config, done, address):
    assert done("setup-link") == first_owner.setup_link(address, secret_of(config))
    assert done("user", "list").endswith("`.venv/bin/python app.py user add EMAIL --role owner` adds somebody.")
    made = done("user", "add", "Ada@Example.com", "--role", "owner")
    assert re.fullmatch(r"ada@example\.com is added as owner\. The password, shown this once: [\w-]{16}", made)
    added = done("user", "add", "bob@example.com", "--role", "viewer", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert added == "bob@example.com is added as viewer."
    assert done("user", "list").splitlines() == [
        "E-MAIL           ROLE",
        "ada@example.com  owner",
        "bob@example.com  viewer",
    ]
    on = ("--site", "example.com")
    assert (
        done("user", "set", "bob@example.com", "--role", "admin", *on) == "bob@example.com is admin on example.com now."
    )
    assert done("user", "set", "bob@example.com", "--role", "none") == "bob@example.com is nothing on every site now."
    assert done("user", "list").splitlines()[-1] == "bob@example.com  admin on example.com"
    new = done("user", "add", "eve@example.com", "--role", "viewer", *on, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert new == "eve@example.com is added as viewer on example.com."
    link = done("user", "invite", "fay@example.com", "--role", "viewer", *on, "--expires", "1d")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/invitation\?token=[\w-]{43}", link)
    assert done("user", "remove", "eve@example.com") == "eve@example.com is removed."
    reset = done("user", "reset", "bob@example.com", "--password-stdin", stdin="another good password\n")
    assert reset == "bob@example.com has to sign in again."
    stored = rows(config, "SELECT password_hash FROM people")
    assert all(kept.startswith("$argon2id$") for (kept,) in stored)


def keys_are_added(done):
    for words in (("panel", "--scope", "stats"), ("shop", "--scope", "ingest", "--site", "example.com")):
        assert re.fullmatch(r"ff_[\w-]{32}", done("key", "add", *words))
    listed = [line.split("  ") for line in done("key", "list").splitlines()]
    assert [[cell.strip() for cell in line if cell][:4] for line in listed] == [
        ["ID", "NAME", "SCOPE", "SITE"],
        ["1", "panel", "stats", "every site"],
        ["2", "shop", "ingest", "example.com"],
    ]
    assert done("key", "remove", "2") == "The key shop is removed."


def cards_are_managed(done, address):
    assert (
        done("embed", "list") == "No card yet. `.venv/bin/python app.py embed add --site DOMAIN --host HOST` adds one."
    )
    line = done(
        "embed", "add", "--site", "example.com", "--host", "panel.example", "b.example:8443", "--expires", "30d"
    )
    assert re.fullmatch(rf'<iframe src="{address}/embed/live\?token=fe_[\w-]{{32}}" [^\n]*></iframe>', line)
    assert re.fullmatch(
        r"1 +example\.com +panel\.example b\.example:8443 +20\d\d-\d\d-\d\d +on", _last(done("embed", "list"))
    )
    assert done("embed", "revoke", "1") == "Card 1 is off."
    assert done("embed", "revoke", "1") == "Card 1 is off."
    assert _last(done("embed", "list")).endswith(" off")


def rules_are_managed(done, file):
    assert len(done("rule", "list").splitlines()) == 1 + 2 * 4, "both sites have the shipped rules"
    rule = {"name": "Payments", "when": {"event": "payment"}, "notify": {"priority": "low", "title": "{value} €"}}
    file.write_text(json.dumps(rule, ensure_ascii=False), "utf-8")
    added = done("rule", "add", "--site", "example.com", "--json", str(file))
    number = re.fullmatch(r"Rule (\d+), Payments, is added: when payment arrives\.", added)[1]
    from_stdin = done("rule", "add", "--site", "example.com", "--json", "-", stdin=json.dumps(rule | {"name": "Ü"}))
    assert re.fullmatch(r"Rule \d+, Ü, is added: when payment arrives\.", from_stdin)
    assert re.fullmatch(r"\d+ +example\.com +Ü +payment arrives +on", _last(done("rule", "list")))
    assert done("rule", "test", number) == (
        f"Rule {number}, Payments, notifies when payment arrives.\nIt would notify of 0 of the newest 0 events."
    )
    assert done("rule", "remove", number) == "The rule Payments is removed."


def channels_are_managed(done):
    assert done("channel", "list").startswith("No channel yet. ")
    to = "https://hooks.not-yet.example/x"
    added = done("channel", "add", "--site", "example.com", "--kind", "webhook", "--to", to, "--name", "Shop")
    no_links = "Messages have no links: FOOTFALL_BASE_URL is empty, so the address of the dashboard is unknown."
    assert re.fullmatch(rf"Channel 1, Shop, is added\. It signs with whsec_[A-Za-z0-9+/]{{43}}=\n{no_links}", added)
    assert re.fullmatch(rf"1 +example\.com +webhook +Shop +{to} +on", _last(done("channel", "list")))
    assert done("channel", "remove", "1") == "The channel Shop is removed."


def _last(text):
    return text.splitlines()[-1]


def on_a_terminal(config, *words, typed):
    """The exit code of a command and what it prints, where people type that."""
    ours, theirs = os.openpty()
    os.write(ours, typed.encode())
    pipes = {"stdin": theirs, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with preloaded.popen([sys.executable, "app.py", *words], **pipes, cwd=ROOT, env=environment_of(config)) as process:
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    return process.returncode, out


def test_the_sql_of_a_watch_is_shown_and_on_a_terminal_agreed_to_before_it_is_run(config, done, address, host):
    done("site", "add", SITE)
    before = host.catalog()
    words = ("watch", "add", "--site", SITE, "--source", host.url, "--table", "bookings")
    printed = done(*words, "--print-sql")
    added = f"Watch {{}} is added: changes of public.bookings become events of {SITE}. "

    code, out = on_a_terminal(config, *words, typed="n\n")
    assert (code, out.startswith(printed), host.catalog()) == (130, True, before)
    code, out = on_a_terminal(config, *words, typed="y\n")
    assert (code, out.startswith(printed), added.format(1) in out) == (0, True, True)

    out = done(*words, "--on", "insert")
    assert out.startswith("BEGIN;\n")
    assert _last(out).startswith(added.format(2))
    code, out = on_a_terminal(config, *words, "--on", "delete", "--yes", typed="")
    assert (code, "Continue?" in out, added.format(3) in out) == (0, False, True)
    for number in "123":
        done("watch", "remove", number)
    assert host.catalog() == before


def test_what_a_command_changes_holds_for_the_next_request(cli, shared, site):
    assert cli(shared.config, "site", "set", site, "--exclude-path", "/private/**")[0] == 0
    assert shared.collect(pageview("page-aaa", "/private/x", site)).json == {"stored": 0, "filtered": "excluded_path"}
    assert cli(shared.config, "site", "remove", site)[0] == 0
    assert shared.collect(pageview("page-bbb", "/x", site)).status == 404


def test_a_removed_site_leaves_no_row(shared, site, other_site):
    (number,) = rows(shared.config, f"SELECT id FROM sites WHERE domain = '{site}'")[0]
    for domain in (site, other_site):
        shared.collect([pageview("page-aaa", site=domain), pageview("short", site=domain)])
    shared.tell("embed add", site=site, hosts=["panel.example"], expires="1d")
    shared.tell("key add", name="k", scope="stats", site=site)
    shared.tell("site remove", domain=site)
    tables = ("visits", "pageviews", "events", "heartbeats", "salts", "keys", "embeds", "outcomes")
    left = {
        table: rows(shared.config, f"SELECT COUNT(*) FROM {table} WHERE site_id = {number}")[0][0] for table in tables
    }
    assert left == dict.fromkeys(tables, 0)
    assert rows(
        shared.config, f"SELECT pageviews FROM visits JOIN sites ON sites.id = site_id WHERE domain = '{other_site}'"
    )


def test_the_control_socket_is_its_owners_alone(shared):
    socket = shared.config.data_dir / "control.sock"
    assert stat.S_ISSOCK(socket.stat().st_mode)
    assert socket.stat().st_mode & 0o077 == 0


def test_a_data_directory_may_lie_deep(cli, tmp_path):
    deep = Config(data_dir=tmp_path / ("d" * 60) / ("e" * 60))
    with serving(deep):
        code, out, _ = cli(Config(), "site", "add", SITE, "--data-dir", str(deep.data_dir))
    assert (code, out.splitlines()[0]) == (0, "example.com is added. Put this into the head of its pages:")


# ── serve ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_subcommand_it_serves_and_prints_the_set_up_link_until_somebody_is_there(tmp_path):
    config = Config(data_dir=tmp_path / "data")
    with serving(config, command="") as server:
        link, ready = server.lines
        path = link.removeprefix("Set it up, once, at ").removeprefix(server.url)
        assert re.fullmatch(r"/setup\?token=[\w-]{20,}", path)
        assert ready == f"Footfall is ready on {server.url}"
        assert server.request("GET", path).status == 200
        server.tell("user add", email="ada@example.com", role="owner", password=PASSWORD)
        assert server.request("GET", path).status == 404
        assert server.stop() == 0
    with serving(config, "--workers", "1", "--host", "127.0.0.1") as server:
        assert server.lines == [f"Footfall is ready on {server.url}"]
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == 0


def in_folder(folder, *words, **environment):
    """The command line started in that folder, with nothing but these settings."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FOOTFALL_")}
    command = [sys.executable, str(ROOT / "app.py"), *words]
    return preloaded.run(command, stdin="", timeout=60, cwd=folder, env=bare | environment)


def test_settings_come_from_a_dot_env_file_and_from_toml_too(tmp_path):
    (tmp_path / ".env").write_text(f"FOOTFALL_DATA_DIR={tmp_path / 'here'}\n")
    (tmp_path / "footfall.toml").write_text('data_dir = "nowhere"\ncollect_rate = 5\n')
    with_data(Config(data_dir=tmp_path / "here"))
    done = in_folder(tmp_path, "site", "list")
    command = f"`{sys.executable} {ROOT / 'app.py'} site add DOMAIN`"
    assert (done.returncode, done.stdout) == (0, f"No site yet. {command} adds one.\n")
    assert not (tmp_path / "nowhere").exists()


# ── a directory without data ─────────────────────────────────────────────────────────────────────────────────────────

LOOKING = (
    ("site", "list"),
    ("site", "add", "example.com"),
    ("site", "set", "example.com", "--name", "Shop"),
    ("site", "remove", "example.com"),
    ("user", "list"),
    ("user", "add", "ada@example.com", "--role", "owner"),
    ("user", "set", "ada@example.com", "--role", "admin"),
    ("user", "invite", "--role", "viewer"),
    ("user", "reset", "ada@example.com"),
    ("user", "remove", "ada@example.com"),
    ("key", "list"),
    ("key", "add", "panel", "--scope", "stats"),
    ("key", "remove", "1"),
    ("embed", "list"),
    ("embed", "add", "--site", "example.com", "--host", "panel.example"),
    ("embed", "revoke", "1"),
    ("query", "--site", "example.com", "visitors"),
    ("maintain",),
    ("verify",),
)
NO_DATA = "footfall: no data in {}; `serve` makes it there, --data-dir or FOOTFALL_DATA_DIR names another place"


@pytest.mark.parametrize("words", LOOKING, ids=[" ".join(words) for words in LOOKING])
def test_a_command_where_there_is_no_data_says_where_it_looked_and_makes_nothing(cli, tmp_path, words):
    away = tmp_path / "away" / "data"
    assert cli(Config(data_dir=away), *words) == (2, "", NO_DATA.format(away))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert cli(Config(data_dir=empty), *words) == (2, "", NO_DATA.format(empty))
    assert [*tmp_path.rglob("*")] == [empty]


def test_a_command_in_the_wrong_folder_names_that_folder(tmp_path):
    done = in_folder(tmp_path, "site", "list")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", NO_DATA.format(tmp_path / "data") + "\n")
    assert [*tmp_path.iterdir()] == []


def test_a_replay_where_there_is_no_data_says_where_it_looked(cli, tmp_path):
    log = "collector/data/demo-access.log"
    code, out, err = cli(Config(data_dir=tmp_path / "data"), "replay", "access-log", log, "--site", SITE)
    assert (code, out) == (2, "")
    begin = f"footfall: no server is running on {tmp_path / 'data'}; start one with `"
    assert err.startswith(begin)
    assert err.endswith(" serve`")
    assert [*tmp_path.iterdir()] == []


def test_a_named_sqlite_file_that_is_not_there_is_named(cli, tmp_path):
    config = Config(data_dir=tmp_path / "data", database_url=f"sqlite:///{tmp_path / 'no.db'}")
    message = (
        f"footfall: no data in {tmp_path / 'no.db'}; `serve` makes it there, FOOTFALL_DATABASE_URL names another place"
    )
    assert cli(config, "site", "list") == (2, "", message)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_on_postgresql_commands_need_no_directory_and_make_none(cli, config, tmp_path):
    elsewhere = replace(config, data_dir=tmp_path / "elsewhere")
    assert cli(elsewhere, "site", "add", "example.com")[0] == 0
    assert cli(elsewhere, "site", "list")[1].splitlines()[1].split()[0] == "example.com"
    assert cli(elsewhere, "query", "--site", "example.com", "visitors")[0] == 0
    assert cli(elsewhere, "verify") == (2, "", NO_DATA.format(tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()
    with serving(elsewhere, FOOTFALL_SECRET_KEY="0123456789abcdef0123456789abcdef"):
        assert cli(elsewhere, "site", "list")[0] == 0


def test_an_import_makes_the_data_and_its_site(cli, tmp_path):
    config = Config(data_dir=tmp_path / "data")
    log = tmp_path / "access.log"
    log.write_text(
        '8.8.8.8 - - [11/Nov/2026:10:00:01 +0000] "GET /p HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11; Linux)"\n'
    )
    assert cli(config, "import", "access-log", str(log), "--site", "no domain")[0] == 2
    assert not config.data_dir.exists()
    assert cli(config, "import", "access-log", str(log), "--site", "Example.com")[0] == 0
    assert cli(config, "site", "list")[1].splitlines()[1].split()[0] == "example.com"
    code, _, err = cli(config, "import", "access-log", str(log), "--site", "exmaple.com")
    assert (code, err) == (2, "footfall: there is no site exmaple.com; known: example.com")


def test_a_port_that_is_taken_is_told_in_a_line(cli, shared, tmp_path):
    code, out, err = cli(Config(data_dir=tmp_path / "other"), "serve", "--port", str(shared.port))
    taken = f"footfall: 127.0.0.1:{shared.port} cannot be served on: Address already in use; try another --port"
    assert (code, out, err) == (2, "", taken)


# ── what people get wrong ────────────────────────────────────────────────────────────────────────────────────────────

SETTINGS = [
    ("FOOTFALL_SECRET_KEY", "change-me-please-change-me-please-change", "at least 32 random characters"),
    ("FOOTFALL_SECRET_KEY", "short", "at least 32 random characters"),
    ("FOOTFALL_DATABASE_URL", "mysql://root:hunter2@localhost/x", "postgresql://"),
    ("FOOTFALL_BASE_URL", "stats.example.com", "https://stats.example.com"),
    ("FOOTFALL_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "networks like"),
    ("FOOTFALL_GEOIP_DATABASE", "/nowhere.mmdb", ".mmdb file"),
    ("FOOTFALL_COLLECT_RATE", "many", "whole number"),
    ("FOOTFALL_COLLECT_RATE", "-1", "whole number"),
    ("FOOTFALL_ACTIVE_WINDOW_S", "0", "whole number"),
    ("FOOTFALL_ACTIVE_WINDOW_S", "1.5", "whole number"),
    ("FOOTFALL_COLLECT_RATE", "", "whole number"),
    ("FOOTFALL_LOG_LEVEL", "loud", "DEBUG, INFO"),
]


@pytest.mark.parametrize(("name", "value", "accepted"), SETTINGS, ids=[f"{n}={v[:12]}" for n, v, _ in SETTINGS])
def test_a_wrong_setting_stops_every_command_with_one_line(cli, tmp_path, name, value, accepted):
    code, out, err = cli(Config(data_dir=tmp_path / "data"), "site", "list", **{name: value})
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"footfall: {name}: [^\n]+ is not accepted; it takes [^\n]+", err)
    assert accepted in err
    hidden = name in ("FOOTFALL_SECRET_KEY", "FOOTFALL_DATABASE_URL")
    assert (repr(value) in err) is not hidden
    assert not (tmp_path / "data").exists()


MISSPELT = [
    ("FOOTFALL_TRUSTED_PROXY", "10.0.0.0/8", "the nearest one is FOOTFALL_TRUSTED_PROXIES"),
    ("FOOTFALL_LOGLEVEL", "DEBUG", "the nearest one is FOOTFALL_LOG_LEVEL"),
    ("FOOTFALL_DATABASE", "postgresql://root:hunter2@localhost/x", "the nearest one is FOOTFALL_DATABASE_URL"),
    ("FOOTFALL_SECRET", "hunter2", "the nearest one is FOOTFALL_SECRET_KEY"),
    ("FOOTFALL_HEARTBEAT_DAYS", "", "the nearest one is FOOTFALL_HEARTBEAT_RETENTION_DAYS"),
    ("Footfall_Collect_Rate", "5", "the nearest one is FOOTFALL_COLLECT_RATE"),
    ("FOOTFAL_BASE_URL", "https://x.example", "the nearest one is FOOTFALL_BASE_URL"),
    ("FOOTFALLBASE_URL", "https://x.example", "the nearest one is FOOTFALL_BASE_URL"),
    ("FOOTFALL_PUBLIC", "1", "the nearest one is FOOTFALL_"),
    ("FOOTFALL_PORT", "9000", "the option --port of serve"),
    ("FOOTFALL_HOST", "0.0.0.0", "the option --host of serve"),
]


@pytest.mark.parametrize("command", ["serve", "demo", "site list"])
@pytest.mark.parametrize(("name", "value", "meant"), MISSPELT, ids=[name for name, _, _ in MISSPELT])
def test_a_misspelt_setting_stops_every_command_with_one_line(cli, tmp_path, name, value, meant, command):
    code, out, err = cli(Config(data_dir=tmp_path / "data"), *command.split(), **{name: value})
    assert (code, out) == (2, "")
    assert err.startswith(f"footfall: {name} is no setting; {meant}")
    assert "\n" not in err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (
            ".env",
            "FOOTFALL_TRUSTED_PROXY=10.0.0.0/8",
            "FOOTFALL_TRUSTED_PROXY in .env is no setting; the nearest one is",
        ),
        (".env", "FOOTALL_DATA_DIR=x", "FOOTALL_DATA_DIR in .env is no setting; the nearest one is FOOTFALL_DATA_DIR"),
        (".env", "export FOOTFALL_DATADIR=x", "FOOTFALL_DATADIR in .env is no setting; the nearest one is"),
        ("footfall.toml", 'trusted_proxy = "x"', "FOOTFALL_TRUSTED_PROXY in footfall.toml is no setting; the nearest"),
        ("footfall.toml", "FOOTFALL_RATE = 5", "FOOTFALL_RATE in footfall.toml is no setting; the nearest one is"),
        ("footfall.toml", "[collector]\nrate = 5", "FOOTFALL_COLLECTOR in footfall.toml is no setting; the nearest"),
    ],
)
def test_a_misspelt_setting_in_a_file_is_named_with_the_file(tmp_path, file, line, message):
    (tmp_path / file).write_text(f"{line}\n")
    done = in_folder(tmp_path, "serve", "--port", "0")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"footfall: {message}")
    assert not (tmp_path / "data").exists()


WRONG = [
    (["serve", "--port", "70000"], "--port"),
    (["serve", "--port", "http"], "--port"),
    (["serve", "--workers", "0"], "--workers"),
    (["serve", "--workers", "2"], "--workers"),
    (["serve", "--host", "no.such.host.invalid"], "--port"),
    (["--nonsense"], "--nonsense"),
    (["nonsense"], "nonsense"),
    (["site"], "site"),
    (["site", "nonsense"], "nonsense"),
    (["site", "add"], "DOMAIN"),
    (["site", "add", "no domain"], "'no domain' is no domain"),
    (["site", "add", "a.example", "--timezone", "Mars/Olympus"], "'Mars/Olympus' is no time zone"),
    (["site", "add", "known.example"], "known.example is there already"),
    (["site", "remove", "nowhere.example"], "there is no site nowhere.example; known: known.example"),
    (["site", "set", "known.example"], "nothing to change"),
    (["site", "set", "known.example", "--identity", "face"], "--identity"),
    (["site", "set", "known.example", "--exclude-address", "10.0.0.0/99"], "'10.0.0.0/99' is no address"),
    (["user", "add", "ada", "--role", "owner"], "'ada' is no e-mail address"),
    (["user", "add", "ada@example.com"], "--role"),
    (["user", "add", "ada@example.com", "--role", "king"], "--role"),
    (["user", "add", "ada@example.com", "--role", "owner", "--password-stdin"], "10 to 1000 characters"),
    (["user", "reset", "ada@example.com", "--password-stdin"], "10 to 1000 characters"),
    (["user", "reset", "ada@example.com"], "nobody with the e-mail ada@example.com"),
    (["key", "add", "k"], "--scope"),
    (["key", "add", "k", "--scope", "god"], "--scope"),
    (["key", "add", "k", "--scope", "stats", "--site", "nowhere.example"], "there is no site nowhere.example"),
    (["key", "add", " ", "--scope", "stats"], "name of 1 to 120 characters"),
    (["embed", "add", "--site", "known.example"], "--host"),
    (["embed", "add", "--site", "known.example", "--host", "a b"], "'a b' is no host"),
    (["embed", "add", "--site", "known.example", "--host", "a.example", "--expires", "soon"], "'soon' is no duration"),
    (["embed", "add", "--site", "known.example", "--host", "a.example", "--expires", "36500d"], "3650 days"),
    (["embed", "revoke", "7"], "there is no embed 7"),
    (["embed", "revoke", "x"], "ID"),
    (["rule", "add", "--site", "known.example"], "--json"),
    (["rule", "add", "--site", "known.example", "--json", "/nowhere.json"], "/nowhere.json"),
    (["rule", "add", "--site", "known.example", "--json", "-"], "this is no JSON"),
    (["rule", "add", "--site", "known.example", "--json", "tests/clients/package.json"], "when: is required"),
    (["rule", "add", "--site", "known.example", "--json", "docs/live-dark.png"], "docs/live-dark.png is not in UTF-8"),
    (["rule", "test", "99"], "there is no rule 99; `rule list` shows them"),
    (["rule", "remove", "99"], "there is no rule 99"),
    (["channel", "add", "--site", "known.example", "--to", "https://a.example"], "--kind"),
    (["channel", "add", "--site", "known.example", "--kind", "pigeon", "--to", "x"], "--kind"),
    (["channel", "add", "--site", "known.example", "--kind", "webhook", "--to", "http://127.0.0.1/"], "to: 127.0.0.1"),
    (
        ["channel", "add", "--site", "known.example", "--kind", "email", "--to", "a@b.example", "--secret", "x"],
        "secret: ",
    ),
    (["channel", "test", "99"], "there is no channel 99; `channel list` shows them"),
    (["channel", "remove", "99"], "there is no channel 99"),
    (["embed", "revoke", "0"], "ID"),
    (["embed", "revoke", "99999999999999999999"], "ID"),
    (["replay", "access-log", "/nowhere.log", "--site", "known.example"], "/nowhere.log"),
    (["replay", "access-log", "README.md"], "--site"),
    (["replay", "access-log", "Makefile", "--site", "known.example", "--speed", "0"], "--speed"),
    (["replay", "access-log", "Makefile", "--site", "known.example"], "no server is running"),
]


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """An installation that knows one site and has no server."""
    config = with_data(Config(data_dir=tmp_path_factory.mktemp("known")))
    assert run_command(config, "site", "add", "known.example").returncode == 0
    return config


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_what_is_wrong_is_told_in_one_line_and_exit_2(cli, known, words, says):
    code, out, err = cli(known, *words)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"footfall: [^\n]+", err)
    assert says in err


def test_beside_a_server_what_is_wrong_is_told_the_same_way(cli, shared, site):
    for words, says in (
        (("site", "add", site), "is there already"),
        (("user", "reset", "nobody@example.com"), "nobody with the e-mail"),
        (("embed", "add", "--site", "nowhere.example", "--host", "a.example"), "there is no site nowhere.example"),
        (("embed", "revoke", "999999999"), "there is no embed 999999999"),
    ):
        code, out, err = cli(shared.config, *words)
        assert (code, out, err.count("\n")) == (2, "", 0)
        assert says in err


def test_an_unreachable_database_is_told_in_one_line(cli, tmp_path):
    nowhere = "postgresql://user:hunter2@127.0.0.1:1/footfall"
    code, out, err = cli(Config(data_dir=tmp_path, database_url=nowhere), "site", "list")
    assert (code, out, err.count("\n")) == (2, "", 0)
    assert err.startswith("footfall: ")
    assert "hunter2" not in err


def test_a_data_directory_that_cannot_be_is_told_in_one_line(cli, tmp_path):
    (tmp_path / "file").write_text("x")
    code, out, err = cli(Config(data_dir=tmp_path / "file"), "site", "list")
    assert (code, out, err.count("\n")) == (2, "", 0)
    assert str(tmp_path / "file") in err


def test_help_and_version_are_no_mistakes(cli, tmp_path):
    config = Config(data_dir=tmp_path / "data")
    for words in (
        ("--help",),
        ("serve", "--help"),
        ("site", "--help"),
        ("replay", "access-log", "--help"),
        ("--version",),
    ):
        code, out, err = cli(config, *words)
        assert (code, err) == (0, "")
        assert out
    assert not config.data_dir.exists()


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """It is not left running, whatever happens."""
    try:
        yield
    finally:
        process.kill()


AMONG_BUSY_THREADS = """
import sys, threading, duckdb

def work(connection):
    while True:
        try:
            connection.execute("SELECT a, a::VARCHAR FROM range(1000) rows(a)").fetchall()
        except duckdb.InterruptException:
            pass

for _ in range(3):
    threading.Thread(target=work, args=(duckdb.connect(),), daemon=True).start()
sys.path.insert(0, ".")
sys.argv = ["app.py", "serve", "--port", "0"]
import app
app.main()
"""


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_threads_that_are_still_in_duckdb_do_not_abort_the_end(config):
    environment = os.environ | environment_of(config)
    line = [sys.executable, "-c", AMONG_BUSY_THREADS]
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server, ended(server):
        assert server.stdout
        assert any("Footfall is ready" in line for line in server.stdout)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_ctrl_c_while_it_is_still_loading_ends_it_without_a_word(config):
    with (
        subprocess.Popen(
            [sys.executable, "-c", AS_ON_A_TERMINAL, "app.py", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment_of(config),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        ended(process),
    ):
        loaded = Path(f"/proc/{process.pid}/maps")
        eventually(lambda: "sqlalchemy" in loaded.read_text(), within=60)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 130, 0)
    assert complaints.strip() == ""
