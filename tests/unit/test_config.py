"""The settings: where they come from, what they take, what they say when they are wrong."""

from __future__ import annotations

import ipaddress
import os
import stat
from pathlib import Path

import pytest

from analytics.base.config import BASE_URLS, Config, WrongSetting, read_config, secret_of
from analytics.base.mail_server import MailServer, MailTls

GOOD_SECRET = "0123456789abcdef0123456789abcdef"


def read(folder: Path, **environ: str) -> Config:
    return read_config({f"FOOTFALL_{name}": value for name, value in environ.items()}, folder)


def test_without_settings_the_contract_s_defaults_hold(tmp_path):
    assert read(tmp_path) == Config(
        data_dir=Path("data"),
        database_url="",
        secret_key="",
        base_url="",
        trusted_proxies=(),
        allowed_targets=(),
        smtp_url=None,
        geoip_database=None,
        spam_referrers=None,
        collect_rate=600,
        active_window_s=60,
        log_level="INFO",
        public=False,
    )


def test_every_setting_is_read(tmp_path):
    mmdb = tmp_path / "geo.mmdb"
    mmdb.touch()
    assert read(
        tmp_path,
        DATA_DIR="/srv/footfall",
        DATABASE_URL="postgresql://ann:pw@db/footfall",
        SECRET_KEY=GOOD_SECRET,
        BASE_URL="https://stats.example.com/",
        TRUSTED_PROXIES="10.1.2.3/8, 127.0.0.1,",
        ALLOWED_TARGETS="10.1.0.0/16,::1",
        SMTP_URL="smtp://ann:p%40ss@mail.example.com?from=stats@example.com",
        GEOIP_DATABASE=str(mmdb),
        COLLECT_RATE="0",
        ACTIVE_WINDOW_S="300",
        HEARTBEAT_INTERVAL_S="15",
        HEARTBEAT_RETENTION_DAYS="30",
        LOG_LEVEL="debug",
    ) == Config(
        data_dir=Path("/srv/footfall"),
        database_url="postgresql://ann:pw@db/footfall",
        secret_key=GOOD_SECRET,
        base_url="https://stats.example.com",
        trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1")),
        allowed_targets=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("::1")),
        smtp_url=MailServer("mail.example.com", 587, "ann", "p@ss", "Footfall <stats@example.com>", MailTls.STARTTLS),
        geoip_database=mmdb,
        collect_rate=0,
        active_window_s=300,
        heartbeat_interval_s=15,
        heartbeat_retention_days=30,
        log_level="DEBUG",
    )


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("COLLECT_RATE", "many", "a whole number from 0 to 1000000000"),
        ("COLLECT_RATE", "-1", "a whole number from 0 to 1000000000"),
        ("COLLECT_RATE", "1.5", "a whole number from 0 to 1000000000"),
        ("COLLECT_RATE", "", "a whole number from 0 to 1000000000"),
        ("ACTIVE_WINDOW_S", "4", "a whole number from 5 to 3600"),
        ("ACTIVE_WINDOW_S", "3601", "a whole number from 5 to 3600"),
        ("HEARTBEAT_INTERVAL_S", "0", "a whole number from 1 to 300"),
        ("HEARTBEAT_INTERVAL_S", "301", "a whole number from 1 to 300"),
        ("HEARTBEAT_RETENTION_DAYS", "0", "a whole number from 1 to 36500"),
        ("HEARTBEAT_RETENTION_DAYS", "7d", "a whole number from 1 to 36500"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
        ("BASE_URL", "stats.example.com", BASE_URLS),
        ("BASE_URL", "ftp://stats.example.com", BASE_URLS),
        ("BASE_URL", "https://", BASE_URLS),
        ("BASE_URL", "https://stats.example.com/?a=b", BASE_URLS),
        ("BASE_URL", "http://[", BASE_URLS),
        ("BASE_URL", "https://example.com/stats?a=b", BASE_URLS),
        ("BASE_URL", "https://example.com/stats#top", BASE_URLS),
        ("BASE_URL", "https://example.com//stats", BASE_URLS),
        ("BASE_URL", "https://example.com/stats//", BASE_URLS),
        ("BASE_URL", "https://example.com/a/../b", BASE_URLS),
        ("BASE_URL", "https://example.com/.", BASE_URLS),
        ("BASE_URL", "https://example.com/st%61ts", BASE_URLS),
        ("BASE_URL", "https://example.com/größe", BASE_URLS),
        ("BASE_URL", "https://example.com/a b", BASE_URLS),
        ("BASE_URL", 'https://example.com/"><script>', BASE_URLS),
        ("BASE_URL", "https://example.com/a;b", BASE_URLS),
        ("BASE_URL", "https://example.com/stats\n", BASE_URLS),
        ("TRUSTED_PROXIES", "proxy.example.com", "a comma-separated list of networks like 10.0.0.0/8,127.0.0.1"),
        ("ALLOWED_TARGETS", "intranet", "a comma-separated list of networks like 10.0.0.0/8,127.0.0.1"),
        ("GEOIP_DATABASE", "/nowhere.mmdb", "the path of an .mmdb file that exists"),
    ],
)
def test_a_wrong_value_names_the_variable_the_value_and_what_is_accepted(tmp_path, name, value, accepted):
    with pytest.raises(WrongSetting) as caught:
        read(tmp_path, **{name: value})
    assert str(caught.value) == f"FOOTFALL_{name}: {value!r} is not accepted; it takes {accepted}"


