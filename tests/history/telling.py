"""Histories told by hand, for the tests of the checker."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.history.events import Call, History, Kind, Route, Sleep, sort

BASE = datetime(2026, 12, 1, tzinfo=UTC)
ROUTE = Route(stops=tuple("ABCDE"), seats={"S1": "SL", "S2": "SL", "S3": "SL"})
TOOK = 0.02


class Story:
    """Calls one by one; `at` is when each is sent, in seconds. It is answered 20 ms later."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.sleeps: list[Sleep] = []
        self.late_seconds = 0.0
        self._fence = 0
        self._locks: dict[str, Call] = {}

    @property
    def history(self) -> History:
        return History(
            calls=sort(self.calls),
            routes={7: ROUTE},
            hold_ttl_seconds=180.0,
            hold_max_total_seconds=600.0,
            late_seconds=self.late_seconds,
            sleeps=tuple(self.sleeps),
        )

    def add(self, kind: Kind, at: float, **parts: Any) -> Call:
        """`told=None`: no answer. `took`: how long the answer took."""
        took = parts.pop("took", TOOK)
        status = parts.pop("told")
        call = Call(
            kind=kind,
            client=parts.pop("by", "anna"),
            invoked=at,
            returned=None if status is None else at + took,
            status=status,
            departure=7,
            **parts,
        )
        self.calls.append(call)
        return call

    def lock(self, at: float, hold: str, *seats: str, **parts: Any) -> Call:
        """A lock that got the seats; `got`: others than it named."""
        self._fence += 1
        lasts = parts.pop("lasts", 180.0)
        took = parts.get("took", TOOK)
        answer = {
            "hold": hold,
            "seats": list(parts.pop("got", seats)),
            "fence": parts.pop("fence", self._fence),
            **_times(at + took / 2, lasts),
        }
        call = self.add(
            Kind.LOCK, at, told=201, seats=seats, answer=answer,
            stretch=tuple(parts.pop("legs", "AC")), **parts,
        )  # fmt: skip
        self._locks[hold] = call
        return call

    def refused(self, at: float, *seats: str, **parts: Any) -> Call:
        """A lock by name that was told these seats are taken; `free`: it also named those."""
        asked = (*seats, *parts.pop("free", ()))
        answer = {"code": "seat-unavailable", "seats": list(seats)}
        return self.add(
            Kind.LOCK, at, told=409, seats=asked, answer=answer,
            stretch=tuple(parts.pop("legs", "AC")), **parts,
        )  # fmt: skip

    def extend(self, at: float, hold: str, lasts: float = 180.0, **parts: Any) -> Call:
        answer = {"hold": hold, **_times(at + TOOK / 2, lasts)}
        return self.add(Kind.EXTEND, at, told=200, hold=hold, answer=answer, **parts)

    def confirm(self, at: float, hold: str, told: int | None = 201, **parts: Any) -> Call:
        """A confirm of a hold told of before; 201 and 200 give `pnr` and `seats`."""
        answer: dict[str, Any] = {}
        if told in {200, 201}:
            answer = {
                "pnr": parts.pop("pnr", f"PNR-{hold}"),
                "status": "confirmed",
                "departure": 7,
                "seats": parts.pop("seats", self._locks[hold].answer["seats"]),
            }
        elif told == 410:
            answer = {"code": "hold-expired"}
        elif told == 409:
            answer = {"code": "seat-already-booked"}
        return self.add(Kind.CONFIRM, at, told=told, hold=hold, answer=answer, **parts)

    def release(self, at: float, hold: str, told: int | None = 204, **parts: Any) -> Call:
        return self.add(Kind.RELEASE, at, told=told, hold=hold, **parts)

    def cancel(self, at: float, hold: str, told: int | None = 200, **parts: Any) -> Call:
        answer = {"pnr": f"PNR-{hold}", "status": "cancelled"} if told == 200 else {}
        return self.add(Kind.CANCEL, at, told=told, pnr=f"PNR-{hold}", answer=answer, **parts)

    def show(self, at: float, hold: str, told: int = 200) -> Call:
        return self.add(Kind.SHOW_BOOKING, at, told=told, pnr=f"PNR-{hold}")

    def seat_map(self, at: float, legs: str = "AC", **status: str) -> Call:
        """A seat map; seats not named are not in it."""
        shown = [{"seat": seat, "status": word} for seat, word in status.items()]
        return self.add(
            Kind.SEATS, at, told=200, stretch=tuple(legs), answer={"seats": shown}, by="guest"
        )

    def sleep(self, start: float, end: float) -> None:
        self.sleeps.append(Sleep(start=start, end=end))


def _times(now: float, lasts: float) -> dict[str, str]:
    server = BASE + timedelta(milliseconds=round(now * 1000))
    return {"server_time": _told(server), "expires_at": _told(server + timedelta(seconds=lasts))}


def _told(moment: datetime) -> str:
    """As the API writes it: a whole second has no fraction, all others have six digits."""
    return moment.isoformat().replace("+00:00", "Z")
