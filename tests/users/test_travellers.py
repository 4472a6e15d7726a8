"""Saved travellers: their account's alone, bounded, and deleted for good."""

from datetime import timedelta
from typing import Any

import pytest

from config import clock
from config.idempotency.models import IdempotencyKey
from users.models import SavedTraveller, User
from users.services.travellers import TRAVELLERS_MAX

from .api import Api, code_of, log_in, new_user

ASHA = {"name": "आशा Rao", "birth_date": "1994-05-17", "berth_preference": "lower"}
PATH = "auth/travellers/"


def save(api: Api, **said: Any) -> Any:
    return api.post(PATH, {**ASHA, **said})


def test_a_traveller_is_saved_listed_shown_changed_and_deleted(api: Api) -> None:
    made = save(api)
    assert made.status_code == 201
    asha = made.json()
    assert {name: asha[name] for name in ASHA} == ASHA
    today = clock.now().date()
    assert asha["age"] == today.year - 1994 - ((today.month, today.day) < (5, 17))
    assert api.get(PATH).json()["results"] == [asha]
    one = f"{PATH}{asha['id']}/"
    assert api.patch(one, {"gender": "female"}).json() == {**asha, "gender": "female"}
    assert api.get(one).json()["gender"] == "female"
    assert [api.call("DELETE", one).status_code for _ in range(2)] == [204, 204]
    assert code_of(api.get(one)) == (404, "not-found")


def test_a_traveller_of_another_looks_absent(api: Api, user: User) -> None:
    one = f"{PATH}{save(api).json()['id']}/"
    other = Api(log_in(new_user())["access"])
    assert other.get(PATH).json()["count"] == 0
    assert code_of(other.get(one)) == code_of(other.patch(one, {"name": "X"})) == (404, "not-found")
    assert other.call("DELETE", one).status_code == 204
    assert other.call("DELETE", PATH).status_code == 204
    assert SavedTraveller.objects.get().name == ASHA["name"]
    assert code_of(Api().get(PATH)) == (401, "not-authenticated")


def test_an_account_saves_so_many_and_no_more(api: Api, user: User) -> None:
    SavedTraveller.objects.bulk_create(
        SavedTraveller(owner=user, name=f"T{n}") for n in range(TRAVELLERS_MAX - 1)
    )
    assert save(api).status_code == 201
    refused = save(api)
    assert code_of(refused) == (422, "limit-reached")
    assert refused.json()["limit"] == TRAVELLERS_MAX
    assert api.call("DELETE", PATH).status_code == 204
    assert save(api).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": 7},
        {"name": "x" * 101},
        {"birth_date": "1780-01-01"},
        {"birth_date": (clock.now() + timedelta(days=2)).date().isoformat()},
        {"berth_preference": "roof"},
    ],
)
def test_what_describes_nobody_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    answer = save(api, **wrong)
    assert code_of(answer) == (400, "invalid")
    assert answer.json()["errors"].keys() == wrong.keys()


def test_a_deleted_travellers_name_is_in_no_answer_kept_for_a_key(api: Api, user: User) -> None:
    said = {**ASHA}
    first = api.post(PATH, said, **{"Idempotency-Key": "one"})
    assert api.post(PATH, said, **{"Idempotency-Key": "one"}).json() == first.json()
    assert IdempotencyKey.objects.count() == 1
    api.call("DELETE", f"{PATH}{first.json()['id']}/")
    assert not IdempotencyKey.objects.exists()
