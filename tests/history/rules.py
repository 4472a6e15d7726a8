"""What must hold between answers, whatever the order on the seats. Each rule gives its faults."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final

from tests.history.events import Call, Kind, moment
from tests.history.lives import Life, Lives

Rule = Callable[[Lives], Iterator[str]]
SLACK_SECONDS: Final = 0.002


def a_lock_gives_what_was_asked(lives: Lives) -> Iterator[str]:
    """All seats named, or so many as were counted, of the class, none twice (P3)."""
    for life in lives.lives:
        got, asked = life.seats, life.lock.seats
        classes = lives.history.routes[life.lock.departure].seats
        wrong_class = life.lock.travel_class and any(
            classes[seat] != life.lock.travel_class for seat in got
        )
        if (
            len(set(got)) != len(got)
            or (asked and sorted(got) != sorted(asked))
            or (not asked and len(got) != life.lock.count)
            or wrong_class
        ):
            yield f"{life.lock} got {','.join(got)}"


def fences_grow(lives: Lives) -> Iterator[str]:
    """A hold taken after another was answered has the greater fence; none is given twice."""
    by_departure: dict[int, list[Life]] = defaultdict(list)
    for life in lives.lives:
        by_departure[life.lock.departure].append(life)
    for found in by_departure.values():
        fences = [_fence(life) for life in found]
        if len(set(fences)) != len(fences):
            yield f"a fence of departure {found[0].lock.departure} was given twice"
        answered = sorted(found, key=lambda life: life.end)
        greatest, at = 0, 0
        for life in sorted(found, key=lambda life: life.start):
            while at < len(answered) and answered[at].end < life.start:
                greatest = max(greatest, _fence(answered[at]))
                at += 1
            if _fence(life) <= greatest:
                yield f"{life.lock} has fence {_fence(life)}, after {greatest} was given"


def a_repeat_gets_the_first_answer(lives: Lives) -> Iterator[str]:
    """Same user, key and request: the same status and the same essence (P5)."""
    seen: set[tuple[str, str, str]] = set()
    for call in lives.history.calls:
        name = (call.client, str(call.kind), call.key)
        if not call.key or name in seen or _asleep(lives, lives.twins(call)):
            continue
        seen.add(name)
        told = {(twin.status, _essence(twin)) for twin in lives.twins(call) if _is_kept(twin)}
        if len(told) > 1:
            yield f"{call} and its repeats were answered {len(told)} ways"


def a_hold_is_one_booking(lives: Lives) -> Iterator[str]:
    """One PNR a hold, one hold a PNR, and only one call made it (P5)."""
    pnrs: dict[str, set[str]] = defaultdict(set)
    made: dict[str, set[str]] = defaultdict(set)
    holds: dict[str, set[str]] = defaultdict(set)
    for at, call in enumerate(lives.history.calls):
        if call.kind is Kind.CONFIRM and call.status in {200, 201}:
            pnrs[call.hold].add(call.answer["pnr"])
            holds[call.answer["pnr"]].add(call.hold)
            if call.status == 201:
                made[call.hold].add(call.key or f"call {at}")
    yield from (f"hold {hold} has PNRs {found}" for hold, found in pnrs.items() if len(found) > 1)
    yield from (f"PNR {pnr} is of {found}" for pnr, found in holds.items() if len(found) > 1)
    yield from (
        f"hold {hold} was booked anew {len(found)} times"
        for hold, found in made.items()
        if len(found) > 1
    )


def a_booking_is_its_hold(lives: Lives) -> Iterator[str]:
    """Same departure, seats and fare as the hold (P3)."""
    for call in lives.history.calls:
        life = lives.life_of.get(call.hold)
        if call.kind is not Kind.CONFIRM or call.status not in {200, 201} or life is None:
            continue
        booked = (call.answer["departure"], sorted(call.answer["seats"]))
        if booked != (life.lock.departure, sorted(life.seats)):
            yield f"{call} booked {booked[1]}, held were {sorted(life.seats)}"


def over_is_over(lives: Lives) -> Iterator[str]:
    """Nothing is confirmed, extended or shown that had run out or was released before (P7),
    also not with a capability after Redis lost its memory (rule 10).
    """
    for life in lives.lives:
        calls = lives.of_hold[life.hold]
        released = min(
            (call.end for call in calls if call.kind is Kind.RELEASE and call.status == 204),
            default=inf,
        )
        booked = [
            lives.asked(call)
            for call in calls
            if call.kind is Kind.CONFIRM and (call.status in {200, 201} or call.is_unknown)
        ]
        for call in calls:
            over = min(released, life.latest_over)
            news = call.kind in {Kind.EXTEND, Kind.SHOW_HOLD} and call.status == 200
            if call.kind is Kind.CONFIRM and call.status == 201:
                news = not call.replayed
            elif call.kind is Kind.CONFIRM and call.status == 200:
                news = min(booked) > over
            if call.kind is Kind.EXTEND:
                over = min(released, lives.over_before(life, call))
            if news and lives.asked(call) > over:
                yield f"{call}, and the hold was over"


def an_extension_never_shortens(lives: Lives) -> Iterator[str]:
    """Later told, later over; and never past the cap."""
    for life in lives.lives:
        moves = [call for call in lives.of_hold[life.hold] if call.kind is Kind.EXTEND]
        told = [life.lock, *(call for call in moves if call.status == 200)]
        taken_at = moment(life.lock.answer["server_time"])
        for call in told:
            before = [each for each in told if each.end < call.invoked]
            if any(_over_at(each) > _over_at(call) + SLACK_SECONDS for each in before):
                yield f"{call} shortened the hold"
            if _over_at(call) > taken_at + lives.history.hold_max_total_seconds + SLACK_SECONDS:
                yield f"{call} passed the cap"
            if _over_at(call) <= moment(call.answer["server_time"]) - SLACK_SECONDS:
                yield f"{call} was over when it was answered"


def a_booking_is_not_lost(lives: Lives) -> Iterator[str]:
    """A PNR that was answered is found from then on (P4)."""
    born: dict[str, float] = {}
    for call in lives.history.calls:
        if call.kind is Kind.CONFIRM and call.status in {200, 201}:
            pnr = str(call.answer["pnr"])
            born[pnr] = min(born.get(pnr, inf), call.end)
    for call in lives.history.calls:
        about = call.kind in {Kind.SHOW_BOOKING, Kind.CANCEL}
        if about and call.status == 404 and born.get(call.pnr, inf) < call.invoked:
            yield f"{call}, and the booking had been answered"
    for hold, calls in lives.of_hold.items():
        booked = min((born.get(str(c.answer.get("pnr")), inf) for c in calls), default=inf)
        for call in calls:
            if call.kind is Kind.CONFIRM and call.status == 410 and booked < call.invoked:
                yield f"{call}, and hold {hold} was booked"


def too_few_means_too_few(lives: Lives) -> Iterator[str]:
    """Not refused for want of seats while enough of them were free all the time."""
    claims = _claims(lives)
    for call in lives.history.calls:
        if call.kind is not Kind.LOCK or call.code != "not-enough-seats":
            continue
        if call.replayed or _asleep(lives, [call]):
            continue
        route = lives.history.routes[call.departure]
        legs = route.legs(call.stretch)
        free: dict[str, int] = defaultdict(int)
        for seat, travel_class in route.seats.items():
            if call.travel_class in {None, travel_class} and not any(
                start <= call.end
                and lives.asked(call) <= end
                and max(legs.start, taken.start) < min(legs.stop, taken.stop)
                for start, end, taken in claims[call.departure, seat]
            ):
                free[travel_class] += 1
        if max(free.values(), default=0) >= call.count:
            yield f"{call}, and {max(free.values())} were free all the time"


def _claims(lives: Lives) -> Mapping[tuple[int, str], Sequence[tuple[float, float, range]]]:
    """For each seat of a departure from when to when, at most, somebody may have had which legs."""
    claims = defaultdict(list)
    for life in lives.lives:
        departure = life.lock.departure
        legs = lives.history.routes[departure].legs(life.lock.stretch)
        for seat in life.seats:
            claims[departure, seat].append((life.start, _surely_over(lives, life), legs))
    for call in lives.history.calls:
        if call.kind is Kind.LOCK and lives.is_lost(call):
            route = lives.history.routes[call.departure]
            for seat in call.seats or route.seats:
                claims[call.departure, seat].append((call.invoked, inf, route.legs(call.stretch)))
    return claims


def _surely_over(lives: Lives, life: Life) -> float:
    """When at the latest its seats were free again."""
    calls = lives.of_hold[life.hold]
    ends = [life.latest_over]
    for call in calls:
        if call.kind is Kind.RELEASE and call.status == 204:
            ends.append(call.end)
        if call.kind is Kind.CANCEL and call.status == 200:
            ends.append(call.end + lives.history.late_seconds)
    return min(ends)


def _asleep(lives: Lives, calls: Sequence[Call]) -> bool:
    first = min(call.invoked for call in calls)
    last = max(call.end for call in calls)
    late = lives.history.late_seconds
    return any(s.start <= last and first <= s.end + late for s in lives.history.sleeps)


def _is_kept(call: Call) -> bool:
    """Whether the answer is one that a repeat must get again."""
    if call.is_unknown or call.code in {"idempotency-in-flight", "idempotency-key-reused"}:
        return False
    return call.status is not None and (call.status < 300 or call.status in {409, 410, 422})


def _essence(call: Call) -> str:
    parts: dict[str, Any] = {
        name: call.answer.get(name) for name in ("code", "hold", "pnr", "seats", "fence", "status")
    }
    return repr(parts)


def _fence(life: Life) -> int:
    return int(life.lock.answer["fence"])


def _over_at(call: Call) -> float:
    return moment(call.answer["expires_at"])


RULES: Final[Sequence[Rule]] = (
    a_lock_gives_what_was_asked,
    fences_grow,
    a_repeat_gets_the_first_answer,
    a_hold_is_one_booking,
    a_booking_is_its_hold,
    over_is_over,
    an_extension_never_shortens,
    a_booking_is_not_lost,
    too_few_means_too_few,
)
