"""The map of a country's regions: outlines are found by the names that databases of places use, and text stays text."""

from __future__ import annotations

import json

import brotli
import pytest
from plotly.graph_objects import Figure

from analytics.query.filters import Match
from analytics.reports.lists import PLACES
from analytics.reports.view import only_value, without
from layouts.figures import build_regions, bundle, countries, region_names, regions
from layouts.figures.countries import CountryCount
from layouts.figures.regions import RegionCount
from layouts.figures.text import plain
from layouts.overview import panels, places

FILES = sorted(bundle.FOLDER.glob("regions/*.json.br"))
HOSTILE = "<b>Bavaria</b><img src=x onerror=alert(1)>"


def code(country: str, name: str) -> str:
    outlines = region_names.outlines(country)
    assert outlines
    return outlines.find(name)


# ── outlines ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_built_outlines_belong_to_the_script_that_builds_them():
    assert build_regions.SIDECAR.read_text().strip() == build_regions.source_digest(), "run make regions"


def test_each_file_is_small_and_has_an_outline_for_each_region_that_has_a_name():
    assert len(FILES) > 180
    assert max(file.stat().st_size for file in FILES) <= build_regions.MAX_BYTES
    for file in FILES:
        country = file.name[:2]
        drawn = [one["id"] for one in json.loads(brotli.decompress(file.read_bytes()))["features"]]
        outlines = region_names.outlines(country)
        assert outlines, country
        assert sorted(drawn) == sorted(outlines.names), country
        assert set(outlines.keys.values()) <= set(drawn), country


@pytest.mark.parametrize(
    ("country", "names"),
    [
        ("DE", {"Bavaria": "DE-BY", "North Rhine-Westphalia": "DE-NW", "State of Berlin": "DE-BE", "Hesse": "DE-HE"}),
        ("US", {"California": "US-CA", "New York": "US-NY", "Washington": "US-WA", "District of Columbia": "US-DC"}),
        ("FR", {"Île-de-France": "FR-IDF", "Normandy": "FR-NOR", "Brittany": "FR-BRE", "Occitanie": "FR-OCC"}),
        ("GB", {"England": "GB-ENG", "Scotland": "GB-SCT", "Wales": "GB-WLS", "Northern Ireland": "GB-NIR"}),
        ("IT", {"Lombardy": "IT-25", "Tuscany": "IT-52", "Lazio": "IT-62", "Sicily": "IT-82"}),
        ("ES", {"Catalonia": "ES-CT", "Madrid": "ES-M", "Andalusia": "ES-AN", "Basque Country": "ES-PV"}),
        ("IE", {"Leinster": "IE-L", "Munster": "IE-M", "Ulster": "IE-U"}),
        ("BR", {"São Paulo": "BR-SP", "Sao Paulo": "BR-SP", "Rio de Janeiro": "BR-RJ"}),
        ("RU", {"Moscow": "RU-MOW", "Moscow Oblast": "RU-MOS"}),
        ("JP", {"Tokyo": "JP-13", "Ōsaka": "JP-27", "Osaka": "JP-27"}),
        ("PL", {"Mazovia": "PL-14", "Lesser Poland": "PL-12", "Silesia": "PL-24"}),
        ("NL", {"North Holland": "NL-NH", "South Holland": "NL-ZH", "Utrecht": "NL-UT"}),
        ("CA", {"Ontario": "CA-ON", "Quebec": "CA-QC"}),
        ("AU", {"New South Wales": "AU-NSW", "Victoria": "AU-VIC"}),
        ("IN", {"Karnataka": "IN-KA", "Maharashtra": "IN-MH", "National Capital Territory of Delhi": "IN-DL"}),
        ("CN", {"Beijing": "CN-BJ", "Guangdong": "CN-GD"}),
        ("SE", {"Stockholm County": "SE-AB", "Stockholm": "SE-AB"}),
        ("CH", {"Zurich": "CH-ZH", "Geneva": "CH-GE"}),
        ("AT", {"Vienna": "AT-9", "Styria": "AT-6"}),
        ("MX", {"Mexico City": "MX-CMX", "Jalisco": "MX-JAL"}),
    ],
)
def test_regions_are_found_by_the_names_of_databases_of_places(country, names):
    assert {name: code(country, name) for name in names} == names


def middle(country: str, name: str) -> tuple[float, float]:
    """The latitude and longitude of the middle of the outline on which visitors of a region are drawn."""
    features = json.loads(bundle.unpacked_outlines(country))["features"]
    (drawn,) = [one["geometry"] for one in features if one["id"] == code(country, name)]
    polygons = drawn["coordinates"] if drawn["type"] == "MultiPolygon" else [drawn["coordinates"]]
    lon, lat = zip(*(point for rings in polygons for ring in rings for point in ring), strict=True)
    return (min(lat) + max(lat)) / 2, (min(lon) + max(lon)) / 2


def test_the_name_that_an_outline_says_means_this_outline():
    other = {
        one: found
        for file in FILES
        if (outlines := region_names.outlines(file.name[:2]))
        for one, name in outlines.names.items()
        if (found := outlines.find(name)) != one
    }
    assert other == {}


