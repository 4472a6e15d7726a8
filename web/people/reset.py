"""A forgotten password: a link by e-mail, good once and for three days.

The page says the same whether or not somebody has the address, and takes as long: a worker looks
the account up and writes the mail.
"""

from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from config.errors import StoreUnavailable
from config.http import throttles
from users.models import User
from web.page import go, page, show
from web.people.forms import ForgottenForm, NewPasswordForm, posted
from web.tasks import send_reset_link
from web.visitor import Visitor


@page(methods=("GET", "POST"))
def forgotten(request: HttpRequest, visitor: Visitor | None) -> HttpResponse:
    """Ask for the link."""
    del visitor
    form = ForgottenForm(posted(request))
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        throttles.check(request, "login", subject=f"reset:{email.lower()}")
        origin = request.build_absolute_uri("/").rstrip("/")
        try:
            send_reset_link.delay(email, origin, get_language() or "en")
        except OperationalError as away:
            raise StoreUnavailable("The queue cannot be reached") from away
        return show(request, "web/reset_sent.html", {"email": email})
    return show(request, "web/forgotten.html", {"form": form}, status=400 if form.errors else 200)


@page(methods=("GET", "POST"))
def reset(request: HttpRequest, visitor: Visitor | None, who: str, token: str) -> HttpResponse:
    """Set the new password; every login of the account ends."""
    del visitor
    throttles.check(request, "account")
    user = _user_of(who)
    if user is None or not default_token_generator.check_token(user, token):
        return show(request, "web/reset_dead.html", status=404)
    form = NewPasswordForm(posted(request))
    if request.method == "POST" and form.is_valid():
        new = form.cleaned_data["new_password"]
        try:
            validate_password(new, user)
        except ValidationError as weak:
            form.add_error("new_password", weak)
        else:
            with transaction.atomic():
                user.set_password(new)
                user.save(update_fields=["password"])
            messages.success(request, _("Your password is changed. Sign in with it."))
            return go(request, reverse("web:login"))
    answer = show(request, "web/reset.html", {"form": form}, status=400 if form.errors else 200)
    answer["Referrer-Policy"] = "no-referrer"  # the address is the secret
    return answer


def _user_of(who: str) -> User | None:
    try:
        number = int(urlsafe_base64_decode(who).decode())
    except (ValueError, UnicodeDecodeError, OverflowError):
        return None
    if not 0 < number < 2**63:
        return None
    return User.objects.filter(pk=number, is_active=True).first()
