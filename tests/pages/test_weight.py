"""Landing and seat map come in less than 100 KB, compressed, with all that belongs to them."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from tests.availability import railway
from tests.pages.visiting import Visit, read

pytestmark = pytest.mark.django_db

MOST_BYTES = 100_000


def test_the_landing_page_is_light(stranger: Visit) -> None:
    assert weight(stranger.get("/")) < MOST_BYTES


def test_a_coach_of_72_in_a_train_of_24_is_light(stranger: Visit) -> None:
    coaches = [(f"S{number}", "SL", 72) for number in range(1, 25)]
    long_train = railway.departure(railway.train(coaches=coaches))
    page = stranger.get(f"/departures/{long_train.pk}/")
    assert page.content.count(b"data-seat=") == 72
    assert weight(page) < MOST_BYTES


def weight(page: Any) -> int:
    """The page and the files it names, each compressed, in bytes."""
    files = [
        address
        for tag, attrs in read(page).tags
        if tag in {"script", "link", "img"}
        and (address := attrs.get("src") or attrs.get("href") or "").startswith("/static/")
    ]
    assert len(files) >= 4
    return sum(map(_compressed, [page.content, *map(_content, files)]))


def _content(address: str) -> bytes:
    found = finders.find(address.removeprefix("/static/"))
    assert isinstance(found, str), address
    return Path(found).read_bytes()


def _compressed(content: bytes) -> int:
    return len(gzip.compress(content, 6))
