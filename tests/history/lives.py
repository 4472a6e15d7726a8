"""The life of each hold as its clients saw it: when it was taken, and when it can have run out.

A deadline is told in the store's time, as seconds from the store's now. That now lies between
question and answer, so the client's clock gives an interval for the deadline:

    lock asked ....... lock answered
         |<-- lasts --> earliest         nobody may find the hold over before
                  |<-- lasts --> latest  everybody must find it over after, unless a confirm that
                                         began before keeps it: then no end can be told
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from tests.history.events import Call, History, Kind, moment

# The store's times are told in milliseconds; two clocks of one machine drift by less than this.
CLOCK_SLACK_SECONDS = 0.01
CLOCK_DRIFT = 0.001
PINS_NOTHING = {401, 403, 404, 413, 415, 422, 429}


@dataclass(frozen=True, kw_only=True)
class Life:
    """One hold. It was taken between `start` and `end`; it can run out from `earliest_over` to
    `latest_over`. `sleeps`: P2 slept while it lived. `number` names it in states.
    """

    number: int
    lock: Call
    start: float
    end: float
    earliest_over: float
    latest_over: float
    sleeps: bool

    @property
    def hold(self) -> str:
        return str(self.lock.answer["hold"])

    @property
    def seats(self) -> tuple[str, ...]:
        return tuple(self.lock.answer["seats"])


class Lives:
    """A history sorted by what each call is about."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.of_hold: dict[str, list[Call]] = defaultdict(list)
        self._twins: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
        for call in history.calls:
            if call.key:
                self._twins[call.client, call.kind, call.key].append(call)
        for call in history.calls:
            if name := call.hold or self.hold_of.get(call.pnr, ""):
                self.of_hold[name].append(call)

    @cached_property
    def hold_of(self) -> Mapping[str, str]:
        """PNR to hold, as confirmations said."""
        confirms = (call for call in self.history.calls if call.kind is Kind.CONFIRM)
        return {
            str(call.answer["pnr"]): call.hold for call in confirms if call.status in {200, 201}
        }

    def twins(self, call: Call) -> Sequence[Call]:
        """All calls that are the same request sent again (same key), this one too."""
        if not call.key:
            return (call,)
        return self._twins[call.client, call.kind, call.key]

    def first_of(self, call: Call) -> bool:
        """Whether no earlier twin was answered alike: of a repeat only one has the effect."""
        alike = [twin for twin in self.twins(call) if twin.status == call.status]
        return min(alike, key=lambda twin: twin.end) is call

    def asked(self, call: Call) -> float:
        """When it may first have had its effect: when its first twin was sent."""
        return min(twin.invoked for twin in self.twins(call))

    def is_lost(self, call: Call) -> bool:
        """It has no answer, and no twin of it has one; of lost twins only the first counts."""
        twins = self.twins(call)
        return all(twin.is_unknown for twin in twins) and twins[0] is call

    def lost_until(self, call: Call) -> float:
        """Until when a call without a clear answer may have its effect: if an error was answered,
        not much longer; if nothing was, for ever.
        """
        return max(twin.end for twin in self.twins(call)) + self.history.late_seconds

    @cached_property
    def numbers(self) -> Mapping[int, int]:
        """The place of each call in the history."""
        return {id(call): at for at, call in enumerate(self.history.calls)}

    @cached_property
    def lives(self) -> tuple[Life, ...]:
        """Every hold somebody was told of; one answered twice is one."""
        locks = [c for c in self.history.calls if c.kind is Kind.LOCK and c.status == 201]
        by_name: dict[tuple[str, int], list[Call]] = defaultdict(list)
        for lock in locks:
            by_name[lock.answer["hold"], lock.answer["fence"]].append(lock)
        return tuple(
            self._life(number, calls) for number, calls in enumerate(by_name.values(), start=1)
        )

    @cached_property
    def life_of(self) -> Mapping[str, Life]:
        """The last life of each hold id: an id is used again only if Redis forgot it."""
        return {life.hold: life for life in self.lives}

    def confirms(self, hold: str) -> Iterable[Call]:
        return (call for call in self.of_hold[hold] if call.kind is Kind.CONFIRM)

    def _life(self, number: int, locks: Sequence[Call]) -> Life:
        first = min(locks, key=lambda lock: lock.end)
        start = min(self.asked(lock) for lock in locks)
        told = [*locks, *(c for c in self.of_hold[first.answer["hold"]] if _moved(c))]
        last = max(told, key=lambda call: moment(call.answer["expires_at"]))
        began = start if last in locks else self.asked(last)
        latest = _latest(last)
        if self._may_live_on(str(first.answer["hold"]), latest):
            latest = inf
        return Life(
            number=number,
            lock=first,
            start=start,
            end=first.end,
            earliest_over=began + last.lasts_seconds - _slack(last),
            latest_over=latest,
            sleeps=self._sleeps(first, start, latest),
        )

    def over_before(self, life: Life, call: Call) -> float:
        """When the hold was over at the latest by what had been told before this call."""
        told = [each for each in self.of_hold[life.hold] if _moved(each) and each is not call]
        before = [life.lock, *(each for each in told if each.invoked <= call.end)]
        latest = max(_latest(each) for each in before)
        return inf if self._may_live_on(life.hold, latest) else latest

    def _may_live_on(self, hold: str, latest: float) -> bool:
        """Whether a confirm may have pinned it, or an extension nobody was told of moved it."""
        return any(
            call.invoked <= latest
            and (
                (call.kind is Kind.CONFIRM and call.status not in PINS_NOTHING)
                or (call.kind is Kind.EXTEND and call.is_unknown)
            )
            for call in self.of_hold[hold]
        )

    def _sleeps(self, lock: Call, start: float, latest: float) -> bool:
        ends = [call.end for call in self.of_hold[lock.answer["hold"]] if call.end < inf]
        until = max([lock.end, *ends, *([latest] if latest < inf else [])])
        return any(sleep.start <= until and start <= sleep.end for sleep in self.history.sleeps)


def _latest(told: Call) -> float:
    return told.end + told.lasts_seconds + _slack(told)


def _slack(told: Call) -> float:
    return CLOCK_SLACK_SECONDS + CLOCK_DRIFT * told.lasts_seconds


def _moved(call: Call) -> bool:
    return call.kind is Kind.EXTEND and call.status == 200
