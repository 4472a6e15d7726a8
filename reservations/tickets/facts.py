"""The facts of tickets. Ids and times, no personal data.

| fact | subject | stage |
|---|---|---|
| `ticket.issued` | `ticket:<number>` | 0 |
| `ticket.boarded` | `ticket:<number>` | 1 |
| `ticket.voided` | `ticket:<number>` | 2 |
"""

from typing import Any, Final

from config.outbox.facts import Fact
from reservations.tickets.models import Ticket

STAGE: Final = {"issued": 0, "boarded": 1, "voided": 2}


def ticket_fact(ticket: Ticket, what: str, **body: Any) -> Fact:
    subject = f"ticket:{ticket.number}"
    return Fact(
        event_id=f"{subject}:{what}",
        kind=f"ticket.{what}",
        subject=subject,
        stage=STAGE[what],
        body={"ticket": ticket.number, "booking": ticket.booking_id, **body},
    )
