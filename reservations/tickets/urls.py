"""Addresses of tickets under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from reservations.tickets import (
    described,  # noqa: F401  # says what these addresses do
    views,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/keys/", views.keys),
    path("tickets/verify/", views.verify),
    path("tickets/<str:pnr>.pdf", views.pdf),
    path("tickets/<str:pnr>.ics", views.calendar),
    path("tickets/<str:pnr>/", views.ticket),
]