@pytest.mark.parametrize(
    "value", ["short", "change-me-change-me-change-me-change-me", "your-secret-key-goes-here-really-it-does"]
)
def test_a_short_or_known_secret_stops_the_start_and_is_not_shown(tmp_path, value):
    with pytest.raises(WrongSetting) as caught:
        read(tmp_path, SECRET_KEY=value)
    assert str(caught.value) == (
        "FOOTFALL_SECRET_KEY: the value given is not accepted; it takes "
        "at least 32 random characters, or nothing (then one is made and kept)"
    )


@pytest.mark.parametrize(
    "value", ["mysql://ann:hunter2@db/x", "postgresql", "sqlite", "sqlite://", "sqlite:///", "hunter2", "postgresql:"]
)
def test_a_database_that_we_do_not_speak_to_stops_the_start_and_its_password_is_not_shown(tmp_path, value):
    with pytest.raises(WrongSetting) as caught:
        read(tmp_path, DATABASE_URL=value)
    assert str(caught.value) == (
        "FOOTFALL_DATABASE_URL: the value given is not accepted; it takes "
        "postgresql://user:password@host/database, or empty for SQLite in the data directory"
    )


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("", None),
        (
            "smtps://ann%40example.com:pw@mail.example.com",
            MailServer(
                "mail.example.com", 465, "ann@example.com", "pw", "Footfall <ann@example.com>", MailTls.IMPLICIT
            ),
        ),
        (
            "smtp://mail:1025?tls=off&from=The%20Team%20<team@example.com>",
            MailServer("mail", 1025, "", "", "The Team <team@example.com>", MailTls.OFF),
        ),
        (
            "smtp://[::1]?from=team@example.com",
            MailServer("::1", 587, "", "", "Footfall <team@example.com>", MailTls.STARTTLS),
        ),
    ],
)
def test_a_mail_server_is_read_with_its_sender_and_how_it_is_encrypted(tmp_path, url, server):
    assert read(tmp_path, SMTP_URL=url).smtp_url == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com?from=a@example.com",
        "smtp://?from=a@example.com",
        "smtp://mail.example.com",
        "smtp://ann:hunter2@mail.example.com",
        "smtp://mail.example.com:many?from=a@example.com",
        "smtp://mail.example.com/box?from=a@example.com",
        "smtp://mail.example.com?from=a@example.com&to=b@example.com",
        "smtp://mail.example.com?from=a@example.com&tls=maybe",
        "smtps://mail.example.com?from=a@example.com&tls=off",
        "smtp://mail.example.com?from=a%0d%0aBcc:%20b@example.com",
        "smtp://mail.example.com?from=a",
    ],
)
def test_a_wrong_mail_server_is_one_line_without_its_password(tmp_path, url):
    with pytest.raises(WrongSetting) as caught:
        read(tmp_path, SMTP_URL=url)
    assert str(caught.value) == (
        "FOOTFALL_SMTP_URL: the value given is not accepted; it takes smtp://user:password@host:587?from="
        "stats@example.com (STARTTLS; ?tls=off for none), smtps:// (TLS from the start), or empty for no mail"
    )


def test_secrets_are_not_shown_where_a_config_is(tmp_path):
    mail = "smtp://ann:hunter2@mail.example.com?from=a@example.com"
    database = "postgresql://ann:hunter2@db/footfall"
    shown = repr(read(tmp_path, SECRET_KEY=GOOD_SECRET, DATABASE_URL=database, SMTP_URL=mail))
    assert GOOD_SECRET not in shown
    assert "hunter2" not in shown


def test_the_environment_wins_over_env_file_and_that_over_toml(tmp_path):
    (tmp_path / "footfall.toml").write_text('collect_rate = 1\nactive_window_s = 10\nFOOTFALL_LOG_LEVEL = "ERROR"\n')
    (tmp_path / ".env").write_text("FOOTFALL_COLLECT_RATE=2\nFOOTFALL_ACTIVE_WINDOW_S=20\n")
    config = read(tmp_path, COLLECT_RATE="3")
    assert (config.collect_rate, config.active_window_s, config.log_level) == (3, 20, "ERROR")


def test_options_win_over_all_and_absent_ones_do_not_count(tmp_path):
    config = read_config(
        {"FOOTFALL_DATA_DIR": "/a", "FOOTFALL_COLLECT_RATE": "3"}, tmp_path, data_dir=Path("/b"), collect_rate=None
    )
    assert (config.data_dir, config.collect_rate) == (Path("/b"), 3)


