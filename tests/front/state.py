"""What is in the stores, to see that a request that was refused changed nothing."""

from typing import Any

from django.apps import apps

from config.stores.redis import holds_store

_OURS = ("users", "trains", "reservations", "tickets", "payments", "idempotency", "outbox")


def rows() -> dict[str, list[Any]]:
    """Every row of our tables in PostgreSQL."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for app in _OURS
        for model in apps.get_app_config(app).get_models()
    }


def members() -> dict[str, Any]:
    """Every hold in Redis: its member, and when it ends."""
    store = holds_store()
    return {
        name.decode(): store.zrange(name, 0, -1, withscores=True)
        for pattern in ("{*}:live:*", "{*}:confirming:*", "{*}:mine:*")
        for name in sorted(store.scan_iter(pattern))
    }


def everything() -> tuple[dict[str, list[Any]], dict[str, Any]]:
    return rows(), members()
