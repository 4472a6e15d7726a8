"""The stores together: which are needed, starting them, and telling others where they are."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from config.embedded.errors import ServerDied, StartFailed
from config.embedded.guard import say
from config.embedded.places import Places, write_private
from config.embedded.preflight import check_machine, check_ports, is_free
from config.embedded.settings import EmbeddedSettings
from config.embedded.stores.base import Store
from config.embedded.stores.mongo import Mongo
from config.embedded.stores.postgres import Postgres
from config.embedded.stores.valkey import broker_valkey, holds_valkey
from config.embedded.supervisor import STORE_STAGE, Supervisor

STORE_PORTS = {
    "postgres": "EMBEDDED_POSTGRES_PORT",
    "valkey-holds": "EMBEDDED_REDIS_PORT",
    "valkey-broker": "EMBEDDED_BROKER_PORT",
    "mongo": "EMBEDDED_MONGO_PORT",
}
# Below the range the kernel takes outgoing ports from, so that only another server can be there.
FREE_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The stores to start and the environment their users need."""

    stores: tuple[Store, ...]
    given: Mapping[str, str]
    places: Places

    @property
    def environment(self) -> dict[str, str]:
        """Settings for whoever uses the stores: URLs, a secret key, and whose accounts these are.

        SEATLOCK_EMBEDDED is 1 only if the database is ours: demo accounts are made then.
        """
        urls = {name: url for store in self.stores for name, url in store.urls.items()}
        ours = any(isinstance(store, Postgres) for store in self.stores)
        return {
            "SECRET_KEY": self.places.secrets()["django"],
            **urls,
            **self.given,
            "SEATLOCK_EMBEDDED": "1" if ours else "0",
        }


def make_fleet(places: Places, settings: EmbeddedSettings) -> Fleet:
    """A store for every URL that is not given."""
    port = {name: settings.ports[setting] for name, setting in STORE_PORTS.items()}
    every: tuple[Store, ...] = (
        # PostgreSQL last: while its cluster is made, the others come up.
        Mongo(places=places, port=port["mongo"]),
        holds_valkey(places=places, port=port["valkey-holds"]),
        broker_valkey(places=places, port=port["valkey-broker"]),
        Postgres(places=places, port=port["postgres"]),
    )
    needed = tuple(store for store in every if not store.settings <= settings.given.keys())
    return Fleet(stores=needed, given=settings.given, places=places)


def free_ports() -> EmbeddedSettings:
    """Settings for stores of one's own beside others: random ports nobody listens on now."""
    ports: dict[str, int] = {}
    for name in (*STORE_PORTS.values(), "PORT", "LIVE_PORT"):
        ports[name] = next(
            port
            for port in random.sample(FREE_PORTS, len(FREE_PORTS))
            if port not in ports.values() and is_free(port)
        )
    return EmbeddedSettings(ports=ports, given={})


def check_fit(fleet: Fleet, *, more_ports: Mapping[str, int]) -> None:
    """Preflight of the fleet and of further ports by setting name. Raises `MachineUnfit`."""
    check_machine(
        [program for store in fleet.stores for program in store.programs],
        needs_avx=any(isinstance(store, Mongo) for store in fleet.stores),
    )
    check_ports({STORE_PORTS[store.name]: store.port for store in fleet.stores} | dict(more_ports))


def start_fleet(supervisor: Supervisor, fleet: Fleet) -> None:
    """Start all stores and wait until each takes writes.

    Raises:
        StartFailed, ServerDied: the store is named, with the last lines of its log.

    """
    started = time.monotonic()
    for store in fleet.stores:
        store.prepare(supervisor.run_or_fail)
        supervisor.start(store.spec(), stage=STORE_STAGE)
    for store in fleet.stores:
        supervisor.wait_until(
            store.is_ready, what=store.name, log=store.log, seconds=store.start_seconds
        )
    names = ", ".join(f"{store.name} :{store.port}" for store in fleet.stores) or "none of ours"
    say(f"stores ready after {time.monotonic() - started:.1f} s ({names})")


def publish(fleet: Fleet) -> None:
    """Write the URLs where shells and management commands of this checkout look for them.

    The format is that of `.env`; a shell can read it too.
    """
    lines = [f"{name}='{value}'\n" for name, value in sorted(fleet.environment.items())]
    write_private(fleet.places.live_file, "".join(lines))


def start_private_fleet(supervisor: Supervisor, places: Places) -> Fleet:
    """A fleet on free ports. Another server may take one of them first: then with others."""
    attempts = 4
    for attempt in range(1, attempts + 1):
        fleet = make_fleet(places, free_ports())
        check_fit(fleet, more_ports={})
        try:
            start_fleet(supervisor, fleet)
        except ServerDied as died:
            if attempt == attempts or "in use" not in str(died):
                raise
            supervisor.shut_down()
        else:
            return fleet
    raise StartFailed("no free ports found")
