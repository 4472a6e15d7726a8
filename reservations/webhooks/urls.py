"""Addresses of outbound webhooks under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from reservations.webhooks import (
    described,  # noqa: F401  # says what these addresses do
    views,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("operations/webhooks/", views.webhooks),
    path("operations/webhooks/<str:webhook>/", views.webhook),
    path("operations/webhooks/<str:webhook>/secret/", views.rotate),
    path("operations/webhooks/<str:webhook>/replay/", views.replay_failed),
    path("operations/webhooks/<str:webhook>/deliveries/", views.deliveries),
    path("operations/webhook-deliveries/<str:message>/replay/", views.replay),
]
