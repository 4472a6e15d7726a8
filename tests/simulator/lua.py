"""The very `.lua` files, run by LuaJIT inside this process, over a `Memory`.

What the scripts find there is what Valkey gives them: `redis.call`, `cjson`, `struct`, `bit`,
`KEYS` and `ARGV`; no global may be made. One runtime a process: scripts keep nothing between two
calls.
"""

import hashlib
import json
import re
import struct
from collections.abc import Sequence
from typing import Any, Final

from lupa import luajit21 as lupa

from tests.simulator.redis_memory import run_command
from tests.simulator.redis_types import Memory, Status

# The globals are as they are: a script that made one would be an error in Valkey too.
_SET_UP: Final = b"""
local call, encode, decode, pack, unpack_ = ...
redis = {call = call}
cjson = {encode = encode, decode = decode}
struct = {pack = pack, unpack = unpack_}
KEYS, ARGV = false, false
setmetatable(_G, {
  __newindex = function(_, name) error('script made the global ' .. tostring(name)) end,
  __index = function(_, name) error('script read the global ' .. tostring(name)) end,
})
return function(script, keys, argv)
  rawset(_G, 'KEYS', keys)
  rawset(_G, 'ARGV', argv)
  return script()
end
"""
_ESCAPED: Final = re.compile(rb'["\\/\x00-\x1f\x7f]')
_SHORT: Final = dict(zip(b'"\\/\b\f\n\r\t', '"\\/bfnrt', strict=True))


class ScriptError(Exception):
    """A script raised, or called a command that failed."""


class Lua:
    """Compiled scripts by hash, and the memory they work on just now."""

    def __init__(self) -> None:
        self._lua: Any = lupa.LuaRuntime(
            encoding=None, unpack_returned_tuples=True, register_eval=False
        )
        set_up = self._lua.compile(_SET_UP)
        self._run = set_up(self._call, self._encode, self._decode, self._pack, self._unpack)
        self._compiled: dict[str, Any] = {}
        self._memory: Memory | None = None
        self._false = False

    def run(self, text: str, memory: Memory, keys: Sequence[bytes], argv: Sequence[bytes]) -> Any:
        """The script's answer, as a client would get it. Raises `ScriptError`."""
        script = self._compiled.get(text)
        if script is None:
            # What follows `#!` is for Valkey; Lua would not read it.
            plain = "--" + text if text.startswith("#!lua") else text
            script = self._compiled[text] = self._lua.compile(plain.encode())
        self._memory = memory
        try:
            return _reply(self._run(script, self._lua.table_from(keys), self._lua.table_from(argv)))
        except lupa.LuaError as error:
            raise ScriptError(str(error)) from error

    # What scripts call

    def _call(self, *words: Any) -> Any:
        assert self._memory is not None
        return self._to_lua(run_command(self._memory, [_word(each) for each in words]))

    def _to_lua(self, reply: Any) -> Any:
        if reply is None:
            return False
        if isinstance(reply, list):
            return self._lua.table_from([self._to_lua(each) for each in reply])
        if isinstance(reply, Status):
            return self._lua.table_from({b"ok": bytes(reply)})
        return reply

    def _encode(self, value: Any) -> bytes:
        return _json(value).encode("latin-1")

    def _decode(self, text: bytes) -> Any:
        return self._from_json(json.loads(text))

    def _from_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, list):
            return self._lua.table_from([self._from_json(each) for each in value])
        assert isinstance(value, int | float | bool), value
        return value

    @staticmethod
    def _pack(form: bytes, *values: float) -> bytes:
        return struct.pack(_form(form), *(int(value) for value in values))

    @staticmethod
    def _unpack(form: bytes, data: bytes, at: int = 1) -> tuple[int, ...]:
        layout = struct.Struct(_form(form))
        return (*layout.unpack_from(data, int(at) - 1), int(at) + layout.size)


def sha_of(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _form(form: bytes) -> str:
    return form.decode().replace("I4", "I")


def _word(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        raise ScriptError("Lua redis lib command arguments must be strings or integers")
    return b"%d" % int(value) if float(value).is_integer() else b"%.17g" % value


def _reply(value: Any) -> Any:
    """A script's value as the client sees it: a table ends at its first nil."""
    if lupa.lua_type(value) == "table":
        found: list[Any] = []
        while (each := value[len(found) + 1]) is not None:
            found.append(_reply(each))
        return found
    if value is True:
        return 1
    if value is None or value is False:
        return None
    return value if isinstance(value, bytes) else int(value)


def _json(value: Any) -> str:
    """As cjson writes it: bytes as they are but for what must be escaped, and `/`."""
    if isinstance(value, bytes):
        return '"' + _ESCAPED.sub(_escape, value).decode("latin-1") + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.14g}"
    assert lupa.lua_type(value) == "table", value
    length = len(value)
    assert length, "an empty table: cjson and we would differ"
    return "[" + ",".join(_json(value[at]) for at in range(1, length + 1)) + "]"


def _escape(match: "re.Match[bytes]") -> bytes:
    code = match.group()[0]
    short = _SHORT.get(code)
    return f"\\{short}".encode() if short else b"\\u%04x" % code
