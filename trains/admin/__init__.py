"""Django's admin for the timetable: lists to look at, and changes that go through the services.

What the engine relies on (stops, seats, ordinals) is shown and not edited; what may be changed is
handed to the same services as the API's calls, so that facts are written and seat images follow.
Fares are data of the staff's own: they are edited here.
"""

from trains.admin import departures, fares, network, rolling_stock, trains

__all__ = ["departures", "fares", "network", "rolling_stock", "trains"]
