"""How passwords are kept: argon2id, with parameters that bound what a crowd of logins costs."""

from threading import BoundedSemaphore
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE: Final = 4
_turns = BoundedSemaphore(AT_ONCE)


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """OWASP's recommendation (19 MiB, two passes, one lane): some 20 ms of one core.

    Django's default (100 MiB, eight lanes, 100 ms of every core) lets a few dozen logins at once
    take the memory and the processors from the people who are booking. For the same reason only
    AT_ONCE threads of a process work at it at once: 76 MiB, and more would not be done sooner.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turns:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turns:
            return super().verify(password, encoded)
