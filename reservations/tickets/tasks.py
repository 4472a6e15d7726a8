"""Celery's door into the tickets. May be late, doubled or absent for an hour."""

from celery import shared_task

from reservations.tickets.mail import send_waiting


@shared_task
def send_ticket_mail() -> None:
    send_waiting()
