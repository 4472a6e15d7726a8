"""The WSGI entry of the race tests' web server: the real application, with places to stop at."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from config.stores.redis import holds_store
from config.wsgi import application as real
from reservations.holds import scripts, store
from tests.engine import MOVABLE_CLOCK
from tests.race import hooks

_all_along = ExitStack()
_all_along.enter_context(hooks.installed())

for _path in scripts.LUA.glob("*.lua"):
    scripts.script(_path.stem).use(scripts.source(_path.stem, {"clock": MOVABLE_CLOCK}))
_real_now_ms = store.redis_now_ms
store.redis_now_ms = lambda: _real_now_ms() + int(holds_store().get("{0}:clock") or 0)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as Seatlock does, but stop, and leave guards out, as the request's headers say."""
    words = [environ.get(f"HTTP_TEST_{name}", "") for name in ("REQUEST", "STOP", "WITHOUT")]
    with hooks.asking(*words):
        answer: Iterable[bytes] = real(environ, start_response)
        return answer
