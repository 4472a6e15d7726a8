"""Names that the layers below keep in English, for people: classes, berths, parts of a fare.

Each is marked for translation here; `web.told` and the template filters look them up at run time.
A class that a feed or staff brought is shown under its own code.
"""

from typing import Final

from django.utils.translation import gettext, gettext_noop

from trains.classes import class_name as class_name_in_english

_CLASSES: Final = frozenset(
    {
        gettext_noop("First AC"),
        gettext_noop("Executive chair car"),
        gettext_noop("AC 2-tier sleeper"),
        gettext_noop("AC 3-tier sleeper"),
        gettext_noop("AC 3-tier economy"),
        gettext_noop("AC chair car"),
        gettext_noop("Sleeper"),
        gettext_noop("Second sitting"),
        gettext_noop("General"),
        gettext_noop("Bus berth"),
        gettext_noop("Bus seat"),
    }
)
_POSITIONS: Final = {
    "window": gettext_noop("window"),
    "middle": gettext_noop("middle"),
    "aisle": gettext_noop("aisle"),
    "lower": gettext_noop("lower"),
    "upper": gettext_noop("upper"),
    "side-lower": gettext_noop("side lower"),
    "side-middle": gettext_noop("side middle"),
    "side-upper": gettext_noop("side upper"),
}
_STATUSES: Final = {
    "free": gettext_noop("free"),
    "held": gettext_noop("held by somebody"),
    "sold": gettext_noop("sold"),
    "blocked": gettext_noop("not for sale"),
    "mine": gettext_noop("held by you"),
}
_PARTS: Final = {
    "base": gettext_noop("Base fare"),
    "distance": gettext_noop("Distance"),
    "reservation": gettext_noop("Reservation"),
    "superfast": gettext_noop("Superfast"),
    "concession": gettext_noop("Concession"),
    "tax": gettext_noop("Tax"),
}
_ENTRY_STATES: Final = {
    "waiting": gettext_noop("waiting"),
    "offered": gettext_noop("seats are held for you"),
    "confirmed": gettext_noop("booked"),
    "lapsed": gettext_noop("over"),
    "left": gettext_noop("left by you"),
}
_RULES: Final = {
    "full": gettext_noop("This early everything comes back."),
    "quarter-kept": gettext_noop("A quarter of the fare is kept."),
    "half-kept": gettext_noop("Half of the fare is kept."),
    "none": gettext_noop("So close to departure nothing comes back."),
    "departed": gettext_noop("The train has left: nothing comes back."),
    "no-rule": gettext_noop("No rule gives anything back for this journey."),
    "staff": gettext_noop("Our staff decided it."),
    "no-seat": gettext_noop("There was no seat left for you: everything comes back."),
    "departure-cancelled": gettext_noop("The departure was cancelled: everything comes back."),
}
_REFUND_STATES: Final = {
    "none": gettext_noop("came back"),
    "by-hand": gettext_noop("are given back where you paid"),
    "due": gettext_noop("are on their way back"),
    "pending": gettext_noop("are on their way back"),
    "done": gettext_noop("were given back"),
    "failed": gettext_noop("could not be sent back yet; our staff look after it"),
}
_RESEATING_STATES: Final = {
    "proposed": gettext_noop("open"),
    "done": gettext_noop("done"),
    "dropped": gettext_noop("dropped"),
}
_SHORT_POSITIONS: Final = {
    "lower": "L",
    "middle": "M",
    "upper": "U",
    "side-lower": "SL",
    "side-middle": "SM",
    "side-upper": "SU",
    "window": "W",
}
# What the services say; `web.told` translates it by this text.
FROM_BELOW: Final = (
    gettext_noop("An account with this e-mail exists already."),
    gettext_noop("This username is taken."),
    gettext_noop("A username with @ in it must be your own e-mail address."),
    gettext_noop("This is not your password."),
    gettext_noop("No seat is lost: nobody has to move."),
)


def class_name(code: str) -> str:
    name = class_name_in_english(code)
    return gettext(name) if name in _CLASSES else name


def position_name(position: str) -> str:
    """Where a seat is, in words; "" where nobody knows."""
    name = _POSITIONS.get(position)
    return gettext(name) if name else ""


def position_mark(position: str) -> str:
    """The one or two letters painted on a berth."""
    return _SHORT_POSITIONS.get(position, "")


def status_name(status: str) -> str:
    return gettext(_STATUSES[status])


def entry_state(state: str) -> str:
    """What became of somebody's place on a waitlist."""
    return gettext(_ENTRY_STATES[state])


def reseating_state(state: str) -> str:
    """How a plan of other seats stands."""
    return gettext(_RESEATING_STATES[state])


def rule_name(code: str) -> str:
    """Why so much comes back; staff may write rules of their own, whose codes speak."""
    name = _RULES.get(code)
    return gettext(name) if name else code


def refund_state(status: str) -> str:
    """How a refund stands, as the end of a sentence that begins with its amount."""
    return gettext(_REFUND_STATES[status])


def part_name(part: str) -> str:
    name = _PARTS.get(part)
    return gettext(name) if name else part
