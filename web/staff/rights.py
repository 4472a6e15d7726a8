"""What staff may do on the board, and the roles that come with it.

A right is an ordinary Django permission of this app, a role an ordinary group: who manages people
puts an account into groups in the admin, makes groups, changes what one may. Rights are asked for
at each request, so what is given or taken counts at once. An account of the API's role `admin`
(`is_staff`) has them all. A role here adds to an account and gives nothing at the API, where the
account stays a `user`.
"""

from enum import StrEnum
from typing import Any, Final

from django.contrib.auth.management import create_permissions


class Right(StrEnum):
    """Codenames; those of `web.models.BoardRight`."""

    SEE_FIGURES = "see_figures"
    SEE_PEOPLE = "see_people"
    SEE_PAYMENTS = "see_payments"
    RELEASE_HOLDS = "release_holds"
    CANCEL_BOOKINGS = "cancel_bookings"
    SET_REFUNDS = "set_refunds"
    RESEAT = "reseat_departures"
    CANCEL_DEPARTURES = "cancel_departures"
    SETTLE_PAYMENTS = "settle_payments"
    USE_ADMIN = "use_admin"

    @property
    def permission(self) -> str:
        """As `User.has_perm` takes it."""
        return f"web.{self.value}"


_VIEWER: Final = (Right.SEE_FIGURES,)
_CLERK: Final = (*_VIEWER, Right.SEE_PEOPLE, Right.RELEASE_HOLDS, Right.CANCEL_BOOKINGS)
_CONTROLLER: Final = (*_CLERK, Right.RESEAT, Right.CANCEL_DEPARTURES, Right.USE_ADMIN)
_MANAGER: Final = (
    *_CONTROLLER,
    Right.SEE_PAYMENTS,
    Right.SET_REFUNDS,
    Right.SETTLE_PAYMENTS,
)

ROLES: Final[dict[str, tuple[Right, ...]]] = {
    "Viewer": _VIEWER,
    "Clerk": _CLERK,
    "Controller": _CONTROLLER,
    "Manager": _MANAGER,
}

_LOOK: Final = ("station", "train", "stop", "coach", "vehicletemplate", "departure")
_PRICES: Final = ("faretable", "classfare", "fareslab", "fareconcession")
_RULES: Final = ("cancellationtable", "cancellationrule")
IN_ADMIN: Final[dict[str, tuple[str, ...]]] = {
    "Controller": tuple(f"trains.view_{model}" for model in (*_LOOK, *_PRICES)),
    "Manager": (
        *(f"trains.view_{model}" for model in (*_LOOK, *_PRICES)),
        *(f"trains.{what}_{model}" for what in ("add", "change") for model in _PRICES),
        *(f"trains.{what}_{model}" for what in ("delete",) for model in _PRICES[2:]),
        *(f"trains.change_{model}" for model in ("station", "train", "coach", "departure")),
        *(f"reservations.{what}_{model}" for what in ("view", "add", "change") for model in _RULES),
        "reservations.delete_cancellationrule",
        *(f"reservations.view_{model}" for model in ("booking", "bookedseat", "cancellation")),
    ),
}
"""Django's own permissions, for its admin. Nobody's role has those on accounts and groups: they
would be a way to all the others.
"""


def make_roles(apps: Any) -> None:
    """The groups, each with what it may; those that are there get what they lack, and keep the
    rest. `apps`: a migration's registry, or Django's.
    """
    from django.apps import apps as real_apps  # beside the migration's

    for label in ("web", "trains", "reservations"):
        create_permissions(real_apps.get_app_config(label), verbosity=0, apps=apps)
    group_of = apps.get_model("auth", "Group").objects
    permission_of = apps.get_model("auth", "Permission").objects
    for role, rights in ROLES.items():
        group, _made = group_of.get_or_create(name=role)
        for name in (*(right.permission for right in rights), *IN_ADMIN.get(role, ())):
            label, codename = name.split(".")
            group.permissions.add(
                permission_of.get(content_type__app_label=label, codename=codename)
            )
