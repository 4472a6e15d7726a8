"""Addresses under /api/v1/. They come before the timetable's, whose staff calls share one path."""

from django.urls import URLPattern, path

from reservations.api.departures import (
    described,  # noqa: F401  # says what these addresses do
    views,
)

urlpatterns: list[URLPattern] = [
    path("departures/search/", views.search),
    path("departures/<int:departure_id>/", views.departure),
    path("departures/<int:departure_id>/seats/", views.seats),
]
