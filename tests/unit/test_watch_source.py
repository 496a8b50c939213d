"""Sources that a page names: where they may be, and that nothing of this machine helps to reach them."""

from __future__ import annotations

import os

import pytest
from psycopg.conninfo import conninfo_to_dict

from analytics.activity.source import SourceRefused, parameters
from analytics.activity.source_guard import guarded
from analytics.base.addresses import network
from analytics.base.errors import InvalidInput

NAMES = {
    "db.example.com": ["93.184.216.34"],
    "many.example.com": ["93.184.216.34", "93.184.216.35", "93.184.216.36"],
    "inside.example.com": ["10.1.2.3"],
    "mixed.example.com": ["93.184.216.34", "127.0.0.1"],
    "metadata.example.com": ["169.254.169.254"],
}
URL = "postgresql://shop:s3cret@{host}/shop"


def resolve(host: str, _port: int) -> list[str]:
    if host not in NAMES:
        raise OSError("Name or service not known")
    return NAMES[host]


def reached(url: str, *allowed: str) -> dict[str, object]:
    return guarded(conninfo_to_dict(url), [network(one) for one in allowed], resolve)


def refusal(url: str, *allowed: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        reached(url, *allowed)
    assert "s3cret" not in str(refused.value)
    return str(refused.value)


def test_a_name_is_looked_up_once_and_nothing_of_this_machine_is_used():
    assert reached("postgresql://shop:s3cret@db.example.com:5433/shop?sslmode=require") == {
        "user": "shop",
        "password": "s3cret",
        "dbname": "shop",
        "host": "db.example.com",
        "hostaddr": "93.184.216.34",
        "port": 5433,
        "sslmode": "require",
        "sslcertmode": "disable",
        "gssencmode": "disable",
        "passfile": os.devnull,
        "require_auth": "scram-sha-256,md5,password",
    }


def test_of_many_addresses_two_are_tried():
    found = reached(URL.format(host="many.example.com"))
    assert (found["host"], found["hostaddr"]) == ("many.example.com,many.example.com", "93.184.216.34,93.184.216.35")


@pytest.mark.parametrize(
    "host",
    ["inside.example.com", "mixed.example.com", "metadata.example.com", "127.0.0.1", "[::1]", "10.0.0.8"],
)
def test_what_leads_inwards_is_refused(host):
    line = refusal(URL.format(host=host))
    assert "leads to an address that is not public; FOOTFALL_ALLOWED_TARGETS may allow its network" in line


def test_a_network_that_the_installation_allows_is_reached():
    assert reached(URL.format(host="inside.example.com"), "10.0.0.0/8")["hostaddr"] == "10.1.2.3"
    assert "not public" in refusal(URL.format(host="mixed.example.com"), "10.0.0.0/8")


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (URL.format(host="nowhere.example.com"), "there is no host nowhere.example.com"),
        (
            URL.format(host="") + "?host=db.example.com,inside.example.com",
            "there is no host db.example.com,inside.example.com",
        ),
        ("postgresql:///shop?host=/var/run/postgresql&user=a&password=s3cret", "there is no host /var/run/postgresql"),
        (
            "postgresql://shop:s3cret@/shop",
            "the source needs a host, a user, a password and a database; host is missing",
        ),
        (
            "postgresql://shop@db.example.com/shop",
            "the source needs a host, a user, a password and a database; password is missing",
        ),
        ("postgresql://shop:s3cret@db.example.com:0/shop", "0 is no port"),
        ("postgresql://shop:s3cret@db.example.com:99999/shop", "99999 is no port"),
        (f"postgresql://shop:s3cret@db.example.com:{'9' * 5_000}/shop", f"{'9' * 20} is no port"),
    ],
)
def test_what_a_page_needs_and_what_does_not_exist_is_one_line(url, line):
    assert refusal(url) == line


@pytest.mark.parametrize(
    "parameter",
    [
        "hostaddr=127.0.0.1",
        "passfile=/etc/shadow",
        "service=x",
        "options=-c%20x",
        "sslkey=/root/key",
        "sslrootcert=/x",
        "sslkeylogfile=/tmp/x",
        "krbsrvname=x",
        "require_auth=none",
    ],
)
def test_parameters_that_read_or_write_this_machine_are_refused(parameter):
    line = refusal(f"{URL.format(host='db.example.com')}?{parameter}")
    assert line.startswith(f"{parameter.partition('=')[0]} cannot be set in a page; only host, user, password, dbname")


def test_the_command_line_goes_anywhere():
    url = "postgresql:///shop?host=/var/run/postgresql&passfile=/root/.pgpass"
    assert parameters(url, None) == conninfo_to_dict(url)
    with pytest.raises(SourceRefused) as refused:
        parameters(url, ())
    assert list(refused.value.fields) == ["source"]
