"""Live holds over all departures, and freeing one that is stuck, with a reason."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.operations.live_holds import LiveHold, free_hold, list_live_holds
from config import clock
from users.models import User
from web.page import go
from web.staff.door import board
from web.staff.reasons import asked_reason
from web.staff.rights import Right
from web.staff.showing import AWAY, asked_departure, departure_address, show_board, zone
from web.staff.tables import Column, Link, Table
from web.visitor import Visitor

MOST: Final = 200


@board(Right.SEE_PEOPLE)
def holds(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Soonest deadline first; `?departure=` and `?user=` narrow it down."""
    del visitor
    departure, user = asked_departure(request), request.GET.get("user", "").strip()
    owner = User.objects.filter(username__iexact=user).first() if user else None
    count, is_away = 0, False
    found: list[LiveHold] = []
    try:
        if owner is not None or not user:
            count, found = list_live_holds(
                departure=departure,
                user=owner.pk if owner else None,
                limit=MOST,
                offset=0,
            )
    except AWAY:
        is_away = True
    names = dict(
        User.objects.filter(pk__in={each.user for each in found}).values_list("pk", "username")
    )
    table = _table(found, names, is_away=is_away)
    return show_board(
        request,
        "web/staff/holds.html",
        at="holds",
        tables=[table],
        holds=[(each, names.get(each.user, ""), _left(each)) for each in found],
        count=count,
        is_away=is_away,
        departure=departure or "",
        user=user,
    )


@board(Right.RELEASE_HOLDS, methods=("POST",))
def release(request: HttpRequest, visitor: Visitor, hold: str) -> HttpResponse:
    """Free the seats of a hold. Raises what `free_hold` raises."""
    reason = asked_reason(request)
    free_hold(actor=visitor.id, sid=visitor.sid, hold=hold, reason=reason)
    messages.success(request, _("The seats are free again. Your reason is in the trail."))
    return go(request, reverse("web:staff:holds"))


def _left(hold: LiveHold) -> int:
    return max(0, int((hold.expires_at - clock.now()).total_seconds()))


def _table(found: list[LiveHold], names: dict[int, str], *, is_away: bool) -> Table:
    return Table(
        key="holds",
        title=_("Live holds"),
        columns=[
            Column(_("Hold"), "code"),
            Column(_("State")),
            Column(_("User")),
            Column(_("Departure"), "code"),
            Column(_("Train")),
            Column(_("Stretch")),
            Column(_("Seats")),
            Column(_("Fare"), "money"),
            Column(_("Taken at"), "moment"),
            Column(_("Ends at"), "moment"),
        ],
        rows=[
            (
                each.hold,
                each.status,
                names.get(each.user, str(each.user)),
                Link(str(each.departure), departure_address(each.departure)),
                f"{each.train} {each.service_date}",
                f"{each.source} → {each.destination}",
                ", ".join(each.seats),
                each.fare,
                each.taken_at,
                each.expires_at,
            )
            for each in found
        ],
        empty=_("Nobody holds a seat."),
        is_away=is_away,
        zone=zone(),
    )
