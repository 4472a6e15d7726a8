"""Who may open a socket, how many, and who is put out again."""

import json
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rest_framework_simplejwt.tokens import AccessToken
from websockets.exceptions import ConnectionClosed, InvalidStatus

from config import clock
from reservations.holds import store
from tests.availability import railway
from tests.engine import Traveller
from tests.live.conftest import STOPS
from tests.live.server import DEADLINE_SECONDS, Live, Watcher, live_server
from trains.models import Departure
from users.services.end_logins import end_logins


def refusal(live: Live, departure: int, **more: Any) -> tuple[int, str]:
    """The status and the problem's code that a handshake is refused with."""
    with pytest.raises(InvalidStatus) as refused, live.watch(departure, **more):
        pass
    answer = refused.value.response
    return answer.status_code, json.loads(answer.body or b"{}")["code"]


def closing_code(watcher: Watcher) -> int:
    with suppress(ConnectionClosed):
        while True:
            watcher.next()
    code = watcher.socket.close_code
    assert code is not None
    return code


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"]
)
def test_a_foreign_page_may_not_listen(live: Live, departure: Departure, origin: str) -> None:
    assert refusal(live, departure.id, headers={"Origin": origin}) == (403, "forbidden")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "https://localhost"])
def test_a_page_of_ours_may(live: Live, departure: Departure, origin: str) -> None:
    with live.watch(departure.id, headers={"Origin": origin}) as watcher:
        assert watcher.next()["type"] == "snapshot"


def test_what_is_not_there_is_refused_with_a_problem(live: Live, departure: Departure) -> None:
    assert refusal(live, departure.id + 1_000_000) == (404, "not-found")
    assert refusal(live, departure.id, source="EEE", destination="AAA") == (400, "invalid")
    assert refusal(live, departure.id, source="ZZZ") == (400, "invalid")


