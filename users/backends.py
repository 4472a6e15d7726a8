"""How staff get into Django's admin: like everybody else, with the same limits and facts."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from config.errors import Throttled
from config.http import throttles
from config.http.addresses import UNKNOWN, client_address
from config.outbox.facts import append
from users import facts
from users.models import User
from users.services.recognise import recognise


class AccountBackend(ModelBackend):
    """Username or e-mail. Raises `PermissionDenied`, which Django shows as a failed login, to
    whoever tries too often.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        del kwargs
        if not username or password is None:
            return None
        if request is not None:
            try:
                throttles.check(request, "login", subject=username.lower())
            except Throttled as too_often:
                raise PermissionDenied(too_often.detail) from too_often
        user, may_come_in = recognise(name=username, password=password)
        if may_come_in:
            return user
        address = UNKNOWN if request is None else client_address(request)
        append(facts.login_failed(None if user is None else user.pk, address))
        return None
