"""Why somebody of the staff does something: asked for each time, kept in the audit trail."""

from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.errors import Invalid

REASON_LEAST: Final = 3
REASON_MOST: Final = 200


def asked_reason(request: HttpRequest, *, least: int = 1) -> str:
    """The form's `reason`. Raises `Invalid`."""
    reason = request.POST.get("reason", "").strip()
    if not least <= len(reason) <= REASON_MOST:
        raise Invalid(
            {"reason": [_("Say why, in at most %(most)s characters.") % {"most": REASON_MOST}]}
        )
    return reason
