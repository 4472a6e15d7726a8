"""Where webhooks may go: to the public internet, never into the house (SSRF).

An address is looked at twice. When it is registered, by its form. When it is called, by what its
name stands for at that moment: the numbers found are checked and the connection goes to a number
that was, so that a name whose meaning changes in between (DNS rebinding) gains nothing. Redirects
are not followed (`post`). With WEBHOOK_PRIVATE_TARGETS=on all of it is let pass, and http too.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from config.errors import Invalid

URL_MAX: Final = 500
_IN_THE_HOUSE: Final = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")
# IPv6 addresses that stand for an IPv4 address behind a translator (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):  # an outcome of sending, not an answer
    """The name stands for an address inside, or for none."""


def refuse_wrong_url(url: str, *, may_be_private: bool) -> None:
    """Judge an address by its form. Raises `Invalid` (field `url`)."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong("This is not an address.") from None
    if parts.scheme not in ({"https", "http"} if may_be_private else {"https"}):
        raise _wrong("Begin it with https://.")
    if not host or not url.isascii() or any(letter <= " " for letter in url):
        raise _wrong("This is not an address.")
    if "@" in parts.netloc or parts.fragment:
        raise _wrong("Leave out user, password and fragment.")
    if may_be_private:
        return
    number = _as_number(host)
    if number is not None and not is_public(number):
        raise _wrong("This address is inside a network.")
    name = host.rstrip(".")
    if number is None and ("." not in name or f".{name}".endswith(_IN_THE_HOUSE)):
        raise _wrong("This name is inside a network.")


def find_addresses(host: str, port: int, *, may_be_private: bool) -> list[str]:
    """What the name stands for now. Raises `AddressRefused` if any of it is inside: a name that
    means both is no partner's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressRefused("the name cannot be resolved") from None
    numbers = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not may_be_private and not all(is_public(ip_address(each)) for each in numbers):
        raise AddressRefused("the address is inside a network")
    return numbers


def is_public(number: IPv4Address | IPv6Address) -> bool:
    """Can it be reached from anywhere, also through what it may stand for?"""
    if isinstance(number, IPv6Address):
        inner = _inner(number)
        if inner is not None:
            return is_public(inner)
    return number.is_global and not number.is_multicast


def _inner(number: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if number in _NAT64:
        return IPv4Address(int(number) & 0xFFFFFFFF)
    teredo = number.teredo
    return number.ipv4_mapped or number.sixtofour or (teredo[1] if teredo else None)


def _as_number(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is by itself, also as systems read it: 127.1, 0x7f000001."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _wrong(message: str) -> Invalid:
    return Invalid({"url": [message]})
