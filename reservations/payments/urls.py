"""Addresses of payments, from the root: the API's, and the sandbox's page."""

from django.urls import URLPattern, URLResolver, path

from reservations.payments.api import (
    described,  # noqa: F401  # says what these addresses do
    payments,
    sandbox_page,
    staff,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/payments/", payments.payments),
    path("api/v1/payments/<uuid:payment>/", payments.payment),
    path("api/v1/payments/webhooks/<str:provider>/", payments.webhook),
    path("api/v1/operations/payments/", staff.payments),
    path("api/v1/operations/payments/differences/", staff.differences),
    path("api/v1/operations/payments/differences/<int:difference>/settle/", staff.settle),
    path("api/v1/operations/refunds/<uuid:refund>/retry/", staff.retry),
    path("sandbox/pay/<str:order>/", sandbox_page.pay, name="sandbox-pay"),
]
