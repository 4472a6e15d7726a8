"""Celery's way to its Redis broker, mended: a lost broker does not end the worker.

Kombu 5.7's channel, once its connection was given up, fails with an `AttributeError` where a
message is to be acknowledged or given back. To Celery that is no lost connection but a mistake of
the program, and the worker ends, for good: a broker that was killed while the worker had
unacknowledged messages and asked for more took it along. Here the channel says what happened.

What could be neither acknowledged nor given back stays in the broker's hash `unacked`, and another
worker gets it after the visibility timeout.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Channel, Transport
from redis.exceptions import ConnectionError as RedisConnectionError


class SteadyChannel(Channel):
    """A channel that knows when its connection was given up."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection.client is None:
            raise RedisConnectionError("the connection to the broker was given up")
        parameters: dict[str, Any] = super()._connparams(  # type: ignore[misc]
            asynchronous=asynchronous
        )
        return parameters


class SteadyTransport(Transport):
    """The Redis transport with such channels."""

    Channel = SteadyChannel


def steady_the_broker() -> None:
    """Have every broker URL of Redis (`redis`, `rediss`, `redis+socket`) use it."""
    ours = f"{__name__}:{SteadyTransport.__name__}"
    TRANSPORT_ALIASES.update(redis=ours, rediss=ours)
