"""The physical world (stations, coaches, seats) and the timetable (trains, stops, departures)."""

from trains.models.fares import ClassFare, FareConcession, FareSlab, FareTable
from trains.models.network import Feed, FeedStop, Station
from trains.models.rolling_stock import Coach, Seat, VehicleTemplate
from trains.models.timetable import Departure, ServiceCalendar, ServiceException, Stop, Train

__all__ = [
    "ClassFare",
    "Coach",
    "Departure",
    "FareConcession",
    "FareSlab",
    "FareTable",
    "Feed",
    "FeedStop",
    "Seat",
    "ServiceCalendar",
    "ServiceException",
    "Station",
    "Stop",
    "Train",
    "VehicleTemplate",
]
