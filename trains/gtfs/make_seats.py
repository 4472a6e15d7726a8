"""Make the seats of new trains, so many trains at a time that memory stays small."""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from trains.gtfs.progress import Progress
from trains.gtfs.statistics import analyse
from trains.models import Coach
from trains.services.generate_seats import generate_seats

TRAINS_PER_BATCH: Final = 200


def make_seats(train_ids: Sequence[int], *, seats: int, progress: Progress) -> None:
    """Make every seat of these trains; `seats` is how many that will be.

    Their foreign keys are checked batch by batch: left to COMMIT, millions of checks would wait
    in PostgreSQL's memory, and the progress bar would stand full for half of the time.
    """
    progress.begin("making seats", seats)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    analyse("train", "stop", "coach", "vehicletemplate", "seat")
    for start in range(0, len(train_ids), TRAINS_PER_BATCH):
        batch = train_ids[start : start + TRAINS_PER_BATCH]
        coaches = Coach.objects.filter(train__in=batch).values_list("pk", flat=True)
        progress.advance(generate_seats(coach_ids=list(coaches)))
        if start == 0:
            analyse("seat")  # rows a page hold for the batches to come
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
