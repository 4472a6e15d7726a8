"""Each call of a history as the actions on seats that its answer speaks of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from tests.history import seats
from tests.history.events import Call, Kind, Route
from tests.history.linearize import Action
from tests.history.lives import Life, Lives
from tests.history.seats import Place, Scope, State, Step


def actions_on(lives: Lives, departure: int, wanted: tuple[str, ...]) -> list[Action[State]]:
    """What happened to these seats of a departure; the state is that of `Scope(wanted, …)`."""
    route = lives.history.routes[departure]
    return list(_Actions(lives, departure, route, Scope(wanted, len(route.stops) - 1)))


@dataclass(frozen=True)
class _Actions:
    lives: Lives
    departure: int
    route: Route
    scope: Scope

    def __iter__(self) -> Iterator[Action[State]]:
        for life in self.lives.lives:
            if life.lock.departure != self.departure:
                continue
            place = self.scope.place(life.seats, self.route.legs(life.lock.stretch))
            if place.at:
                yield from self._of_life(life, place)
        for call in self.lives.history.calls:
            if call.departure != self.departure:
                continue
            if call.kind is Kind.LOCK:
                yield from self._of_lock(call)
            elif call.kind is Kind.SEATS and call.status == 200 and not call.answer.get("stale"):
                yield from self._of_map(call)

    def _of_life(self, life: Life, place: Place) -> Iterator[Action[State]]:
        take = seats.take_asleep if life.sleeps else seats.take
        taken = Action(
            what=str(life.lock),
            start=life.start,
            end=life.end,
            step=take(place, life.number),
            # Where all is sold it changes nothing; had the booking been cancelled first, it would.
            may_wait=life.sleeps,
        )
        yield taken
        gone = seats.let_go(place, life.number)
        calls = self.lives.of_hold[life.hold]
        if not any(call.kind is Kind.CONFIRM and call.status in {200, 201} for call in calls):
            yield Action(
                what=f"end of {life.hold[-8:]}",
                start=life.earliest_over,
                end=life.latest_over,
                step=gone,
                optional=life.latest_over == inf,
                after=taken,
            )
        if life.sleeps:
            for sleep in self.lives.history.sleeps:
                yield Action(
                    what="loss", start=sleep.start, end=sleep.end, step=gone, optional=True,
                    after=taken,
                )  # fmt: skip
        if life is self.lives.life_of[life.hold]:
            for call in calls:
                # A cancelled booking's seats may come free one by one: whoever refreshes one of
                # them in between sees its row gone. All or none is promised to who takes them.
                parts = place.seat_by_seat if call.kind is Kind.CANCEL else (place,)
                for part in parts:
                    yield from self._of_call(call, life, part, taken)

    def _of_call(
        self, call: Call, life: Life, place: Place, taken: Action[State]
    ) -> Iterator[Action[State]]:
        """What one call about a hold, or about its booking, did or saw."""
        step = self._effect(call, life, place)
        if step is not None:
            late = self.lives.history.late_seconds if call.kind is Kind.CANCEL else 0.0
            if self.lives.is_lost(call):
                yield Action(
                    what=str(call), start=call.invoked, end=self.lives.lost_until(call), step=step,
                    optional=True, after=taken,
                )  # fmt: skip
            elif not call.is_unknown and self.lives.first_of(call):
                yield Action(
                    what=str(call), start=self.lives.asked(call), end=call.end + late, step=step,
                    after=taken,
                )  # fmt: skip
            return
        look = self._sight(call, life, place)
        if look is not None and not call.replayed:
            yield Action(what=str(call), start=call.invoked, end=call.end, step=look, after=taken)

    def _effect(self, call: Call, life: Life, place: Place) -> Step | None:
        """How the call changes the state, if it does or may do so."""
        counts = call.is_unknown
        match call.kind:
            case Kind.CONFIRM if counts or call.status == 201:
                sell = seats.sell_asleep if life.sleeps else seats.sell
                return sell(place, life.number)
            case Kind.CONFIRM if call.code == "seat-already-booked":
                gone = seats.let_go if life.sleeps else seats.lose
                return gone(place, life.number)
            case Kind.RELEASE if counts or call.status == 204:
                return seats.let_go(place, life.number)
            case Kind.CANCEL if counts or call.status == 200:
                return seats.give_back(place, life.number)
        return None

    def _sight(self, call: Call, life: Life, place: Place) -> Step | None:
        """What the answer says of the state."""
        number = life.number
        is_sold = call.answer.get("status") == "confirmed"
        match call.kind, call.status:
            case ((Kind.CONFIRM | Kind.SHOW_BOOKING), 200) if is_sold:
                return seats.see(place, lambda owners: all(each == -number for each in owners))
            case _ if life.sleeps:
                return None
            case ((Kind.EXTEND | Kind.SHOW_HOLD), 200):
                return seats.see(place, lambda owners: all(each == number for each in owners))
            case Kind.EXTEND, 422:
                return seats.see(place, lambda owners: all(each == number for each in owners))
            case Kind.CONFIRM, 410:
                return seats.see(place, lambda owners: not any(abs(o) == number for o in owners))
            case ((Kind.EXTEND | Kind.SHOW_HOLD), 410):
                return seats.see(place, lambda owners: not any(each == number for each in owners))
        return None

    def _of_lock(self, call: Call) -> Iterator[Action[State]]:
        if self.lives.is_lost(call):
            yield from self._lost_lock(call)
        elif call.code == "seat-unavailable" and not call.replayed:
            taken = set(call.answer["seats"])
            yield from self._look(
                call, taken=taken, free=set(call.seats) - taken, start=self.lives.asked(call)
            )

    def _lost_lock(self, call: Call) -> Iterator[Action[State]]:
        """Nobody was told of its hold, so it can only run out. Of a lock by number nobody can tell
        the seats either: it may have taken any.
        """
        legs = self.route.legs(call.stretch)
        for at, seat in enumerate(self.scope.seats):
            if call.seats and seat not in call.seats:
                continue
            place = self.scope.place((seat,), legs)
            number = 1_000_000 + self.lives.numbers[id(call)] * 1_000 + at
            taken = Action(
                what=str(call), start=call.invoked, end=self.lives.lost_until(call),
                step=seats.take(place, number), optional=True,
            )  # fmt: skip
            yield taken
            yield Action(
                what="end of a lost lock",
                start=call.invoked + self.lives.history.hold_ttl_seconds,
                end=inf,
                step=seats.let_go(place, number),
                optional=True,
                after=taken,
            )

    def _of_map(self, call: Call) -> Iterator[Action[State]]:
        shown = {each["seat"]: each["status"] for each in call.answer["seats"]}
        yield from self._look(
            call,
            taken={seat for seat, status in shown.items() if status not in {"free", "blocked"}},
            free={seat for seat, status in shown.items() if status == "free"},
            start=call.invoked,
        )

    def _look(
        self, call: Call, *, taken: Iterable[str], free: Iterable[str], start: float
    ) -> Iterator[Action[State]]:
        legs = self.route.legs(call.stretch)
        late = self.lives.history.late_seconds
        if any(
            sleep.start <= call.end and start <= sleep.end + late
            for sleep in self.lives.history.sleeps
        ):
            return  # a confirm may be taking again what Redis forgot
        places = [self.scope.place((seat,), legs) for seat in taken]
        of_free = self.scope.place(free, legs)
        places = [place for place in places if place.at]
        if places or of_free.at:
            yield Action(
                what=str(call), start=start, end=call.end, step=seats.see_taken(places, of_free)
            )
