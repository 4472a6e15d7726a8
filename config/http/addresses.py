"""The address a request comes from, behind as many proxies as the operator trusts."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, without a port; `unknown` when the socket has none.

    Each trusted proxy (TRUSTED_PROXIES) appends the address it saw to `X-Forwarded-For`, so the
    caller is that many entries from the right. What stands further left is the caller's own
    claim. A shorter list did not come through the proxies: the socket's address counts.
    """
    trusted: int = settings.ENV.trusted_proxies
    if trusted:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(seen) >= trusted and seen[-trusted].strip():
            return str(seen[-trusted].strip()[:64])
    return str(request.META.get("REMOTE_ADDR") or UNKNOWN)


def client_network(request: HttpRequest) -> str:
    """What limits count by: an IPv4 address, or the /64 one IPv6 subscriber commands."""
    return _network_of(client_address(request))


@lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
