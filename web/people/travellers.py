"""The travellers somebody books for: add, change, delete."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from config import clock
from config.errors import SeatlockError
from users.services.travellers import (
    change_traveller,
    delete_travellers,
    find_traveller,
    save_traveller,
)
from web.page import go, page, show
from web.people.forms import TravellerForm, posted
from web.told import tell
from web.visitor import Visitor

YEARS_MAX = 130


@page(scope="account", signed_in=True, methods=("GET", "POST"))
def traveller(request: HttpRequest, visitor: Visitor, number: int | None = None) -> HttpResponse:
    """The form of a saved traveller, or of a new one."""
    known = find_traveller(owner=visitor.id, number=number) if number else None
    names = tuple(TravellerForm.base_fields)
    initial = {name: getattr(known, name) for name in names} if known else None
    form = TravellerForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid() and _is_alive(form):
        try:
            _save(visitor, number, form.cleaned_data)
            messages.success(request, _("Saved."))
            return go(request, reverse("web:profile"))
        except SeatlockError as refused:
            form.add_error(None, tell(refused).text)
    context = {"form": form, "known": known}
    return show(request, "web/traveller.html", context, status=400 if form.errors else 200)


def _save(visitor: Visitor, number: int | None, said: Mapping[str, Any]) -> None:
    if number:
        change_traveller(owner=visitor.id, number=number, said=said)
    else:
        save_traveller(owner=visitor.id, said=said)


def _is_alive(form: TravellerForm) -> bool:
    born: date | None = form.cleaned_data["birth_date"]
    today = clock.now().date()
    if born is None or (today.year - YEARS_MAX <= born.year and born <= today):
        return True
    form.add_error("birth_date", _("Nobody alive was born then."))
    return False


@page(scope="account", signed_in=True, methods=("POST",))
def delete(request: HttpRequest, visitor: Visitor, number: int) -> HttpResponse:
    delete_travellers(owner=visitor.id, number=number)
    messages.success(request, _("Deleted."))
    return go(request, reverse("web:profile"))
