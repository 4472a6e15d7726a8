"""What each role may see and do on the board and in the admin: page by page, action by action."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.urls import get_resolver

from config.outbox.models import OutboxEvent
from tests.pages.visiting import Visit, says
from tests.selling import Sale
from users.models import User
from web.staff.rights import make_roles

pytestmark = pytest.mark.django_db

ROLES: Final = ("Viewer", "Clerk", "Controller", "Manager")
UUID: Final = "0b6f3c9e-54f2-4f3d-9d0a-2f1f7b1c7f5e"
# Each address: how it is asked, and the least of the roles that may, each having what those before
# it have. What is asked in vain (no reason, nothing there) is refused after the right was found.
MATRIX: Final = {
    "": ("get", "Viewer"),
    "departures/": ("get", "Viewer"),
    "departures/<departure>/": ("get", "Viewer"),
    "departures/<departure>/cancel/": ("post", "Controller"),
    "departures/<departure>/reseatings/": ("get", "Controller"),
    "reseatings/1/": ("get", "Controller"),
    "reseatings/1/confirm/": ("post", "Controller"),
    "reseatings/1/drop/": ("post", "Controller"),
    "holds/": ("get", "Clerk"),
    "holds/nothing/release/": ("post", "Clerk"),
    "bookings/": ("get", "Clerk"),
    "bookings/<pnr>/": ("get", "Clerk"),
    "bookings/<pnr>/cancel/": ("post", "Clerk"),
    "waitlists/": ("get", "Clerk"),
    "payments/": ("get", "Manager"),
    "payments/differences/1/": ("post", "Manager"),
    f"payments/refunds/{UUID}/": ("post", "Manager"),
    "demand/": ("get", "Viewer"),
    "calls/": ("get", "Viewer"),
    "health/": ("get", "Viewer"),
}
IN_ADMIN: Final = {
    "": "Controller",
    "trains/train/": "Controller",
    "trains/faretable/": "Controller",
    "trains/faretable/add/": "Manager",
    "reservations/cancellationtable/add/": "Manager",
    "reservations/booking/": "Manager",
    "users/user/": "nobody",
    "auth/group/": "nobody",
}

Work = Callable[[str], Visit]


@pytest.fixture
def works_as(make_visit: Callable[..., Visit]) -> Work:
    """Somebody with a role and nothing else; "": an ordinary traveller."""
    make_roles(apps)

    def make(role: str) -> Visit:
        visit = make_visit(f"as-{role or 'nobody'}".lower(), is_staff=False)
        assert visit.user is not None
        if role:
            visit.user.groups.add(Group.objects.get(name=role))
        return visit

    return make


def may(role: str, least: str) -> bool:
    return least in ROLES and role in ROLES and ROLES.index(role) >= ROLES.index(least)


def ask(visit: Visit, how: str, path: str) -> int:
    answer = visit.get(path) if how == "get" else visit.post(path)
    return int(answer.status_code)


def test_each_role_sees_and_does_what_is_its_own(sale: Sale, works_as: Work, meera: Visit) -> None:
    assert len(get_resolver("web.staff.urls").url_patterns) == len(MATRIX), "each address, once"
    everybody = {role: works_as(role) for role in ("", *ROLES)}
    for address, (how, least) in MATRIX.items():
        path = f"/staff/{address}".replace("<departure>", str(sale.departure.pk))
        path = path.replace("<pnr>", sale.booked["pnr"])
        seen = {role: ask(visit, how, path) for role, visit in everybody.items()}
        for role, status in seen.items():
            assert (status != 403) == may(role, least), (path, role, status)
        assert ask(meera, how, path) == seen["Manager"], (path, "the API's admin has all of it")


def test_the_admin_lets_in_who_has_a_role_for_it(works_as: Work) -> None:
    for role in ("", *ROLES):
        visit = works_as(role)
        for address, least in IN_ADMIN.items():
            status = visit.get(f"/admin/{address}").status_code
            assert (status == 200) == may(role, least), (role, address, status)


def test_a_role_gives_nothing_at_the_api(works_as: Work) -> None:
    manager = works_as("Manager").user
    assert manager is not None
    assert (manager.role, manager.is_staff) == ("user", False)


def test_what_one_may_not_do_is_not_offered(sale: Sale, works_as: Work) -> None:
    viewer, clerk, manager = (works_as(role) for role in ("Viewer", "Clerk", "Manager"))
    run, booked = (
        f"/staff/departures/{sale.departure.pk}/",
        f"/staff/bookings/{sale.booked['pnr']}/",
    )
    assert says(viewer.get("/"), "Staff")
    assert not says(viewer.get(run), "Bookings")
    assert not says(viewer.get(run), "Another vehicle")
    assert not says(clerk.get(run), "Cancel this departure")
    assert says(clerk.get("/staff/holds/"), "Release")
    assert says(clerk.get(booked), "Give seats back")
    assert not says(clerk.get(booked), "Amount")
    assert says(manager.get(booked), "Amount")
    assert says(manager.get(run), "Cancel this departure")
    assert not says(works_as("").get("/"), "Staff")
    assert says(viewer.get("/staff/payments/"), "This is not yours to do")


def test_another_amount_than_the_rules_give_is_a_managers(sale: Sale, works_as: Work) -> None:
    clerk = works_as("Clerk")
    path = f"/staff/bookings/{sale.booked['pnr']}/cancel/"
    first, second = sale.booked["seats"]
    said: dict[str, Any] = {"reason": "asked", "seat": [first], "refund": "1.00"}
    assert clerk.post(path, said).status_code == 403
    assert clerk.post(path, {**said, "refund": ""}).status_code == 302
    assert works_as("Manager").post(path, {**said, "seat": [second]}).status_code == 302
    facts = OutboxEvent.objects.filter(kind__startswith="booking.", body__reason="asked")
    assert {fact.body["actor"] for fact in facts} == set(
        User.objects.filter(username__in=["as-clerk", "as-manager"]).values_list("pk", flat=True)
    )


def test_a_role_that_is_taken_away_is_gone_at_the_next_click(works_as: Work) -> None:
    visit = works_as("Clerk")
    assert visit.get("/staff/holds/").status_code == 200
    assert visit.user is not None
    visit.user.groups.clear()
    assert visit.get("/staff/holds/").status_code == 403


def test_roles_that_were_changed_keep_what_they_were_given(db: None) -> None:
    make_roles(apps)
    viewer = Group.objects.get(name="Viewer")
    more = Group.objects.get(name="Clerk").permissions.get(codename="see_people")
    viewer.permissions.add(more)
    make_roles(apps)
    assert Group.objects.filter(name__in=ROLES).count() == len(ROLES)
    assert more in viewer.permissions.all()
