"""Addresses that belong to the whole: the API's description, health and metrics."""

from django.urls import path

from config.http.docs import RedocView, SchemaView, SwaggerView
from config.http.health import live, ready
from config.http.metrics import metrics

urlpatterns = [
    path("health/live/", live, name="live"),
    path("health/ready/", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SwaggerView.as_view(url_name="schema"), name="swagger"),
    path("api/redoc/", RedocView.as_view(url_name="schema"), name="redoc"),
]
