"""The place of an IP address: the country, and region and city if the database has them."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import maxminddb

from analytics.base import countries
from analytics.base.addresses import plain_address

_BUNDLED = Path(__file__).parents[1] / "data" / "country.mmdb.xz"
# Databases have rows for private networks, too: 192.168.0.0/16 is Australian in the bundled one.
_PUBLIC = re.compile(
    r"(?!0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|f[cd]|fe[89ab]|2001:0?db8:)"
    r"(?:[0-9]+(?:\.[0-9]+){3}|[0-9a-f.]*:[0-9a-f:.]*)",
    re.IGNORECASE | re.ASCII,
)


class Place(NamedTuple):
    """Country code, English names of region and city ("" if unknown), latitude and longitude in degrees."""

    country: str = ""
    region: str = ""
    city: str = ""
    lat: float | None = None
    lon: float | None = None


NOWHERE = Place()
_COUNTRY_PLACES = {code: Place(code, "", "", *(countries.middle(code) or ())) for code in countries.CODES}


class Places:
    """An open geo database. Thread-safe. `open_places` makes one."""

    def __init__(self, open_reader: Callable[[], maxminddb.Reader]) -> None:
        self._open_reader = open_reader
        self._reader = open_reader()

    def reload(self) -> None:
        """Opens the file again. Raises as `open_places` does; the database that was open then stays in use."""
        self._reader = self._open_reader()  # the old reader closes itself after its last use

    def find(self, address: str, timezone: str = "") -> Place:
        """The place of an IPv4 or IPv6 address, else the country of the IANA time zone, else `NOWHERE`.

        Codes outside ISO 3166 (ZZ, XX, T1), private addresses and invalid addresses count as unknown. If only the
        country is known, lat and lon are its centre. Takes 2 µs.
        """
        place = _place(self._record(address))
        return place if place.country else _COUNTRY_PLACES.get(countries.of_timezone(timezone), NOWHERE)

    def close(self) -> None:
        """Closes the database; every address is unknown afterwards."""
        self._reader.close()

    def _record(self, address: str) -> object:
        try:
            plain = plain_address(address) if ":" in address else address  # no database contains IPv4-mapped addresses
            return self._reader.get(plain) if _PUBLIC.fullmatch(plain) else None
        except (ValueError, maxminddb.InvalidDatabaseError):
            return None


def open_places(path: Path | None, cache_dir: Path) -> Places:
    """Opens the .mmdb database at `path`, or the bundled database if `path` is None.

    The bundled database is unpacked into `cache_dir` once (8 MB), and again after an upgrade. The file may be changed
    or removed at any time: an unlinked copy in `cache_dir` is read. Raises `ValueError` with one line of text if `path`
    is missing or not an .mmdb database, or if the disk is full.
    """
    return Places(lambda: _opened(path or _unpacked(cache_dir), cache_dir))


def _opened(path: Path, cache_dir: Path) -> maxminddb.Reader:
    """A reader of a private copy: the reader maps its file, and truncating a mapped file kills the process."""
    cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=cache_dir, prefix=".geo-") as copy:
        _check_room(path, cache_dir)
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, copy, 1024 * 1024)
            copy.flush()
            return maxminddb.open_database(copy.name)
        except FileNotFoundError:
            raise ValueError(f"there is no geo database at {path}") from None
        except (OSError, EOFError, ValueError, maxminddb.InvalidDatabaseError):
            raise ValueError(f"{path} cannot be read as an .mmdb geo database") from None


def _check_room(path: Path, cache_dir: Path) -> None:
    size = path.stat().st_size if path.is_file() else 0
    if size > shutil.disk_usage(cache_dir).free:
        raise ValueError(f"the disk that holds {cache_dir} is full: a copy of {path} takes {size:,} bytes")


def _unpacked(cache_dir: Path) -> Path:
    """The unpacked bundled database; its name contains the hash of its content. Older ones are removed."""
    packed = _BUNDLED.read_bytes()
    target = cache_dir / f"country-{hashlib.sha256(packed).hexdigest()[:16]}.mmdb"
    if not target.exists():
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(target, lzma.decompress(packed))
        for older in set(cache_dir.glob("country-*.mmdb")) - {target}:
            with suppress(OSError):
                older.unlink()
    return target


def _write_whole(target: Path, content: bytes) -> None:
    """Writes atomically: no reader sees an incomplete file, not even after a power cut."""
    part = target.with_suffix(f".{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _place(record: object) -> Place:
    if not isinstance(record, dict):
        return NOWHERE
    flat = "country_code" in record
    code = record["country_code"] if flat else _at(record, "country", "iso_code")
    known = _COUNTRY_PLACES.get(code) if isinstance(code, str) else None
    if known is None or len(record) == 1:
        return known or NOWHERE
    return _detailed(known, _flat_details(record) if flat else _nested_details(record))


def _flat_details(record: dict[str, Any]) -> tuple[object, ...]:
    """Region, city, lat, lon in the shape of ip-location-db."""
    return record.get("state1"), record.get("city"), record.get("latitude"), record.get("longitude")


def _nested_details(record: dict[str, Any]) -> tuple[object, ...]:
    """Region, city, lat, lon in the shape of MaxMind and DB-IP."""
    region, city = _at(record, "subdivisions", 0, "names", "en"), _at(record, "city", "names", "en")
    return region, city, _at(record, "location", "latitude"), _at(record, "location", "longitude")


def _at(value: Any, *keys: str | int) -> object:
    """The nested value at these keys; None if one of them is missing."""
    try:
        for key in keys:
            value = value[key]
    except (LookupError, TypeError):
        return None
    found: object = value
    return found


def _detailed(known: Place, details: tuple[object, ...]) -> Place:
    region, city, lat, lon = details
    north, east = _degrees(lat, 90), _degrees(lon, 180)
    if north is None or east is None:
        north, east = known.lat, known.lon
    return Place(known.country, _text(region), _text(city), north, east)


def _degrees(value: object, limit: float) -> float | None:
    try:
        degrees = float(value)  # type: ignore[arg-type]  # some databases contain text; other types raise TypeError
    except (TypeError, ValueError):
        return None
    return degrees if -limit <= degrees <= limit else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
