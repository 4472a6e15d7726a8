"""Distances on the globe, for where nobody has measured the line."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

EARTH_RADIUS_KM: Final = 6_371.0088


def great_circle_km(
    latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float
) -> float:
    """The distance of two points (WGS 84 degrees) as the crow flies."""
    north_a, north_b = radians(latitude_a), radians(latitude_b)
    half_chord_squared = (
        sin((north_b - north_a) / 2) ** 2
        + cos(north_a) * cos(north_b) * sin(radians(longitude_b - longitude_a) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, half_chord_squared)))
