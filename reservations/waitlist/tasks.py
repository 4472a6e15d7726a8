"""Celery's doors into the waitlist. Each may be late, doubled or absent for an hour."""

from celery import shared_task

from reservations.waitlist.mail import send_waiting
from reservations.waitlist.services.tend_waitlists import tend_waitlists as tend


@shared_task
def tend_waitlists() -> None:
    tend()


@shared_task
def send_waitlist_mail() -> None:
    send_waiting()
