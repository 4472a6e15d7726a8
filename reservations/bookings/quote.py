"""What giving seats back would come to: decided once, for the quote and for the cancellation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Final

from config import clock
from config.errors import Invalid, NotFound
from reservations.availability.plans import Plan, Stretch, read_again
from reservations.bookings.cancellation_rules import Rule, read_rules, refund_by, rule_at
from reservations.bookings.money_back import paid_here
from reservations.bookings.objections import refuse_if_used
from reservations.errors import IllegalState
from reservations.models import BookedSeat, Booking
from trains.fares import CENT, ZERO

BY_STAFF: Final = "staff"


@dataclass(frozen=True, kw_only=True)
class Override:
    """Staff set the rules aside, and say why: `refund` goes back, None is what the rules give.

    `rule` is what the traveller is told instead of a rule's code.
    """

    reason: str
    refund: Decimal | None = None
    rule: str = BY_STAFF


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Of the `fare` of these `seats` (labels) `refund` goes back; `rule` names why it is that much.

    `ends_booking`: no seat is left. `is_paid`: the refund goes through a gateway; else no payment
    was taken here, and it is given back by hand. `rows` are the seats' rows.
    """

    pnr: str
    seats: tuple[str, ...]
    fare: Decimal
    refund: Decimal
    currency: str
    rule: str
    ends_booking: bool
    is_paid: bool
    rows: Sequence[BookedSeat] = field(default=(), repr=False)

    @property
    def kept(self) -> Decimal:
        return self.fare - self.refund


def decide(booking: Booking, seats: Sequence[str] | None, override: Override | None) -> Quote:
    """What giving back these seats (labels; None: all it has) comes to now.

    Raises `IllegalState` (cancelled already, or used by who asks), `Invalid` (field `seats`: not
    of this booking; field `refund`: more than was paid).
    """
    if booking.status != Booking.Status.CONFIRMED:
        raise IllegalState("The booking is cancelled already.", booking.status)
    if override is None:
        refuse_if_used(booking)
    plan = read_again([booking.departure_id]).get(booking.departure_id)
    if plan is None:
        raise NotFound("There is no such departure")
    live = list(BookedSeat.objects.filter(booking=booking, live=True).order_by("seat_id"))
    label_of = {int(each): plan.train.labels[o] for o, each in enumerate(plan.train.seat_ids)}
    rows = _chosen(live, label_of, seats)
    fares = fares_of(booking, live)
    rule = _rule(plan, booking)
    fare = sum((fares[row.pk] for row in rows), ZERO)
    refund = refund_by(rule, [fares[row.pk] for row in rows])
    if override is not None and override.refund is not None:
        if not ZERO <= override.refund <= fare:
            raise Invalid({"refund": [f"At least 0, at most the {fare} that these seats cost."]})
        refund = override.refund
    return Quote(
        pnr=booking.pnr or "",
        seats=tuple(label_of[row.seat_id] for row in rows),
        fare=fare,
        refund=refund,
        currency=booking.currency,
        rule=rule.code if override is None or override.refund is None else override.rule,
        ends_booking=len(rows) == len(live),
        is_paid=paid_here(booking) > 0,
        rows=rows,
    )


def fares_of(booking: Booking, live: Sequence[BookedSeat]) -> dict[int, Decimal]:
    """What each seat that is left cost, by the row's primary key; together: the booking's fare.

    Of a booking whose seats' fares are not known each has an equal share, to the cent, what is
    left over goes to the first.
    """
    fares = {row.pk: row.fare for row in live}
    if not live or sum(fares.values(), ZERO) == booking.fare:
        return fares
    share = (booking.fare / len(live)).quantize(CENT, rounding=ROUND_DOWN)
    first = booking.fare - share * (len(live) - 1)
    return {row.pk: first if row is live[0] else share for row in live}


def _chosen(
    live: Sequence[BookedSeat], label_of: dict[int, str], seats: Sequence[str] | None
) -> list[BookedSeat]:
    if seats is None:
        return list(live)
    mine = {label_of[row.seat_id]: row for row in live}
    if not seats:
        raise Invalid({"seats": ["Name at least one seat, or leave them out for all."]})
    if unknown := [label for label in seats if label not in mine]:
        raise Invalid({"seats": [f"Not of this booking: {', '.join(unknown)}."]})
    return [row for label, row in mine.items() if label in set(seats)]


def _rule(plan: Plan, booking: Booking) -> Rule:
    boards_at = plan.boards_at(Stretch(booking.from_stop, booking.to_stop))
    return rule_at(read_rules(plan.service_date), boards_at - clock.now())