@pytest.mark.parametrize(
    ("country", "name", "lat", "lon"),
    [
        ("IR", "East Azerbaijan", 38, 46.7),  # ISO's codes of Iran changed in 2020, CLDR has the old ones
        ("IR", "West Azerbaijan", 37.7, 45.2),
        ("IR", "Gilan", 37.3, 49.5),
        ("IR", "Tehran", 35.6, 51.6),
        ("IR", "Fars", 29.4, 53),
        ("IR", "Isfahan", 33, 52.4),
        ("IR", "Kurdistan", 35.7, 46.8),
        ("IR", "Hormozgan", 27.3, 56.1),
        ("IR", "Kerman", 29, 57),
        ("IR", "Chaharmahal and Bakhtiari", 31.9, 50.6),
        ("HR", "Zagreb", 45.8, 16),
        ("HR", "City of Zagreb", 45.8, 16),
        ("HR", "Zagreb County", 45.8, 15.9),
        ("LV", "Riga", 56.97, 24.1),
        ("LV", "Balvi", 57.05, 27.4),
        ("TD", "Kanem", 15, 15.5),
        ("TD", "N'Djamena", 12.1, 15.05),
        ("BY", "Minsk City", 53.9, 27.6),
        ("KE", "Nairobi", -1.3, 36.8),
        ("TW", "Taipei City", 25.05, 121.5),
        ("LA", "Vientiane Prefecture", 18.1, 102.7),
        ("MG", "Analamanga", -18.5, 47.5),
        ("SD", "West Darfur", 13.6, 22.6),
        ("EC", "Tungurahua", -1.3, -78.5),
        ("ER", "Maekel Region", 15.4, 38.9),
        ("GY", "Cuyuni-Mazaruni Region", 6.3, -60),
        ("GY", "Pomeroon-Supenaam Region", 7.2, -58.8),
        ("SI", "Bistrica ob Sotli", 46.06, 15.66),
        ("RU", "Chukotka", 66.7, 173.8),
        ("AL", "Tirana", 41.2, 19.9),  # Natural Earth says "Durrës"
        ("AL", "Durrës", 41.4, 19.6),
        ("PE", "Puno", -15, -70),  # Natural Earth says "Callao"
        ("PE", "Callao", -12, -77.2),
        ("AF", "Daykundi", 33.8, 66.3),  # Natural Earth says "Uruzgan"
        ("AZ", "Lachin", 39.7, 46.3),  # Natural Earth says "Lankaran"
        ("AZ", "Nakhchivan", 39.2, 45.4),
        ("RS", "Rasina", 43.5, 21.2),  # Natural Earth says "Pomoravski"
    ],
)
def test_visitors_are_drawn_where_their_region_is(country, name, lat, lon):
    assert middle(country, name) == pytest.approx((lat, lon), abs=0.6)


@pytest.mark.parametrize("name", ["", "~", "Atlantis", HOSTILE, "../DE", "DE-BY", "\x00", "region", "ß" * 2000])
def test_what_is_no_name_of_a_region_has_no_outline(name):
    assert code("DE", name) == ""


@pytest.mark.parametrize("country", ["", "XX", "de", "../DE", "MC", "source"])
def test_what_is_no_country_with_regions_has_no_outlines(country):
    assert region_names.outlines(country) is None
    with pytest.raises(KeyError):
        bundle.packed_outlines(country)


# ── the figure ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_regions_are_drawn_and_those_with_visitors_filter():
    found = regions.figure("DE", [RegionCount("DE-BY", "Bavaria", 100, "in", "out"), RegionCount("DE-HE", HOSTILE, 25)])
    Figure(found)
    (shaded,) = found["data"]
    at = dict(
        zip(shaded["locations"], zip(shaded["z"], shaded["text"], shaded["customdata"], strict=True), strict=True)
    )
    assert len(at) == 16
    assert at["DE-BY"] == (10.0, "Bavaria · <b>100</b>", ["in", "out"])
    assert at["DE-HE"] == (5.0, f"{plain(HOSTILE)} · <b>25</b>", None)
    assert "<img" not in str(found)
    assert at["DE-SL"] == (0.0, "Saarland · <b>0</b>", None)
    assert shaded["geojson"] == bundle.address("regions/DE.json")
    assert found["layout"]["uirevision"] == "regions DE"


def test_every_country_with_outlines_makes_a_figure():
    for file in FILES:
        found = regions.figure(file.name[:2], [])
        assert len(found["data"][0]["locations"]) >= 2
        assert not any("<" in text.replace("<b>0</b>", "") for text in found["data"][0]["text"])


def test_names_that_mean_one_region_are_one_and_others_have_no_outline():
    found = regions.placed(
        "DE", [("Bavaria", 5), ("Atlantis", 3), ("Freistaat Bayern", 2), ("Bayern", 1), (HOSTILE, 1)]
    )
    assert found["DE-BY"][0] == ("Bavaria", 5)
    assert ("Bayern", 1) in found["DE-BY"]
    assert {("Atlantis", 3), (HOSTILE, 1)} <= set(found[""])
    assert set(regions.placed("", [("Bavaria", 5)])) == {""}


