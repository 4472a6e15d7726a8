"""Mail about an entry: an offer, a booking, a place that lapsed."""

from config.mail import message, send_due
from reservations.availability.plans import Plan, plan_of
from reservations.waitlist.models import Entry, EntryMail
from reservations.waitlist.services.show_entry import EntryView, view_entries
from reservations.waitlist.states import EntryState


def send_waiting() -> int:
    """Send what is due, oldest first; how many were sent."""
    return send_due(EntryMail.objects.select_related("entry__owner"), _send)


def _send(mail: EntryMail) -> None:
    """Nothing is sent of what is no news any more, or to an account without an address."""
    entry, owner = mail.entry, mail.entry.owner
    (view,) = view_entries(Entry.objects.filter(pk=entry.pk))
    if f":{_told(view)}" not in mail.event_id or not owner.email:
        return
    plan = plan_of(view.departure)
    message(mail, to=owner.email, subject=_subject(plan, view), body=_text(plan, view)).send()


def _told(view: EntryView) -> str:
    return {EntryState.WAITING.value: "requeued"}.get(view.status, view.status)


def _subject(plan: Plan, view: EntryView) -> str:
    journey = f"{plan.train.number}, {view.source} - {view.destination}"
    match view.status:
        case EntryState.OFFERED:
            return f"Seats are held for you: {journey}"
        case EntryState.CONFIRMED:
            return f"You have seats, {view.pnr}: {journey}"
        case _:
            return f"Your place on the waitlist is over: {journey}"


def _text(plan: Plan, view: EntryView) -> str:
    what = (
        f"{plan.train.number} {plan.train.name}, {plan.service_date}\n"
        f"{view.source} - {view.destination}, {view.count} in {view.travel_class}\n\n"
    )
    if view.offer is not None:
        until = view.offer.expires_at.strftime("%a %d %b %Y, %H:%M UTC")
        seats = ", ".join(view.offer.seats)
        return f"{what}Seats {seats} are held for you until {until}.\nConfirm them in time.\n"
    if view.status == EntryState.CONFIRMED:
        return f"{what}Your seats are booked. PNR {view.pnr}\n"
    return f"{what}No seats could be given to you, or the offer ran out.\n"