def test_a_wrong_value_in_a_file_is_named_like_any_other(tmp_path):
    (tmp_path / "footfall.toml").write_text("collect_rate = true\n")
    with pytest.raises(WrongSetting, match="FOOTFALL_COLLECT_RATE: 'True' is not accepted"):
        read(tmp_path)


def test_what_is_not_ours_and_what_a_container_sets_is_no_misspelling(tmp_path):
    (tmp_path / ".env").write_text("COMPOSE_PROJECT_NAME=x\nPOSTGRES_PASSWORD=y\n")
    environ = {
        "FOOTFALL_SERVICE_HOST": "10.0.0.7",
        "FOOTFALL_SERVICE_PORT": "8050",
        "FOOTFALL_SERVICE_PORT_HTTP": "8050",
        "FOOTFALL_PORT": "tcp://10.0.0.7:8050",
        "FOOTFALL_PORT_8050_TCP": "tcp://10.0.0.7:8050",
        "FOOTFALL_PORT_8050_TCP_ADDR": "10.0.0.7",
        "FOOTFALL_POSTGRES_SERVICE_HOST": "10.0.0.8",
        "FOOTFALL_POSTGRES_PORT": "tcp://10.0.0.8:5432",
        "FOOTFALL_POSTGRES_PORT_5432_TCP_PROTO": "tcp",
        "FOOTFALLS": "many",
        "PATH": "/bin",
    }
    assert read_config(environ, tmp_path) == Config()


def test_a_setting_that_is_still_to_come_is_no_misspelling_but_is_told(tmp_path):
    assert read(tmp_path, DATABASE_DIRECT_URL="postgresql://db/x", WORKERS="1", REDIS_URL="").unread == (
        "FOOTFALL_DATABASE_DIRECT_URL",
        "FOOTFALL_WORKERS",
    )


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "footfall.toml").write_text("collect_rate: 600\n")
    with pytest.raises(WrongSetting, match=r"footfall\.toml is no TOML: .*line 1"):
        read(tmp_path)


def test_a_list_in_toml_is_a_list(tmp_path):
    (tmp_path / "footfall.toml").write_text('trusted_proxies = ["10.0.0.0/8", "127.0.0.1"]\n')
    assert [str(network) for network in read(tmp_path).trusted_proxies] == ["10.0.0.0/8", "127.0.0.1/32"]


@pytest.mark.parametrize(
    ("address", "as_browsers_write_it"),
    [
        ("http://localhost:8050", "http://localhost:8050"),
        ("http://[::1]:8050/", "http://[::1]:8050"),
        ("HTTPS://Stats.Müller.example/", "https://stats.xn--mller-kva.example"),
        ("https://straße.example:8443", "https://xn--strae-oqa.example:8443"),
        ("https://stats.example.com:443", "https://stats.example.com"),
        ("http://stats.example.com:80", "http://stats.example.com"),
        ("http://stats.example.com:443", "http://stats.example.com:443"),
        ("https://example.com/stats/", "https://example.com/stats"),
        ("HTTPS://Example.com:443/Web/Stats-1", "https://example.com/Web/Stats-1"),
        ("http://[::1]:8050/~ann/v1.0_b", "http://[::1]:8050/~ann/v1.0_b"),
        ("https://müller.example/stats", "https://xn--mller-kva.example/stats"),
        ("", ""),
    ],
)
def test_an_address_to_be_reached_at_is_taken(tmp_path, address, as_browsers_write_it):
    assert read(tmp_path, BASE_URL=address).base_url == as_browsers_write_it


@pytest.mark.parametrize(
    ("database_url", "url", "embedded"),
    [
        ("", "sqlite:///data/footfall.db", True),
        ("postgresql://db/x", "postgresql+psycopg://db/x", False),
        ("postgres://db/x", "postgresql+psycopg://db/x", False),
    ],
)
def test_the_database_is_sqlite_beside_the_data_or_the_server_named(database_url, url, embedded):
    config = Config(database_url=database_url)
    assert (config.url, config.embedded) == (url, embedded)


def test_a_secret_is_made_once_and_kept_for_the_owner_alone(tmp_path):
    config = Config(data_dir=tmp_path / "data")
    secret = secret_of(config)
    assert len(secret) >= 32
    assert secret_of(config) == secret
    assert stat.S_IMODE(os.stat(tmp_path / "data" / "secret.key").st_mode) == 0o600
    assert secret_of(Config(data_dir=tmp_path / "other")) != secret


def test_a_configured_secret_is_used_and_not_written(tmp_path):
    assert secret_of(Config(data_dir=tmp_path / "data", secret_key=GOOD_SECRET)) == GOOD_SECRET.encode()
    assert not (tmp_path / "data").exists()
