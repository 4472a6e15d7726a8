"""A Redis that lives in this process, and the connection by which redis-py reaches it.

The client is the real one, with its pool, its retry and its pipelines; only the socket is not.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis
import redis.exceptions
from redis.connection import AbstractConnection, ConnectionPool

from tests.simulator.crossing import Crossing
from tests.simulator.lua import Lua, ScriptError, sha_of
from tests.simulator.redis_memory import run_command
from tests.simulator.redis_types import Memory

_lua = Lua()
AfterScript = Callable[[str], None]


class Server:
    """Memory, known scripts and `run_id` of one Redis. `after` is told each script that ran;
    nothing else changes a hold.
    """

    def __init__(self, clock: Callable[[], int], mark: Callable[[], str]) -> None:
        self.memory = Memory(clock)
        self.after: AfterScript = lambda _name: None
        self._scripts: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._mark = mark
        self._snapshots: list[Memory] = []
        self.run_id = mark()

    def name_script(self, text: str, name: str) -> None:
        """How a script is called in the trace and to `after`."""
        self._names[sha_of(text)] = name

    def execute(self, words: Sequence[bytes]) -> Any:
        """One command; an error is given as a value, as on the wire."""
        word = words[0].upper()
        try:
            if word in {b"EVALSHA", b"EVAL"}:
                return self._run_script(word, words)
            if word == b"SCRIPT":
                return self._about_scripts(words)
            if word == b"INFO":
                return f"redis_version:7.2.4\r\nrun_id:{self.run_id}\r\n".encode()
            answer = run_command(self.memory, words)
        except ScriptError as error:
            return redis.exceptions.ResponseError(str(error))
        return answer

    def describe(self, words: Sequence[bytes]) -> str:
        word = words[0].decode()
        if word.startswith("EVAL"):
            sha = words[1].decode() if word == "EVALSHA" else sha_of(words[1].decode())
            return self._names.get(sha, sha[:8])
        return " ".join([word, *(each.decode(errors="replace")[:40] for each in words[1:3])])

    # What may happen to it

    def flush(self) -> None:
        """All keys are gone; the server and the scripts it knows stay."""
        self.memory = Memory(self.memory.clock)

    def restart(self) -> None:
        """Another process with the same keys."""
        self._scripts.clear()
        self.run_id = self._mark()

    def remember(self) -> None:
        """Keep a copy of the memory that a failover may bring back."""
        self._snapshots = [*self._snapshots[-5:], self.memory.copied()]

    def fail_over(self, choose: Callable[[Sequence[Memory]], Memory]) -> bool:
        """Another server with an older memory takes over, if there is one."""
        if not self._snapshots:
            return False
        self.memory = choose(self._snapshots).copied()
        self.restart()
        return True

    def _run_script(self, word: bytes, words: Sequence[bytes]) -> Any:
        if word == b"EVAL":
            text = words[1].decode()
            self._scripts[sha_of(text)] = text
        known = self._scripts.get(words[1].decode() if word == b"EVALSHA" else sha_of(text))
        if known is None:
            return redis.exceptions.NoScriptError("No matching script.")
        count = int(words[2])
        answer = _lua.run(known, self.memory, words[3 : 3 + count], words[3 + count :])
        self.after(self._names.get(sha_of(known), "script"))
        return answer

    def _about_scripts(self, words: Sequence[bytes]) -> Any:
        if words[1].upper() == b"EXISTS":
            return [int(each.decode() in self._scripts) for each in words[2:]]
        text = words[2].decode()
        self._scripts[sha_of(text)] = text
        return sha_of(text).encode()


class SimulatedConnection(AbstractConnection):
    """One connection of the pool. What is sent is run at once, or lost; answers are read later."""

    def __init__(self, *, server: Server, crossing: Crossing, **options: Any) -> None:
        super().__init__(**options)
        self._server = server
        self._crossing = crossing
        self._answers: list[Any] = []
        self.host, self.port = "simulated", 0

    def repr_pieces(self) -> list[tuple[str, Any]]:
        return [("host", "simulated")]

    def connect(self) -> None:
        return

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        self._answers = []

    def can_read(self, timeout: float = 0) -> bool:
        del timeout
        return bool(self._answers)

    def pack_command(self, *args: Any) -> list[list[bytes]]:
        encode: Any = self.encoder.encode
        head, *rest = args
        words = [*str(head).split(), *rest] if isinstance(head, str) else [head, *rest]
        return [[encode(word) for word in words]]

    def pack_commands(self, commands: Any) -> list[list[bytes]]:
        return [packed for command in commands for packed in self.pack_command(*command)]

    def send_command(self, *args: Any, **kwargs: Any) -> None:
        del kwargs
        self.send_packed_command(self.pack_command(*args))

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        del check_health
        what = self._server.describe(command[0])
        if len(command) > 1:
            what = f"{what} and {len(command) - 1} more"
        run = partial(self._run, command)
        late = partial(self._run_late, command, self._server.run_id)
        self._answers = self._crossing.cross("redis", what, run, lost=self._lose, late=lambda: late)

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _lose(self, why: str) -> Exception:
        """A time-out, or a broken connection, which redis-py tries again at once."""
        chance = self._crossing.scheduler.chance
        errors = (redis.exceptions.TimeoutError, redis.exceptions.ConnectionError)
        return chance.choice(errors)(f"simulated: {why}")

    def _run(self, commands: Sequence[Sequence[bytes]]) -> list[Any]:
        """A pipeline is not one step: others may come in between, once."""
        scheduler = self._crossing.scheduler
        cut = scheduler.chance.randrange(len(commands)) if len(commands) > 1 else 0
        answers = []
        process = self._server.run_id
        for at, words in enumerate(commands):
            if cut and at == cut:
                scheduler.pause()
                if self._server.run_id != process:
                    raise redis.exceptions.ConnectionError("simulated: the server went")
            answers.append(self._server.execute(words))
        return answers

    def _run_late(self, commands: Sequence[Sequence[bytes]], process: str) -> list[Any]:
        """Nobody waits for the answer, nor hears that the server went before it or between two.
        What was under way to a server that went never comes to the next one.
        """
        if self._server.run_id != process:
            return [f"never came: {process} went"]
        try:
            return self._run(commands)
        except redis.exceptions.ConnectionError as went:
            return [went]


def client_of(server: Server, crossing: Crossing, retry: Any) -> "redis.Redis":
    """A client of redis-py on this server."""
    pool = ConnectionPool(
        connection_class=SimulatedConnection,
        server=server,
        crossing=crossing,
        retry=retry,
        protocol=2,
    )
    return redis.Redis(connection_pool=pool)
