"""The forms about people: shapes only, the rules are the services'."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.models import SavedTraveller
from users.serializers import PASSWORD_MAX_LENGTH
from web.booking.passengers import GENDERS, NAME_MAX
from web.words import position_name


class PlainForm(forms.Form):
    """Fields without Django's colons, with ids that are their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "%s", **kwargs})


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: also an empty POST is one."""
    return request.POST if request.method == "POST" else None


def add_errors(form: forms.Form, errors: Mapping[str, Sequence[str]]) -> None:
    """A service's messages, at the fields of the same names, else above the form."""
    for name, messages in errors.items():
        for message in messages:
            form.add_error(name if name in form.fields else None, message)


def _text(label: Any, *, most: int, autocomplete: str, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=most, required=required, widget=widget)


def _password(label: Any, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=PASSWORD_MAX_LENGTH, strip=False, widget=widget)


def _email() -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    return forms.EmailField(label=_("E-mail"), max_length=254, widget=widget)


class LoginForm(PlainForm):
    username = _text(_("Username or e-mail"), most=254, autocomplete="username")
    password = _password(_("Password"), "current-password")


class RegistrationForm(PlainForm):
    username = _text(_("Username"), most=150, autocomplete="username")
    email = _email()
    first_name = _text(_("First name"), most=150, autocomplete="given-name", required=False)
    last_name = _text(_("Last name"), most=150, autocomplete="family-name", required=False)
    password = _password(_("Password"), "new-password")


class ProfileForm(PlainForm):
    first_name = _text(_("First name"), most=150, autocomplete="given-name", required=False)
    last_name = _text(_("Last name"), most=150, autocomplete="family-name", required=False)
    email = _email()
    phone_number = _text(_("Phone number"), most=20, autocomplete="tel", required=False)


class PasswordForm(PlainForm):
    old_password = _password(_("Password now"), "current-password")
    new_password = _password(_("New password"), "new-password")


class ForgottenForm(PlainForm):
    email = _email()


class NewPasswordForm(PlainForm):
    new_password = _password(_("New password"), "new-password")


def _genders() -> list[tuple[str, str]]:
    return [("", ""), *((code, gettext(name)) for code, name in GENDERS.items())]


def _berths() -> list[tuple[str, str]]:
    return [("", ""), *((code, position_name(code)) for code in SavedTraveller.Berth.values)]


class TravellerForm(PlainForm):
    name = _text(_("Name"), most=NAME_MAX, autocomplete="off")
    birth_date = forms.DateField(
        label=_("Date of birth"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    gender = forms.ChoiceField(label=_("Gender"), required=False, choices=_genders)
    berth_preference = forms.ChoiceField(
        label=_("Preferred berth"), required=False, choices=_berths
    )