@pytest.mark.parametrize(("of_regions", "name"), [(False, "country"), (True, "region")])
def test_the_list_and_the_file_behind_the_map_are_those_of_what_it_shows(of_regions, name):
    shown = panels.panel(PLACES, PLACES.lists[0], None, 9, (), "today", "/files", of_regions=of_regions)
    assert (shown["file"]["href"], shown["details"]["change"]) == (f"/files/{name}.csv", f"details={name}")


def test_the_map_of_regions_is_told_in_a_sentence():
    assert regions.words("DE", [("Bavaria", 5), ("Hesse", 3), ("Saxony", 2), ("Berlin", 1)]) == (
        "Visitors by region of Germany: Bavaria 5, Hesse 3, Saxony 2. The list of regions has all."
    )


@pytest.mark.parametrize(
    ("country", "inside", "widest"),
    [
        ("DE", (10, 51), 12),
        ("US", (-100, 40), 140),
        ("RU", (100, 60), 190),
        ("FJ", (178, -18), 9),
        ("NZ", (172, -42), 25),
    ],
)
def test_the_map_is_as_wide_as_the_country_on_whichever_side_of_the_date_line(country, inside, widest):
    west, east, south, north = regions.box(country)
    lon, lat = inside
    assert south < lat < north
    assert west < lon < east or west < lon + 360 < east
    assert east - west < widest
    assert regions.figure(country, [])["layout"]["geo"]["lonaxis"]["range"] == [west, east]


# ── small countries ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_countries_without_a_shape_are_dots_with_the_same_click():
    found = countries.figure([CountryCount("DE", 100, "a", "b"), CountryCount("SG", 25, "in", "out")])
    Figure(found)
    shaded, dots = found["data"]
    assert shaded["locations"] == ["DEU"]
    assert (dots["ids"], dots["text"], dots["customdata"]) == (["SG"], ["Singapore · <b>25</b>"], [["in", "out"]])
    assert (dots["marker"]["color"], dots["marker"]["cmax"]) == ([5.0], 10.0)
    assert (round(dots["lat"][0]), round(dots["lon"][0])) == (1, 104)


def test_a_country_can_stand_in_the_middle_of_the_world():
    found = countries.figure([CountryCount("DE", 1)], "DE")
    Figure(found)
    geo = found["layout"]["geo"]
    assert (round(geo["center"]["lat"]), round(geo["center"]["lon"]), geo["projection"]["scale"]) == (51, 10, 4)
    assert found["layout"]["uirevision"] != countries.figure([CountryCount("DE", 1)])["layout"]["uirevision"]


# ── around it ────────────────────────────────────────────────────────────────────────────────────────────────────────

GERMANY, BAVARIA = Match("is", "country", ("DE",)), Match("is", "region", ("Bavaria",))


def test_one_country_is_what_the_filters_ask_for():
    both = Match("is", "country", ("DE", "FR"))
    assert only_value((GERMANY, BAVARIA), "country") == "DE"
    assert [only_value(given, "country") for given in ((), (both,), (GERMANY, both), (BAVARIA,))] == [""] * 4
    assert only_value((Match("is_not", "country", ("DE",)),), "country") == ""
    assert without((GERMANY, BAVARIA), "country", "region") == ()


def note(found, current=(GERMANY,)) -> str:
    placed = regions.placed("DE", [one for one in found if one[0]])
    return str(places.note("DE", found, placed, current))


def test_below_the_map_of_the_world_are_the_first_countries_and_what_the_shades_mean():
    found = [("US", 44_120), ("DE", 19_240), ("GB", 13_310), ("FR", 7)]
    named, shades = places.note_of_world(found)
    assert as_text(named) == "United States 44,120 · Germany 19,240 · United Kingdom 13,310"
    assert as_text(shades) == "0  44,120"
    assert places.note_of_world([]) == []


def as_text(component) -> str:
    """The words of a component."""
    if isinstance(component, str):
        return component
    inner = getattr(component, "children", None) or ""
    return "".join(map(as_text, inner)) if isinstance(inner, list) else as_text(inner)


def test_below_the_map_is_the_way_back_and_what_is_not_on_it():
    assert places.note("", [], {}, ()) == []
    assert "All countries" in note([("Bavaria", 5)])
    assert "Not on the map" not in note([("Bavaria", 5)])
    assert "Not on the map: Atlantis 3, unknown region 2." in note([("Bavaria", 5), ("Atlantis", 3), ("", 2)])
    assert "The regions of Germany are not known" in note([("", 5)])
    assert "All regions of Germany" in note([("Bavaria", 5)], (GERMANY, BAVARIA))
    many = [(f"Atlantis {nth}", 1) for nth in range(9)]
    assert "Atlantis 4 1 and 4 more." in note(many)
