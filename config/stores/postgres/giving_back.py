"""Whoever waits for another thread holds no connection meanwhile."""

from django.db import connection


def give_back() -> None:
    """Put this thread's connection back into the pool, unless a transaction needs it.

    For who is about to wait for what another thread does with PostgreSQL. A pool may have fewer
    connections than its process has threads: those who wait could hold them all, and the one they
    wait for would find none.
    """
    if connection.connection is not None and not connection.in_atomic_block:
        connection.close()
