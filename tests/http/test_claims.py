"""Whose an `Idempotency-Key` is before anything is done, and the kept answers of locks."""

import pytest
from django.http import HttpResponse

from config.errors import IdempotencyKeyReused, NotFound, SeatlockError, StoreUnavailable
from config.idempotency.claims import claim, claimed, given_back
from reservations.api import kept_answers

pytestmark = pytest.mark.usefixtures("empty_redis")

PRINT = "f" * 64


class Gone(SeatlockError):
    code = "hold-expired"


def test_a_claim_is_given_back_by_its_own_request_alone() -> None:
    """The other's stands in Redis, which was away when this one claimed."""
    other, mine = {"fingerprint": "e" * 64}, {"fingerprint": PRINT}
    claim(user_id=1, key="k", **other)
    with pytest.raises(NotFound), given_back(user_id=1, key="k", **mine):
        raise NotFound
    with pytest.raises(IdempotencyKeyReused):
        claim(user_id=1, key="k", **mine)
    with pytest.raises(NotFound), given_back(user_id=1, key="k", **other):
        raise NotFound
    claim(user_id=1, key="k", **mine)


@pytest.mark.parametrize("error", [Gone("over"), StoreUnavailable("away"), RuntimeError()])
def test_what_began_keeps_its_key(error: Exception) -> None:
    with (
        pytest.raises(type(error)),
        claimed(user_id=1, key="k", fingerprint=PRINT),
    ):
        raise error
    with pytest.raises(IdempotencyKeyReused):
        claim(user_id=1, key="k", fingerprint="e" * 64)


def test_of_two_answers_to_a_lock_the_first_is_kept() -> None:
    """Both requests found none, and both had the script's answer."""
    name = "answer"
    assert kept_answers.keep(name, HttpResponse(b"first", status=201)) is None
    second = kept_answers.keep(name, HttpResponse(b"second", status=201))
    assert second is not None
    assert kept_answers.keep(name, HttpResponse(b"third", status=201)) == second
    assert b"first" in second


def test_a_lock_that_found_a_store_away_may_be_answered_otherwise_later() -> None:
    def away() -> HttpResponse:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        kept_answers.once("h", 1, away)
    later = kept_answers.once("h", 1, lambda: HttpResponse(b"held", status=201))
    assert (later.status_code, later.content) == (201, b"held")
