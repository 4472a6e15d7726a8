"""What record and rush have in common: whole worlds with everything on, and looking afterwards."""

import io
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from django.core.management import CommandError, call_command

from analytics.schema import FACTS
from config.stores.mongo import audit_database
from reservations.models import BookedSeat, Booking
from tests.bench.loop import LOST, Outcome
from tests.bench.served import await_true

SHIPPED_WITHIN_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Told:
    """What clients were told: so many 201, and so many answers that leave it open (5xx, none)."""

    locks: int
    confirms: int
    locks_unsure: int
    confirms_unsure: int

    @classmethod
    def by(cls, outcome: Outcome) -> "Told":
        unsure = (LOST, *range(500, 600))
        return cls(
            outcome.count("lock", 201),
            outcome.count("confirm", 201),
            outcome.count("lock", *unsure),
            outcome.count("confirm", *unsure),
        )


@dataclass(frozen=True)
class Aftermath:
    """What the stores say when it is over, beside what clients were told."""

    bookings: int
    seats: int
    documents: dict[str, int]
    shipped_after_seconds: float
    invariants: dict[str, Any]

    def wrong(self, told: Told) -> list[str]:
        """What does not agree with the answers."""
        found = []
        documents = self.documents["booking.confirmed"]
        if not 0 <= self.bookings - told.confirms <= told.confirms_unsure:
            found.append(f"{told}, {self.bookings} bookings are there")
        if documents != self.bookings:
            found.append(f"{self.bookings} bookings, {documents} documents of them")
        if not 0 <= self.documents["hold.held"] - told.locks <= told.locks_unsure:
            found.append(f"{told}, {self.documents['hold.held']} documents of holds")
        if not self.invariants["good"]:
            bad = [each for each in self.invariants["checks"] if each["wrong"]]
            found += [f"{each['name']}: {each['wrong'][:2]}" for each in bad] or ["invariants"]
        return found


def look_after(told: Told) -> Aftermath:
    """Wait until every fact is a document (at most a minute), count, check the invariants."""

    def all_shipped() -> bool:
        documents = _documents()
        booked = Booking.objects.filter(status=Booking.Status.CONFIRMED).count()
        held = documents["hold.held"] >= told.locks
        return held and documents["booking.confirmed"] >= booked

    shipped_after = await_true("every fact is in MongoDB", SHIPPED_WITHIN_SECONDS, all_shipped)
    return Aftermath(
        bookings=Booking.objects.filter(status=Booking.Status.CONFIRMED).count(),
        seats=BookedSeat.objects.filter(live=True).count(),
        documents=_documents(),
        shipped_after_seconds=round(shipped_after, 2),
        invariants=_invariants(),
    )


def _documents() -> dict[str, int]:
    kinds = ("hold.held", "hold.expired", "booking.confirmed")
    facts = audit_database()[FACTS]
    return {kind: facts.count_documents({"kind": kind}) for kind in kinds}


def _invariants() -> dict[str, Any]:
    said = io.StringIO()
    with suppress(CommandError):  # the report says what
        call_command("check_invariants", json=True, stdout=said)
    report: dict[str, Any] = json.loads(said.getvalue())
    return report
