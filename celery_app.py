"""The Celery application: `celery -A celery_app worker` and `celery -A celery_app beat`."""

import os
from typing import Any, Final

from celery import Celery
from celery.signals import worker_init

from config.garbage import settle_down
from config.steady_broker import steady_the_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

WORKER_NICENESS: Final = 10
"""Of two processes that want one core it gets a tenth, and on an idle one all."""

steady_the_broker()
app = Celery("seatlock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def make_ready(**_: Any) -> None:
    """A worker does not start on a Redis that may lose holds; what it forks shares its memory, and
    like it gives way to whoever answers requests: no promise waits for a worker.
    """
    from config.stores.checks import check_holds_store

    check_holds_store()
    settle_down()
    os.nice(WORKER_NICENESS)
