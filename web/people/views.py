"""Accounts: register, sign in and out, profile, password, and the choice of light or dark."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from config.errors import Invalid, NotAuthenticated
from config.http import throttles
from users.claims import Caller
from users.models import User
from users.services.change_password import change_password
from users.services.register import NewAccount, register
from users.services.update_profile import update_profile
from web.booking.passengers import GENDERS, travellers_of
from web.page import THEME_COOKIE, THEMES, go, page, safe_next, show
from web.people.forms import (
    LoginForm,
    PasswordForm,
    ProfileForm,
    RegistrationForm,
    add_errors,
    posted,
)
from web.seats.views import WISH, take_kept_wish
from web.told import tell
from web.visitor import Visitor, sign_in, sign_out

YEAR_SECONDS = 365 * 24 * 3600


@page(methods=("GET", "POST"))
def login(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    """Sign in by username or e-mail; seats picked before are held at once."""
    if visitor is not None:
        return go(request, safe_next(request, reverse("web:landing")))
    form = LoginForm(posted(request))
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["username"]
        throttles.check(request, "login", subject=name.lower())
        try:
            arrived = sign_in(request, name=name, password=form.cleaned_data["password"])
            return _arrive(request, arrived)
        except NotAuthenticated as refused:
            form.add_error(None, tell(refused).text)
    return _show_form(request, "web/login.html", form)


def _arrive(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    taken = take_kept_wish(request, visitor)
    return taken or go(request, safe_next(request, reverse("web:landing")))


def _show_form(request: HttpRequest, template: str, form: forms.Form) -> HttpResponse:
    context = {
        "form": form,
        "next": safe_next(request, ""),
        "has_wish": WISH in request.session,
    }
    return show(request, template, context, status=400 if form.errors else 200)


@page(methods=("GET", "POST"))
def registration(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    """Make an account and sign in to it."""
    if visitor is not None:
        return go(request, safe_next(request, reverse("web:landing")))
    form = RegistrationForm(posted(request))
    if request.method == "POST" and form.is_valid():
        throttles.check(request, "register")
        said = form.cleaned_data
        try:
            register(account=NewAccount(**said))
        except Invalid as refused:
            add_errors(form, tell(refused).errors)
        else:
            arrived = sign_in(request, name=said["username"], password=said["password"])
            messages.success(request, _("Welcome aboard!"))
            return _arrive(request, arrived)
    return _show_form(request, "web/register.html", form)


@page(scope="write", methods=("POST",))
def logout(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    del visitor
    sign_out(request)
    messages.success(request, _("You are signed out."))
    return go(request, reverse("web:landing"))


@page(scope="account", signed_in=True, methods=("GET", "POST"))
def profile(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Name, e-mail and phone number; the travellers one books for."""
    user = visitor.user
    fields = ("first_name", "last_name", "email", "phone_number")
    form = ProfileForm(posted(request), initial={name: getattr(user, name) for name in fields})
    if request.method == "POST" and form.is_valid():
        try:
            update_profile(user_id=visitor.id, changes=form.cleaned_data)
            messages.success(request, _("Saved."))
            return go(request, reverse("web:profile"))
        except Invalid as refused:
            add_errors(form, tell(refused).errors)
    context = {
        "form": form,
        "travellers": travellers_of(visitor),
        "genders": GENDERS,
    }
    return show(request, "web/profile.html", context, status=400 if form.errors else 200)


@page(scope="account", signed_in=True, methods=("GET", "POST"))
def password(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """A new password; the account's other logins end, this one goes on."""
    form = PasswordForm(posted(request))
    if request.method == "POST" and form.is_valid():
        caller = Caller(visitor.id, visitor.user.is_staff, visitor.sid)
        try:
            change_password(caller=caller, **form.cleaned_data)
        except Invalid as refused:
            add_errors(form, tell(refused).errors)
        else:
            update_session_auth_hash(request, User.objects.get(pk=visitor.id))
            messages.success(request, _("Your password is changed. Other devices are signed out."))
            return go(request, reverse("web:profile"))
    return show(request, "web/password.html", {"form": form}, status=400 if form.errors else 200)


@page(methods=("POST",))
def theme(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    """Light, dark, or as the system has it; a cookie for a year."""
    del visitor
    chosen = request.POST.get("theme", "")
    answer = go(request, safe_next(request, reverse("web:landing")))
    if chosen in THEMES:
        answer.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=YEAR_SECONDS,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return answer
