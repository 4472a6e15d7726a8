"""Addresses under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from trains.views.departures import DeparturesView, DepartureView, GenerateSeatsView
from trains.views.stations import StationsView
from trains.views.trains import TrainsView, TrainView
from trains.views.vehicles import VehiclesView, VehicleView

urlpatterns: list[URLPattern | URLResolver] = [
    path("stations/", StationsView.as_view(), name="stations"),
    path("trains/", TrainsView.as_view(), name="trains"),
    path("trains/<str:number>/", TrainView.as_view(), name="train"),
    path("departures/", DeparturesView.as_view(), name="departures"),
    path("departures/<int:departure_id>/", DepartureView.as_view(), name="departure"),
    path(
        "departures/<int:departure_id>/generate-seats/",
        GenerateSeatsView.as_view(),
        name="generate-seats",
    ),
    path("vehicles/", VehiclesView.as_view(), name="vehicles"),
    path("vehicles/<str:code>/", VehicleView.as_view(), name="vehicle"),
]
