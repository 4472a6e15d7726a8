"""How passwords are kept: argon2id, with parameters that bound what a crowd of logins costs."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """OWASP's recommendation (19 MiB, two passes, one lane): some 20 ms of one core.

    Django's default (100 MiB, eight lanes, 100 ms of every core) lets a few dozen logins at once
    take the memory and the processors from the people who are booking.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
