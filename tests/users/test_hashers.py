"""A crowd of logins: only so many of a process compute the hash of a password at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from users import hashers
from users.hashers import AT_ONCE, BoundedArgon2PasswordHasher

Ask = Callable[[BoundedArgon2PasswordHasher], Any]
WAYS = pytest.mark.parametrize(
    "ask", [lambda h: h.verify("secret", "kept"), lambda h: h.encode("secret", "saltsalt")]
)


def meet(monkeypatch: pytest.MonkeyPatch, ask: Ask, number: int) -> bool:
    """Ask that many times at once; were all of them at work at the same time?"""
    all_at_work = Barrier(number, timeout=1.0)

    def work(*_: Any) -> bool:
        try:
            all_at_work.wait()
        except BrokenBarrierError:
            return False
        return True

    monkeypatch.setattr(Argon2PasswordHasher, "verify", work)
    monkeypatch.setattr(Argon2PasswordHasher, "encode", work)
    with ThreadPoolExecutor(number) as pool:
        return all(pool.map(lambda _: ask(BoundedArgon2PasswordHasher()), range(number)))


@WAYS
def test_so_many_hash_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    assert meet(monkeypatch, ask, AT_ONCE)
    assert not meet(monkeypatch, ask, AT_ONCE + 1)


@WAYS
def test_without_turns_all_would(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setattr(hashers, "_turns", nullcontext())
    assert meet(monkeypatch, ask, AT_ONCE + 1)
