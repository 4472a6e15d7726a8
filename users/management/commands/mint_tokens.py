"""Travellers and their access tokens, for load tests."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand

from config import clock
from users.minting import mint
from users.models import Login, User

BATCH = 1000
PREFIX = "load-"


class Command(BaseCommand):
    help = "Make N travellers without passwords and write an access token of each, one a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=100, help="how many (1 to 100000)")
        parser.add_argument("--output", type=Path, required=True, help="the file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        count = min(max(options["count"], 1), 100_000)
        output: Path = options["output"]
        # Tokens are keys: the file is its owner's from the first byte on.
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as lines:
            for start in range(1, count + 1, BATCH):
                names = [f"{PREFIX}{n:06}" for n in range(start, min(start + BATCH, count + 1))]
                lines.writelines(f"{token}\n" for token in _tokens(names))
        self.stdout.write(f"{count} tokens in {output}")


def _tokens(names: list[str]) -> list[str]:
    """Access tokens of new logins of these travellers, who are made if missing."""
    now = clock.now()
    User.objects.bulk_create(
        [
            User(
                username=name,
                email=f"{name}@example.org",
                password=make_password(None),
                date_joined=now,
            )
            for name in names
        ],
        ignore_conflicts=True,
    )
    logins, tokens = [], []
    for user in User.objects.filter(username__in=names).order_by("username"):
        sid = uuid4()
        pair = mint(user=user, sid=sid)
        tokens.append(pair.access)
        logins.append(
            Login(
                sid=sid,
                user=user,
                refresh_jti=pair.refresh_jti,
                created_at=now,
                expires_at=pair.expires_at,
            )
        )
    Login.objects.bulk_create(logins)
    return tokens
