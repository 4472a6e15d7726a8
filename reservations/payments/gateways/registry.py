"""Which gateways there are, and which of them are switched on."""

from functools import cache
from typing import Final

from django.conf import settings

from config.errors import Invalid, NotFound
from reservations.payments.gateways.port import Gateway
from reservations.payments.gateways.razorpay_gateway import RazorpayGateway
from reservations.payments.gateways.sandbox import SandboxGateway
from reservations.payments.gateways.stripe_gateway import StripeGateway

GATEWAYS: Final[tuple[type[Gateway], ...]] = (SandboxGateway, StripeGateway, RazorpayGateway)


@cache
def _all() -> dict[str, Gateway]:
    return {each.name: each() for each in GATEWAYS}


def gateway(name: str) -> Gateway:
    """The gateway of that name; also one that is switched off now but has payments of old."""
    found = _all().get(name)
    if found is None:
        raise NotFound("There is no such gateway")
    return found


def offered(name: str) -> Gateway:
    """A gateway to pay with now. Raises `Invalid` (field `provider`)."""
    if name not in settings.ENV.payment_providers:
        on = ", ".join(settings.ENV.payment_providers)
        raise Invalid({"provider": [f"One of {on}."]})
    return gateway(name)
