"""Addresses under `/staff/`."""

from django.apps import apps
from django.urls import URLPattern, URLResolver, path

from web.staff import bookings, cancelling, departures, health, holds, reports, reseating, today

app_name = "staff"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", today.today, name="today"),
    path("departures/", departures.departures, name="departures"),
    path("departures/<int:departure>/", departures.departure, name="departure"),
    path("departures/<int:departure>/cancel/", cancelling.cancel_run, name="cancel-run"),
    path("departures/<int:departure>/reseatings/", reseating.plans, name="reseatings"),
    path("reseatings/<int:reseating>/", reseating.one, name="reseating"),
    path("reseatings/<int:reseating>/confirm/", reseating.confirm, name="confirm-reseating"),
    path("reseatings/<int:reseating>/drop/", reseating.drop, name="drop-reseating"),
    path("holds/", holds.holds, name="holds"),
    path("holds/<str:hold>/release/", holds.release, name="release"),
    path("bookings/", bookings.bookings, name="bookings"),
    path("bookings/<str:pnr>/", bookings.booking, name="booking"),
    path("bookings/<str:pnr>/cancel/", cancelling.cancel, name="cancel"),
    path("demand/", reports.demand_page, name="demand"),
    path("calls/", reports.calls_page, name="calls"),
    path("health/", health.health, name="health"),
]

if apps.is_installed("reservations.waitlist"):
    from web.staff import waitlists

    urlpatterns.append(path("waitlists/", waitlists.waitlists, name="waitlists"))

if apps.is_installed("reservations.payments"):
    from web.staff import payments

    urlpatterns += [
        path("payments/", payments.payments, name="payments"),
        path("payments/differences/<int:difference>/", payments.settle, name="settle"),
        path("payments/refunds/<uuid:refund>/", payments.retry, name="retry"),
    ]