@pytest.fixture(scope="module")
def narrow(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    """A process that lets few in, and cuts off soon who does not read."""
    limits = {"LIVE_MAX_PER_ADDRESS": "3", "LIVE_MAX_PER_USER": "2", "LIVE_MAX_SOCKETS": "5"}
    with django_db_blocker.unblock():
        settings = {"THROTTLES": "on", "LIVE_SLOW_SECONDS": "1", **limits}
        with live_server(**settings) as live:
            yield live


def identify(watcher: Watcher, who: Traveller) -> None:
    """Say whose this socket is, and wait until it counts."""
    say_token(watcher, who)
    watcher.next("identified")


def say_token(watcher: Watcher, who: Traveller) -> None:
    watcher.socket.send(json.dumps({"type": "token", "access": who.access}))


def test_an_address_has_a_limit_a_user_another_and_all_together_a_third(
    narrow: Live, departure: Departure, anna: Traveller, bela: Traveller
) -> None:
    with ExitStack() as stack:

        def watch(**more: Any) -> Watcher:
            watcher = stack.enter_context(narrow.watch(departure.id, **more))
            watcher.next()
            return watcher

        first = watch()
        watch()
        watch()
        assert refusal(narrow, departure.id) == (429, "throttled")
        identify(first, anna)  # from now on it counts for her
        watch()
        watch(headers={"Authorization": f"Bearer {bela.access}"})
        assert refusal(narrow, departure.id) == (429, "throttled")
    # All have left: their places are free again.
    until_accepted(narrow, departure)
    with ExitStack() as stack:
        bearer = {"Authorization": f"Bearer {anna.access}"}
        for _ in range(2):
            stack.enter_context(narrow.watch(departure.id, headers=bearer))
        third = stack.enter_context(narrow.watch(departure.id))
        say_token(third, anna)
        assert closing_code(third) == 4429


def until_accepted(live: Live, departure: Departure) -> None:
    """The server may need a moment to see that sockets were closed."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "seatlock_live_sockets 0.0" not in live.metrics():
        assert time.monotonic() < deadline, "sockets that were closed still count"
        time.sleep(0.02)


def test_a_login_that_ends_closes_its_sockets(
    live: Live, departure: Departure, anna: Traveller, bela: Traveller
) -> None:
    with live.watch(departure.id) as hers, live.watch(departure.id) as his:
        identify(hers, anna)
        identify(his, bela)
        end_logins(user_id=anna.user.pk, reason="logout")
        assert closing_code(hers) == 4401
        identify(his, bela)  # his goes on


def test_a_socket_lives_no_longer_than_the_latest_token_it_showed(
    live: Live, departure: Departure, anna: Traveller, bela: Traveller
) -> None:
    with live.watch(departure.id) as hers, live.watch(departure.id) as his:
        identify(hers, short_lived(anna))
        identify(his, short_lived(bela))
        identify(his, bela)
        assert closing_code(hers) == 4401
        identify(his, bela)


def short_lived(who: Traveller) -> Traveller:
    token = AccessToken(who.access)  # type: ignore[arg-type]  # text is what it reads
    token.set_exp(from_time=clock.now(), lifetime=timedelta(seconds=3))
    return replace(who, access=str(token))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('{"type": "token", "access": "no token"}', 4401),
        ('{"type": "hello"}', 4400),
        ("not JSON", 4400),
    ],
)
def test_nonsense_closes_the_socket(live: Live, departure: Departure, said: str, code: int) -> None:
    with live.watch(departure.id) as watcher:
        watcher.socket.send(said)
        assert closing_code(watcher) == code


def test_a_bad_token_in_the_handshake_is_refused(live: Live, departure: Departure) -> None:
    headers = {"Authorization": "Bearer nonsense"}
    assert refusal(live, departure.id, headers=headers) == (401, "not-authenticated")


def test_a_reader_that_does_not_read_is_cut_off_and_others_go_on(
    narrow: Live, transactional_db: None, empty_redis: None
) -> None:
    """It gets what the buffers hold, and then nothing is kept for it."""
    coaches = [(f"C{n}", "CC", 78) for n in range(1, 9)]
    train = railway.train("20202", stops=STOPS, coaches=coaches)
    departure = railway.departure(train).id
    deaf = sockets.socket()
    deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", narrow.port))
    deaf.sendall(
        f"GET /ws/departures/{departure}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: c2VhdGxvY2tzZWF0bG9jaw==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    with deaf, narrow.watch(departure) as watcher:
        watcher.next()
        deadline = time.monotonic() + DEADLINE_SECONDS
        turn = 0
        while 'seatlock_live_dropped_total{reason="too-slow"} 1.0' not in narrow.metrics():
            assert time.monotonic() < deadline, "nobody was dropped"
            turn += 1
            flip_all(departure, seats=8 * 78, sold=bool(turn % 2))
            watcher.until("C1-1", "sold" if turn % 2 else "free")
        assert_is_cut(deaf)


def flip_all(departure: int, *, seats: int, sold: bool) -> None:
    """Make every seat sold, or free again, as a refresh would: the longest message there is."""
    from reservations.availability.plans import plan_of

    plan = plan_of(departure)
    begun = store.refresh_begin({departure: 1}, scope="all", ref=None)[departure]
    bits = (0b1111).to_bytes(4, "little")
    both = bits + bytes(4) if sold else bytes(4) + bits
    changes = b"".join(at.to_bytes(4, "little") + both for at in range(seats))
    correction = store.Correction(
        epoch=begun.epoch, scope="all", changes=changes, revision=plan.revision, blocked=b""
    )
    store.refresh_end({departure: correction})


def assert_is_cut(deaf: sockets.socket) -> None:
    """What was in the buffers comes, and then the end or a reset, but no more than the buffers."""
    deaf.settimeout(DEADLINE_SECONDS)
    read = 0
    try:
        while data := deaf.recv(65536):
            read += len(data)
    except ConnectionResetError:
        pass
    assert read < 1_000_000
