"""How long browsers and proxies keep our scripts and styles."""

from __future__ import annotations

import pytest
from house import House, open_house

from analytics.base.config import Config
from layouts import joined

YEAR, HOUR = "public, max-age=31536000", "public, max-age=3600"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> House:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), columnar=False)) as house:
        yield house


@pytest.mark.parametrize("path", [joined.SCRIPTS, joined.STYLES])
def test_a_file_is_kept_for_a_year_under_its_own_version_alone(house, path):
    """Else a proxy could be made to keep today's script under the address that the next release will have."""
    browser = house.app.server.test_client()
    kept = {
        asked: browser.get(asked).headers["Cache-Control"]
        for asked in (joined.address(path), path, f"{path}?m=0123456789abcdef", f"{path}?m=")
    }
    assert list(kept.values()) == [YEAR, HOUR, HOUR, HOUR]


def test_so_are_words_and_the_script_of_the_theme(house):
    browser = house.app.server.test_client()
    for path in ("/assets/words/de.js?m=1", "/assets/lib/theme.js", "/assets/lib/theme.js?m=x"):
        assert browser.get(path).headers["Cache-Control"] == HOUR
