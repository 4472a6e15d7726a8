"""These tests drive the engine."""

from tests.engine import (
    anna,
    bela,
    controller,
    departure,
    empty_redis,
    express,
    make_traveller,
    time_passes,
)

__all__ = [
    "anna",
    "bela",
    "controller",
    "departure",
    "empty_redis",
    "express",
    "make_traveller",
    "time_passes",
]
