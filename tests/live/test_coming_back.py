"""Who was away comes back: the socket, the process, or Redis."""

import pytest
from websockets.exceptions import ConnectionClosed

from config.stores.redis import holds_store
from tests.engine import Traveller
from tests.live.selling import confirm, lock, release
from tests.live.server import Live, live_server
from tests.stores import OwnStore, until_answered
from trains.models import Departure


def test_a_socket_goes_on_where_it_was(live: Live, departure: Departure, anna: Traveller) -> None:
    with live.watch(departure.id) as stays, live.watch(departure.id) as watcher:
        stays.next()
        watcher.next()
        held = lock(anna, departure, "S1-1")
        watcher.until("S1-1", "held")
        stays.until("S1-1", "held")
        watcher.socket.close()
        release(anna, held)
        stays.until("S1-1", "free")
        lock(anna, departure, "S1-2")
        stays.until("S1-2", "held")
        with live.watch(departure.id, stream=watcher.stream, seq=watcher.seq) as back:
            back.seats, back.stream = watcher.seats, watcher.stream
            assert back.next()["type"] == "resumed"
            assert back.seq == watcher.seq
            back.until("S1-2", "held")
    assert [message["type"] for message in back.told if message["type"] != "heartbeat"] == [
        "resumed",
        "seats",
        "seats",
    ]
    assert back.seats == stays.seats
    assert back.seq == stays.seq


def test_what_changed_while_nobody_watched_is_one_change(
    live: Live, departure: Departure, anna: Traveller
) -> None:
    with live.watch(departure.id) as watcher:
        watcher.next()
    confirm(anna, lock(anna, departure, "S1-1"))
    with live.watch(departure.id, stream=watcher.stream, seq=watcher.seq) as back:
        assert back.next()["type"] == "resumed"
        assert back.next("seats")["changes"] == [{"seat": "S1-1", "status": "sold"}]


@pytest.mark.parametrize(("stream", "seq"), [("another", 1), ("", 1), ("same", 99), ("same", 0)])
def test_who_was_somewhere_else_gets_a_snapshot(
    live: Live, departure: Departure, stream: str, seq: int
) -> None:
    with live.watch(departure.id) as watcher:
        watcher.next()
        stream = watcher.stream if stream == "same" else stream
        with live.watch(departure.id, stream=stream, seq=seq) as back:
            assert back.next()["type"] == "snapshot"


def test_a_process_that_was_killed_is_another_one_and_an_orderly_end_is_told(
    departure: Departure, anna: Traveller
) -> None:
    with live_server() as live:
        with live.watch(departure.id) as watcher:
            watcher.next()
            live.kill()
            with pytest.raises(ConnectionClosed):
                watcher.next()
        lock(anna, departure, "S1-1")
        live.start()
        with live.watch(departure.id, stream=watcher.stream, seq=watcher.seq) as back:
            assert back.next()["type"] == "snapshot"
            assert back.status("S1-1") == "held"
            assert back.stream != watcher.stream
            live.stop()
            with pytest.raises(ConnectionClosed) as closed:
                back.next()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012


def test_redis_away_and_back(
    own_holds: OwnStore, departure: Departure, anna: Traveller, bela: Traveller
) -> None:
    """The last picture stays, marked old; then comes a new one, and changes as before."""
    with live_server(REDIS_URL=own_holds.url) as live:
        lock(anna, departure, "S1-1")
        with live.watch(departure.id) as watcher:
            watcher.next()
            own_holds.stop()
            assert watcher.next("stale", "snapshot")["type"] == "stale"
            assert watcher.status("S1-1") == "held"
            with live.watch(departure.id, destination="BBB") as newcomer:
                assert newcomer.next()["stale"] is True
                own_holds.start()
                assert watcher.next("snapshot")["stale"] is False
                assert newcomer.next("snapshot")["stale"] is False
                assert newcomer.status("S1-1") == watcher.status("S1-1") == "held"
            until_answered(holds_store().ping)  # our own process may have found it away, too
            lock(bela, departure, "S1-2")
            watcher.until("S1-2", "held")
