"""Who travels: the form of a hold, one passenger a seat, filled from saved travellers if wished."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from config import clock
from reservations.bookings.passengers import Passenger
from users.models import SavedTraveller
from web.visitor import Visitor

NAME_MAX: Final = 100
AGE_MAX: Final = 130
GENDERS: Final = {
    "female": gettext_noop("Female"),
    "male": gettext_noop("Male"),
    "other": gettext_noop("Other"),
}


@dataclass(frozen=True)
class Row:
    """One passenger's fields as they were typed, and what does not fit, by field."""

    at: int
    seat: str
    name: str = ""
    age: str = ""
    gender: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def passenger(self) -> Passenger:
        return Passenger(name=self.name, age=int(self.age), gender=self.gender or None)


def empty_rows(seats: Sequence[str], visitor: Visitor) -> list[Row]:
    """The first seat is for the visitor, if they told their name."""
    name = visitor.user.get_full_name()
    return [Row(at=at, seat=seat, name="" if at else name) for at, seat in enumerate(seats)]


def read_rows(seats: Sequence[str], said: Mapping[str, str], visitor: Visitor) -> list[Row]:
    """What was typed; a saved traveller fills what was left empty."""
    saved = {str(each.pk): each for each in travellers_of(visitor)}
    return [_read(at, seat, said, saved) for at, seat in enumerate(seats)]


def _read(at: int, seat: str, said: Mapping[str, str], saved: Mapping[str, SavedTraveller]) -> Row:
    known = saved.get(said.get(f"traveller-{at}", ""))
    name = said.get(f"name-{at}", "").strip() or (known.name if known else "")
    age = said.get(f"age-{at}", "").strip() or (age_of(known) if known else "")
    gender = said.get(f"gender-{at}", "") or (known.gender if known else "")
    return Row(
        at=at,
        seat=seat,
        name=name,
        age=age,
        gender=gender if gender in GENDERS else "",
        errors=_wrong(name, age),
    )


def _wrong(name: str, age: str) -> dict[str, str]:
    wrong = {}
    if not name:
        wrong["name"] = _("Type the passenger's name.")
    elif len(name) > NAME_MAX:
        wrong["name"] = _("At most %(most)s letters.") % {"most": NAME_MAX}
    if not (age.isascii() and age.isdigit() and len(age) < 4 and int(age) <= AGE_MAX):
        wrong["age"] = _("Type the age in years.")
    return wrong


def travellers_of(visitor: Visitor) -> list[SavedTraveller]:
    return list(SavedTraveller.objects.filter(owner=visitor.id).order_by("name", "pk"))


def age_of(traveller: SavedTraveller) -> str:
    """Today's age in years; "" without a birth date."""
    born = traveller.birth_date
    if born is None:
        return ""
    today = clock.now().date()
    return str(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))
