"""Ask MongoDB a pipeline, for a bounded time."""

from datetime import datetime, timedelta
from typing import Any, Final

import pymongo

from config import clock
from config.stores.mongo import audit_database, require_mongo

REPORT_SECONDS: Final = 10.0
DEFAULT_DAYS: Final = 30

Pipeline = list[dict[str, Any]]


def ask(collection: str, pipeline: Pipeline) -> list[dict[str, Any]]:
    """The answer of a pipeline.

    Raises `pymongo.errors.ConnectionFailure` or `ExecutionTimeout`: MongoDB is away or took longer
    than REPORT_SECONDS.
    """
    require_mongo()
    with pymongo.timeout(REPORT_SECONDS):
        return list(audit_database()[collection].aggregate(pipeline, allowDiskUse=True))


def days_ago(days: float = DEFAULT_DAYS) -> datetime:
    return clock.now() - timedelta(days=days)
