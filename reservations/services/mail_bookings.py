"""Mail about what became of a booking: seats given back, a train that does not run, other seats."""

from datetime import datetime
from zoneinfo import ZoneInfo

from config.mail import message, send_due
from reservations.availability.plans import plan_of
from reservations.bookings.money_back import NONE
from reservations.bookings.views import BookingView, CancellationView, view_bookings
from reservations.models import Booking, BookingMail, Cancellation
from reservations.services.cancel_departure import RULE


def send_waiting() -> int:
    """Send what is due, oldest first; how many were sent."""
    return send_due(BookingMail.objects.select_related("booking__owner"), _send)


def _send(mail: BookingMail) -> None:
    """Nothing is sent to an account without an address."""
    booking, owner = mail.booking, mail.booking.owner
    if owner is None or not owner.email:
        return
    (view,) = view_bookings([booking])
    told = _told(mail, view)
    subject, text = _given_back(view, told) if told else _reseated(view)
    body = f"{_journey(booking, view)}\n\n{text}\n"
    message(mail, to=owner.email, subject=f"{subject}: {view.pnr}", body=body).send()


def _told(mail: BookingMail, view: BookingView) -> CancellationView | None:
    """The cancellation it tells of: by its place among those of the booking."""
    if mail.cancellation_id is None:
        return None
    earlier = Cancellation.objects.filter(booking=mail.booking, pk__lt=mail.cancellation_id)
    return view.cancellations[earlier.count()]


def _journey(booking: Booking, view: BookingView) -> str:
    zone = plan_of(booking.departure_id).train.stops[booking.from_stop].timezone
    leaves: datetime = view.source["departs_at"].astimezone(ZoneInfo(zone))
    return (
        f"{view.train['number']} {view.train['name']}\n"
        f"{view.source['name']} - {view.destination['name']}\n"
        f"{leaves.strftime('%a %d %b %Y, %H:%M')} local time"
    )


def _given_back(view: BookingView, told: CancellationView) -> tuple[str, str]:
    seats = ", ".join(told.seats)
    back = f"{told.refund.amount} {view.currency} of {told.fare} {view.currency} go back to you."
    if told.refund.status == NONE:
        back = "Nothing goes back by the rules for so short a time before departure."
    if told.rule == RULE:
        return "Your train does not run", f"This train does not run. Seats {seats}: {back}"
    if view.status == Booking.Status.CONFIRMED:
        left = f"You keep {', '.join(view.seats)}."
        return "Seats cancelled", f"Cancelled: {seats}. {back}\n{left}"
    return "Booking cancelled", f"Cancelled: {seats}. {back}"


def _reseated(view: BookingView) -> tuple[str, str]:
    seats = ", ".join(view.seats)
    return (
        "Your seats have changed",
        f"Another vehicle runs. Your seats are now {seats}; your old ticket is void.",
    )
