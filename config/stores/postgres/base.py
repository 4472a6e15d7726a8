"""Django's engine for PostgreSQL, with a breaker before its pool (`timed` says why)."""

from typing import Any

import psycopg_pool
from django.db.backends.postgresql import base

from config.stores import timing
from config.stores.breaker import Pass
from config.stores.postgres.timed import LeftAlone, breaker, is_back, suspect


class DatabaseWrapper(base.DatabaseWrapper):
    """Who answers a request gets a connection in time, or is told at once that there is none."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises `LeftAlone`, `PoolTimeout`; for Celery and commands as Django's own."""
        if not timing.is_answering():
            return super().get_new_connection(conn_params)
        passed = breaker().ask()
        if passed is Pass.NO or (passed is Pass.TRIAL and not is_back(conn_params)):
            raise LeftAlone("PostgreSQL does not answer, it is asked again in a moment")
        try:
            return super().get_new_connection(conn_params)
        except psycopg_pool.PoolTimeout as error:
            raise suspect(error, conn_params) from None
