"""Addresses of the waitlist under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from reservations.waitlist import (
    described,  # noqa: F401  # says what these addresses do
    views,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("reservations/waitlist/", views.waitlist),
    path("reservations/waitlist/<str:entry>/", views.entry),
]
