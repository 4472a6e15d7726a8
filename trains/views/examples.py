"""Examples and shared answers for the API's description."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

CREATING: Final = (
    "invalid",
    "not-authenticated",
    "forbidden",
    "idempotency-in-flight",
    "idempotency-key-reused",
)
"""What every call that creates may be refused with."""

FULL_TRAIN = OpenApiExample(
    "Full form",
    {
        "number": "90101",
        "name": "Coast Night Express",
        "stops": [
            {"station": "CSMT", "departure": "21:30", "day": 1, "distance_km": "0"},
            {
                "station": "RN",
                "arrival": "03:40",
                "departure": "03:45",
                "day": 2,
                "distance_km": "364.2",
            },
            {"station": "MAO", "arrival": "08:10", "day": 2, "distance_km": "580.4"},
        ],
        "coaches": [
            {"label": "S1", "travel_class": "SL", "seats": 72},
            {"label": "B1", "travel_class": "3A", "template": "3A-64"},
        ],
        "runs_on": ["mon", "wed", "fri"],
    },
    request_only=True,
)
SHORT_TRAIN = OpenApiExample(
    "Short form",
    {
        "number": "90102",
        "name": "Harbour Shuttle",
        "source": "Harbour Town",
        "destination": "Airport",
        "capacity": 120,
    },
    request_only=True,
)
TRAIN_CHANGE = OpenApiExample(
    "A coach more",
    {"coaches": [{"label": "S2", "travel_class": "SL", "seats": 72}]},
    request_only=True,
)
EXTRA_RUN = OpenApiExample(
    "A dearer extra run",
    {"train": "90101", "service_date": "2026-12-24", "fare_factor": "1.250"},
    request_only=True,
)
CLOSED = OpenApiExample("Take it off sale", {"status": "closed"}, request_only=True)
VEHICLE = OpenApiExample(
    "A narrow bus",
    {
        "code": "BUS-2x1-24",
        "name": "Bus, 2+1 seats",
        "mode": "bus",
        "travel_class": "SEAT",
        "layout": {
            "unit": "row",
            "capacity": 24,
            "seats": [
                {"position": "window", "x": 0, "y": 0},
                {"position": "aisle", "x": 1, "y": 0},
                {"position": "window", "x": 3, "y": 0},
            ],
        },
    },
    request_only=True,
)
