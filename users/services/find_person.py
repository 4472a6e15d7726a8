"""Who a person is: accounts, and guests, who may be many rows of one e-mail."""

from django.db.models import Q
from django.db.models.functions import Lower

from users.models import GuestClaim, User


def find_person(name: str) -> list[User]:
    """Every account and guest of this username or e-mail, and of the e-mails these have."""
    found = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name))
    emails = {email.lower() for email in found.values_list("email", flat=True) if email}
    everybody = User.objects.alias(mail=Lower("email")).filter(
        Q(pk__in=found.values("pk")) | Q(mail__in=emails)
    )
    return list(everybody.order_by("pk"))


def erase_guest(guest: User) -> None:
    """Forget how a guest is reached; his short token ends. His bookings stay, without a name."""
    GuestClaim.objects.filter(email__iexact=guest.email).delete()
    guest.email = guest.phone_number = guest.first_name = guest.last_name = ""
    guest.is_active = False
    guest.save(update_fields=["email", "phone_number", "first_name", "last_name", "is_active"])
