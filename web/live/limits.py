"""How many sockets there may be: in all, from one address, of one user. Counted in this process.

A socket counts for its address until it says whose it is, and for the user from then on, so that an
office behind one address is not held to what one address may have.
"""

from collections import Counter
from dataclasses import dataclass

from django.conf import settings


@dataclass(eq=False, slots=True)
class Place:
    """What one socket counts for."""

    network: str
    user: int | None = None


class Limits:
    """The sockets that are open."""

    def __init__(self) -> None:
        self.sockets = 0
        self._by_network: Counter[str] = Counter()
        self._by_user: Counter[int] = Counter()

    def enter(self, network: str, user: int | None = None) -> Place | None:
        """A place for a socket from this address (of this user), or None: there are too many."""
        env = settings.ENV
        if self.sockets >= env.live_max_sockets:
            return None
        if user is None:
            has, may = self._by_network[network], env.live_max_per_address
        else:
            has, may = self._by_user[user], env.live_max_per_user
        if env.throttles == "on" and has >= may:
            return None
        self.sockets += 1
        place = Place(network, user)
        self._count(place)
        return place

    def identify(self, place: Place, user: int) -> bool:
        """Count this socket for a user instead; False: the user has too many."""
        if place.user == user:
            return True
        env = settings.ENV
        if env.throttles == "on" and self._by_user[user] >= env.live_max_per_user:
            return False
        self._forget(place)
        place.user = user
        self._count(place)
        return True

    def leave(self, place: Place) -> None:
        self.sockets -= 1
        self._forget(place)

    def _count(self, place: Place) -> None:
        if place.user is None:
            self._by_network[place.network] += 1
        else:
            self._by_user[place.user] += 1

    def _forget(self, place: Place) -> None:
        """Counters keep no zeros: addresses come and go for months."""
        if place.user is None:
            self._by_network[place.network] -= 1
            if not self._by_network[place.network]:
                del self._by_network[place.network]
        else:
            self._by_user[place.user] -= 1
            if not self._by_user[place.user]:
                del self._by_user[place.user]
