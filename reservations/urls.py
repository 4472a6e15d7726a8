"""The engine's addresses under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from reservations.api import (
    blocks,
    bookings,
    cancelling,
    cancelling_described,  # noqa: F401  # says what these addresses do
    changing,
    changing_described,  # noqa: F401
    departure_cancellation,
    described,  # noqa: F401  # says what these addresses do
    groups,
    holds,
    passengers,
    reseating,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("reservations/lock/", holds.lock),
    path("reservations/holds/", holds.holds),
    path("reservations/holds/<str:hold>/", holds.hold),
    path("reservations/holds/<str:hold>/extend/", holds.extend),
    path("reservations/confirm/", bookings.confirm),
    path("reservations/groups/", groups.groups),
    path("reservations/bookings/", bookings.bookings),
    path("reservations/bookings/<str:pnr>/", bookings.booking),
    path("reservations/bookings/<str:pnr>/cancel/", cancelling.cancel),
    path("reservations/bookings/<str:pnr>/change/", changing.change),
    path("operations/bookings/<str:pnr>/cancel/", cancelling.staff_cancel),
    path("reservations/passengers/", passengers.passengers),
    path("operations/departures/<int:departure>/blocks/", blocks.blocks),
    path("operations/departures/<int:departure>/reseatings/", reseating.plans),
    path("operations/reseatings/<int:reseating>/", reseating.plan),
    path("operations/reseatings/<int:reseating>/confirm/", reseating.confirmation),
    path("operations/departures/<int:departure>/cancel/", departure_cancellation.cancellation),
]
