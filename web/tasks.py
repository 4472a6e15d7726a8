"""What the pages leave to a worker."""

from celery import shared_task
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import override

from users.models import User


@shared_task
def send_reset_link(email: str, origin: str, language: str) -> None:
    """Mail the link to whoever has this address and may come in; nobody: nothing."""
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None or not user.has_usable_password():
        return
    who = urlsafe_base64_encode(force_bytes(user.pk))
    with override(language):
        path = reverse("web:reset", args=[who, default_token_generator.make_token(user)])
        text = render_to_string("web/mail/reset.txt", {"user": user, "url": f"{origin}{path}"})
        send_mail(_("A new password for Seatlock"), text, None, [user.email])
