"""Members: what a hold really is, as the scripts store it.

A member is one line of text, `hold user from-to taken_at_ms fence fare o=label,o=label`, kept in
the zsets `live` and `confirming` under its deadline. Its bytes never change while it lives; `o`
is the seat's ordinal, its place in the seat image. The fare is told in `fare_text`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from reservations.holds import fare_text
from reservations.holds.fare_text import HeldFare


@dataclass(frozen=True, slots=True)
class Member:
    """One hold. Times are milliseconds of the Redis clock; the stretch is [from_stop, to_stop).

    `fare` is for all seats, `fare_word` the same with its parts. `pinned`: a confirm is
    under way, it cannot expire now.
    """

    hold: str
    user: int
    from_stop: int
    to_stop: int
    taken_at_ms: int
    fence: int
    fare: Decimal
    ordinals: tuple[int, ...]
    labels: tuple[str, ...]
    deadline_ms: int
    pinned: bool = False
    fare_word: str = ""

    @property
    def held_fare(self) -> HeldFare:
        """The fare by seats and parts, as it was fixed when the seats were held."""
        return fare_text.read(self.fare_word or str(self.fare))

    @property
    def expires_at(self) -> datetime:
        return moment(self.deadline_ms)


def moment(milliseconds: int) -> datetime:
    """A time of the Redis clock as an aware datetime, to the millisecond, in UTC."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def seats_text(ordinals: tuple[int, ...], labels: tuple[str, ...]) -> str:
    """A group of seats as the lock script takes it: `12=S1-13,13=S1-14`."""
    return ",".join(f"{ordinal}={label}" for ordinal, label in zip(ordinals, labels, strict=True))


def parse(member: bytes | str, deadline_ms: int, *, pinned: bool = False) -> Member:
    """Read a member. Raises `ValueError` for one no script of ours wrote."""
    text = member.decode() if isinstance(member, bytes) else member
    hold, user, stretch, taken, fence, fare, seats = text.split(" ")
    from_stop, to_stop = stretch.split("-")
    pairs = [pair.split("=") for pair in seats.split(",")]
    return Member(
        hold=hold,
        user=int(user),
        from_stop=int(from_stop),
        to_stop=int(to_stop),
        taken_at_ms=int(taken),
        fence=int(fence),
        fare=Decimal(fare.partition("/")[0]),
        fare_word=fare,
        ordinals=tuple(int(ordinal) for ordinal, _ in pairs),
        labels=tuple(label for _, label in pairs),
        deadline_ms=deadline_ms,
        pinned=pinned,
    )
