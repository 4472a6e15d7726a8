"""Nothing is kept by the pages; what staff may do hangs on a model without a table."""

from django.db import models


class BoardRight(models.Model):
    """Bears the permissions of the staff board (`web.staff.rights`).

    The first migration spells them once more, as it was then: a new one needs a migration too.
    """

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name = "right on the staff board"
        verbose_name_plural = "rights on the staff board"
        permissions = (
            ("see_figures", "See today, departures, demand, calls and health"),
            ("see_people", "See holds, bookings and waitlists with their names"),
            ("see_payments", "See payments and differences"),
            ("release_holds", "Free the seats of a hold"),
            ("cancel_bookings", "Give seats back by the rules"),
            ("set_refunds", "Give back another amount than the rules"),
            ("reseat_departures", "Plan and confirm another vehicle"),
            ("cancel_departures", "Cancel a departure"),
            ("settle_payments", "Settle differences, send refunds again"),
            ("use_admin", "Come into the administration"),
        )

    def __str__(self) -> str:
        return "right on the staff board"
