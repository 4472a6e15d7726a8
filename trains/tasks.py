"""Background work of the timetable: each task calls one service."""

from celery import shared_task

from trains.services import open_departures as opening


@shared_task
def open_departures() -> None:
    """Let the window of departures on sale roll on (beat, hourly)."""
    opening.open_departures()
