"""Refusals in the words of a traveller, in the language of the page.

The services' own texts are for developers and in English; here each condition has a sentence that
says what happened and what can be done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from config.errors import SeatlockError


@dataclass(frozen=True)
class Told:
    """What a page says of a refusal: a heading and a sentence; messages by form field."""

    title: str
    text: str
    code: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)


def tell(error: SeatlockError) -> Told:
    """The refusal in words."""
    title, text = _SENTENCES.get(error.code, _internal)(error.data)
    return Told(title=title, text=text, code=error.code, errors=_fields(error.data.get("errors")))


def _fields(errors: Any) -> dict[str, list[str]]:
    """Messages of the layers below that `web.words` knows are translated, others stay."""
    return {
        name: [_(message) if message else "" for message in messages]
        for name, messages in (errors or {}).items()
    }


def _taken(data: dict[str, Any]) -> tuple[str, str]:
    seats = ", ".join(data.get("seats", ()))
    return (
        _("Somebody was faster"),
        ngettext(
            "Seat %(seats)s was taken a moment ago.",
            "Seats %(seats)s were taken a moment ago.",
            len(data.get("seats", ())),
        )
        % {"seats": seats},
    )


def _too_few(data: dict[str, Any]) -> tuple[str, str]:
    free = int(data.get("free", 0))
    if free == 0:
        return _("Sold out"), _("No seat is free on this stretch. Another class may have some.")
    said = ngettext(
        "Only %(free)s seat is free. Ask for fewer, or look at another class.",
        "Only %(free)s seats are free. Ask for fewer, or look at another class.",
        free,
    )
    return _("Not enough seats"), said % {"free": free}


def _limit(data: dict[str, Any]) -> tuple[str, str]:
    limit = data.get("limit", "")
    return (
        _("That is as much as we allow"),
        _("A limit is reached: %(limit)s. Finish or release what you hold first.")
        % {"limit": limit},
    )


def _throttled(data: dict[str, Any]) -> tuple[str, str]:
    seconds = int(data.get("retry_after_seconds", 1))
    said = ngettext(
        "Please wait %(seconds)s second and try again.",
        "Please wait %(seconds)s seconds and try again.",
        seconds,
    )
    return _("One moment"), said % {"seconds": seconds}


def _forbidden(data: dict[str, Any]) -> tuple[str, str]:
    if "right" in data:
        return (
            _("This is not yours to do"),
            _("Your account has no right to this. Ask whoever gives the roles."),
        )
    return (
        _("This page was open for too long"),
        _("To be safe we refused the click. Go back, reload the page and try again."),
    )


def _internal(data: dict[str, Any]) -> tuple[str, str]:
    del data
    return (
        _("Something went wrong on our side"),
        _("Nothing was booked by this click. Please try again in a moment."),
    )


def _plain(title: str, text: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    """Two marked texts, translated when they are shown."""
    return lambda _data: (_(title), _(text))


_SENTENCES: Final[dict[str, Callable[[dict[str, Any]], tuple[str, str]]]] = {
    "seat-unavailable": _taken,
    "seat-already-booked": _taken,
    "not-enough-seats": _too_few,
    "limit-reached": _limit,
    "throttled": _throttled,
    "forbidden": _forbidden,
    "internal": _internal,
    "not-found": _plain(
        gettext_noop("There is nothing here"),
        gettext_noop("The address may be mistyped, or what was here is gone."),
    ),
    "not-on-sale": _plain(
        gettext_noop("Not on sale"),
        gettext_noop(
            "This departure cannot be booked now: it has left, is closed, or is not open yet."
        ),
    ),
    "hold-expired": _plain(
        gettext_noop("Your time ran out"),
        gettext_noop("The seats you held are free again. Pick them anew, they may still be there."),
    ),
    "illegal-state": _plain(
        gettext_noop("That is not possible any more"),
        gettext_noop("It was changed meanwhile. Look at it again."),
    ),
    "payment-required": _plain(
        gettext_noop("Payment comes first"),
        gettext_noop("Pay for these seats, then they are yours."),
    ),
    "not-authenticated": _plain(
        gettext_noop("That did not fit"),
        gettext_noop("No account has this name and this password."),
    ),
    "invalid": _plain(
        gettext_noop("Please look again"), gettext_noop("Something in the form does not fit yet.")
    ),
    "too-large": _plain(
        gettext_noop("That is too much"), gettext_noop("The form holds more than we can take.")
    ),
    "unavailable": _plain(
        gettext_noop("We cannot be reached just now"),
        gettext_noop("Nothing was lost. Please try again in a moment."),
    ),
    "method-not-allowed": _plain(
        gettext_noop("There is nothing here"),
        gettext_noop("The address may be mistyped, or what was here is gone."),
    ),
}
