"""The facts of tickets. Ids and times, no personal data.

| fact | subject | stage |
|---|---|---|
| `ticket.issued` | `ticket:<number>` | 0 |
| `ticket.reissued` | `ticket:<number>`, numbered by the booking's revision | 1 |
| `ticket.boarded` | `ticket:<number>` | 2 |
| `ticket.voided` | `ticket:<number>` | 3 |
"""

from typing import Any, Final

from config.outbox.facts import Fact
from reservations.tickets.models import Ticket

STAGE: Final = {"issued": 0, "reissued": 1, "boarded": 2, "voided": 3}


def ticket_fact(ticket: Ticket, what: str, *, number: int = 0, **body: Any) -> Fact:
    subject = f"ticket:{ticket.number}"
    return Fact(
        event_id=f"{subject}:{what}" + (f":{number}" if number else ""),
        kind=f"ticket.{what}",
        subject=subject,
        stage=STAGE[what],
        number=number,
        body={"ticket": ticket.number, "booking": ticket.booking_id, **body},
    )
