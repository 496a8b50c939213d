"""The position of a place on the live map, and the size of its dot.

The map is `world.svg`: Natural Earth projection centred on 11° E, latitudes 84 to −56.
The polynomials are those of Bojan Šavrič, Tom Patterson and Bernhard Jenny (2011).
"""

from __future__ import annotations

from math import radians, sqrt

_NORTH, _SOUTH, _CENTRE = 84.0, -56.0, 11.0
_PERCENT_PER_X = 18.279
_MIN_PX, _PX_PER_ROOT, _MAX_PX = 6.0, 4.2, 64.0


def position(lat: float, lon: float) -> tuple[float, float]:
    """The distances of a place (in degrees) from the left and the top edge, in percent with two decimals.

    Latitudes outside the map are moved to its edge; longitudes may run past ±180.
    """
    phi = radians(min(_NORTH, max(_SOUTH, lat)))
    lam = radians((lon - _CENTRE + 180) % 360 - 180)
    left = 50 + lam * _stretch(phi) * _PERCENT_PER_X
    top = 100 * (_TOP - _height(phi)) / (_TOP - _BOTTOM)
    return round(left, 2), round(top, 2)


def diameter(people: int) -> float:
    """A dot's diameter in px, whose area grows with its people: 10.2 for one person, at most 64."""
    return round(min(_MAX_PX, _MIN_PX + _PX_PER_ROOT * sqrt(people)), 1)


def _stretch(phi: float) -> float:
    """x for each radian of longitude at the latitude `phi` (radians)."""
    return 0.8707 - 0.131979 * phi**2 - 0.013791 * phi**4 + 0.003971 * phi**10 - 0.001529 * phi**12


def _height(phi: float) -> float:
    """y of the latitude `phi` (radians), upwards from the equator."""
    return phi * (1.007226 + 0.015085 * phi**2 - 0.044475 * phi**6 + 0.028874 * phi**8 - 0.005916 * phi**10)


_TOP, _BOTTOM = _height(radians(_NORTH)), _height(radians(_SOUTH))
