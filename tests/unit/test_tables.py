"""The documents' tables of settings, commands, doors, metrics, addresses and so on are those of the code."""

from __future__ import annotations

import re
from dataclasses import fields

import click
import pytest

from analytics.base.config import SETTINGS, Config
from analytics.commands import registry
from analytics.live.reasons import REASONS
from analytics.query.dimensions import DIMENSIONS
from analytics.query.metrics import METRICS
from collector.doors.table import DOORS
from collector.imports import commands as imports
from layouts.overview import page as overview
from tests.support import tables

COMMANDS = (*registry.COMMANDS, *imports.COMMANDS)


@pytest.mark.parametrize("name", tables.MADE)
def test_a_table_is_up_to_date(name):
    document = tables.MADE[name][0]
    assert tables.written(name) == tables.made(name), f"{document} lags behind; `make docs` writes it"


def test_every_setting_has_a_default_and_a_row():
    fields_of_settings = [field.name for field in fields(Config) if field.name not in ("public", "unread")]
    assert sorted(setting.name for setting in SETTINGS) == sorted(fields_of_settings)
    assert all(setting.help for setting in SETTINGS)
    shown = tables.written("settings")
    assert all(shown.count(f"| `{setting.variable}` |") == 1 for setting in SETTINGS)


def test_every_command_that_people_use_is_on_the_command_line_and_has_a_row():
    words = dict(tables.every_command())
    listed = {one.name for one in COMMANDS if one.help}
    assert listed <= words.keys()
    assert words.keys() - listed == {"serve", "demo", "replay access-log"}  # processes: in app.py
    assert all(one.help for one in words.values())
    shown = re.findall(r"^\| `([a-z -]+?)(?= [A-Z\[-]| --|`)", tables.written("commands"), re.MULTILINE)
    assert shown == list(words)


def test_the_parameters_of_a_command_are_those_of_its_function():
    for one in COMMANDS:
        code = one.run.__code__
        taken = set(code.co_varnames[1 : code.co_argcount])
        given = {parameter.name for parameter in one.params}
        assert given <= taken or code.co_flags & 0x08, one.name  # 0x08: any name
        if one.help:
            defaults = len(one.run.__defaults__ or ())
            needed = set(code.co_varnames[1 : code.co_argcount - defaults])
            assert needed <= given, one.name


def test_a_name_is_one_command_and_every_import_names_its_site():
    assert len({one.name for one in COMMANDS}) == len(COMMANDS)
    assert all(imports.SITE in one.params for one in imports.COMMANDS)


def test_every_door_is_described_once_and_by_another_row_at_most():
    rows = [(method, door.path) for door in DOORS for method in door.methods]
    assert len(rows) == len(set(rows))
    described = [(door.methods[0], door.path) for door in DOORS if door.docs]
    assert len(described) == len(set(described))
    assert {path for _, path in described} == {door.path for door in DOORS}


def test_every_reason_has_words_and_its_code_is_one_of_its_outcome():
    for outcome, kind in REASONS.items():
        codes = [str(one) for one in kind]
        assert len(codes) == len(set(codes)), outcome
        assert all(one.label and one.advice.endswith(".") for one in kind)


@pytest.mark.parametrize(("name", "listed"), [("metrics", METRICS), ("dimensions", DIMENSIONS)])
def test_every_metric_and_dimension_has_a_row(name, listed):
    assert re.findall(r"^\| `([^`]+)`", tables.written(name), re.MULTILINE) == list(listed)


def test_every_name_in_the_address_of_the_overview_has_a_row():
    names = {*overview.SHARED, *(name for part in overview.NAMES.values() for name in part)}
    assert set(tables.overview_names()) == names


def test_every_file_of_a_page_has_a_row():
    sources = (path.read_text("utf-8") for path in (tables.ROOT / "callbacks").rglob("*.py"))
    routes = {route for source in sources for route in re.findall(r'\.get\("([^"]+\.csv)"\)', source)}
    assert set(tables.FILES_OF_PAGES) == routes


def test_every_metric_for_prometheus_has_a_row_and_says_its_labels():
    shown = tables.written("prometheus")
    names = {sample.name for one in tables.exported() for sample in one.samples}
    assert all(shown.count(f"`{name}`") == 1 for name in names)
    assert {"footfall_events_total", "footfall_request_seconds_bucket", "process_resident_memory_bytes"} <= names
    assert "| `footfall_answers_total` | counter | `cache` (`hit`, `miss`, `shared`) |" in shown


def test_usage_says_what_must_be_and_what_may_be_given():
    one = click.Command(
        "any",
        params=[
            click.Option(["--scope"], required=True, type=click.Choice(["a", "b"])),
            click.Option(["--host", "hosts"], multiple=True, metavar="HOST"),
            click.Option(["--follow"], is_flag=True),
            click.Option(["--speed"], default=60.0, show_default=True),
            click.Argument(["files"], nargs=-1, required=True),
            click.Argument(["email"], default=""),
        ],
    )
    expected = ["FILES…", "[EMAIL]", r"--scope a\|b", "[--host HOST]…", "[--follow]", "[--speed 60]"]
    assert tables.usage(one) == expected
