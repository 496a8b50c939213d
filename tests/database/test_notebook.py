"""A site's numbers in a notebook: `open_site` on the visits of `tests/support/history.py`, and their DataFrames."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy.exc import DBAPIError

import analytics
from analytics.base.config import Config, WrongSetting
from analytics.base.errors import InvalidInput
from analytics.jobs import daily
from analytics.notebook import OpenSite
from analytics.sites import store
from analytics.storage import schema
from analytics.storage.database import Database, NoData
from tests.conftest import config_on
from tests.support.factories import added_site, count
from tests.support.history import at, keep_history
from tests.support.replica import NEVER
from tests.support.serving import ROOT

BOTH = "2026-03-10,2026-03-11"
DOMAIN = "site-1.example"
BERLIN = "Europe/Berlin"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def past(request, tmp_path_factory) -> Iterator[Config]:
    """Settings of an installation with these visits, of a site in Berlin. A server has it open."""
    config = config_on(request, tmp_path_factory.mktemp("past"))
    database = Database(config)
    keep_history(database)
    daily.run(daily.Work(database, at(13, 12), 30, NEVER, lambda _: None))
    store.change(database, store.find(database, DOMAIN), timezone=BERLIN)
    yield config
    database.close()


@pytest.fixture
def site(past) -> Iterator[OpenSite]:
    with OpenSite(past, DOMAIN, clock=lambda: at(12, 12)) as site:
        yield site


def counts(*numbers: int | None) -> Any:
    return pd.array(list(numbers), dtype="Int64")


def measures(*numbers: float | None) -> Any:
    return pd.array(list(numbers), dtype="Float64")


def test_labels_are_the_index_and_an_unknown_number_is_na(site):
    frame = site.query(["visitors", "bounce_rate", "total_revenue"], BOTH, by="source").frame()
    labels = pd.Index(["Direct / None", "Google", "newsletter"], dtype="str", name="source")
    expected = {
        "visitors": counts(2, 2, 1),
        "bounce_rate": measures(0.5, 0.0, 0.0),
        "total_revenue": measures(30.0, 20.0, None),
    }
    assert_frame_equal(frame, pd.DataFrame(expected, index=labels))
    assert frame.attrs == {
        "units": {"visitors": "count", "bounce_rate": "share", "total_revenue": "money"},
        "zone": BERLIN,
    }


def test_time_is_in_the_zone_of_the_site(site):
    frame = site.query("pageviews", BOTH, by="time:day").frame()
    days = pd.DatetimeIndex(["2026-03-10", "2026-03-11"], tz=BERLIN, name="time:day")
    assert_frame_equal(frame, pd.DataFrame({"pageviews": counts(3, 4)}, index=days))


def test_several_dimensions_are_levels(site):
    frame = site.query("visits", BOTH, by=["country", "browser"], filters="country=DE|FR").frame()
    assert frame.index.names == ["country", "browser"]
    assert [str(one) for one in frame.index.dtypes] == ["str", "str"]
    assert frame["visits"].sum() == site.query("visits", BOTH, filters=["country=DE|FR"]).frame()["visits"].item()


def test_a_question_that_is_not_split_is_one_row(site):
    frame = site.query(["visitors", "views_per_visit"], BOTH).frame()
    assert_frame_equal(frame, pd.DataFrame({"visitors": counts(4), "views_per_visit": measures(7 / 5)}))


@pytest.mark.parametrize("by", [(), ("source",), ("time:hour",), ("time:day", "page")])
def test_an_empty_answer_has_the_same_columns_and_types(site, by):
    metrics = ["visitors", "pageviews", "time_on_page"]
    empty = site.query(metrics, "2026-03-01", by=by).frame()
    full = site.query(metrics, BOTH, by=by).frame()
    assert len(full) > 0
    assert len(empty) == (0 if by else 1)
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert empty.index.names == full.index.names
    for level in range(len(by)):
        assert empty.index.get_level_values(level).dtype == full.index.get_level_values(level).dtype


def test_people_at_once_are_counted_where_minutes_are_known(site):
    frame = site.query(["peak_concurrents", "visits"], BOTH, by="time:day").frame()
    assert_frame_equal(
        frame.reset_index(drop=True), pd.DataFrame({"peak_concurrents": counts(1, 1), "visits": counts(2, 3)})
    )


# ── it only reads ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_can_be_written(site):
    with site._database.read() as connection, pytest.raises(DBAPIError, match=r"read.?only"):
        connection.execute(schema.sites.delete())


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(NoData, match=r"^no data in .*/nothing; `.*serve` makes it there, [^\n]*$"):
        analytics.open_site("example.com", data_dir=tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_version_is_refused(database, config):
    def set_version(number: str) -> str:
        with database.transaction() as connection:
            before = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{number}'")
        return before

    newest = set_version("0001")
    try:
        with pytest.raises(NoData, match=r"^the tables are not those of this version; `.*serve` brings them up"):
            OpenSite(config, "example.com")
    finally:
        set_version(newest)


def test_mistakes_are_one_line_that_names_what_is_known(past, site):
    with pytest.raises(InvalidInput, match=r"^there is no site other\.example; known: site-1\.example"):
        OpenSite(past, "other.example")
    with pytest.raises(InvalidInput, match=r"^metric 'people': visitors, visits, [^\n]*$"):
        site.query("people")
    with pytest.raises(InvalidInput, match=r"^dimension 'colour': page, [^\n]*$"):
        site.query(by="colour")
    with pytest.raises(InvalidInput, match=r"^period 'soon': [^\n]*$"):
        site.query(period="soon")
    with pytest.raises(WrongSetting, match=r"^open_site: there is no setting 'data_folder'; there are data_dir, "):
        analytics.open_site(DOMAIN, data_folder="data")


# ── the README, and the start ────────────────────────────────────────────────────────────────────────────────────────


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    (example,) = re.findall(r"^```python\n(from analytics import open_site\n.*?)^```$", readme(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    database = Database(Config(data_dir=Path("data")))
    added_site(database)
    try:
        names: dict[str, Any] = {}
        exec(example, names)
        assert count(database, schema.visits) == 0
    finally:
        database.close()
    assert isinstance(names["days"], pd.DataFrame)


def readme() -> str:
    return (ROOT / "README.md").read_text()


def test_pandas_is_not_loaded_at_the_start():
    loaded = "import sys, app; print(sorted({'pandas', 'numpy'} & set(sys.modules)))"
    command = [sys.executable, "-c", loaded]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
