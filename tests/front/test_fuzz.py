"""Nonsense at every call: refused with a problem document, never a 500, and nothing changed."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import Traveller
from tests.front.calls import calls
from tests.front.state import everything
from trains.models import Departure
from users.minting import mint
from users.models import Login

pytestmark = pytest.mark.django_db

CALLS: Final = calls()
NAMELESS: Final = {"register", "login", "refresh"}
SEEDED: Final = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def unthrottled(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many requests would meet the limits, which have tests of their own."""
    off = django_settings.ENV.model_copy(update={"throttles": "off"})
    monkeypatch.setattr(django_settings, "ENV", off)


@pytest.fixture
def unchanged(
    anna: Traveller, bela: Traveller, controller: Traveller, departure: Departure
) -> Iterator[None]:
    """There is a hold and a booking, and they are still there, and nothing else, afterwards."""
    wish = {"departure": departure.pk, "source": "AAA", "destination": "CCC", "count": 1}
    hold = anna.post("reservations/lock/", wish).json()["hold"]
    assert anna.post("reservations/confirm/", {"hold": hold}).status_code == 201
    assert anna.post("reservations/lock/", wish).status_code == 201
    before = everything()
    yield
    assert everything() == before


def is_a_problem(answer: Any, *statuses: int) -> None:
    """A refusal as the contract has it, with nothing of our insides."""
    assert answer.status_code in statuses, (answer.status_code, answer.content[:500])
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert json.loads(answer.content)["status"] == answer.status_code
    assert b"Traceback" not in answer.content


def part(value: Any) -> str:
    said = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()


def claimed(who: Traveller, **changed: Any) -> dict[str, Any]:
    """The claims of a good token of this person, but for what is changed; None leaves it out."""
    said = {
        "sub": str(who.user.pk),
        "sid": who.sid,
        "staff": True,
        "jti": uuid4().hex,
        "token_type": "access",
        "iat": int(time.time()),
        "exp": int(time.time()) + 600,
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


def tokens(who: Traveller) -> dict[str, str]:
    """Bad tokens by what is wrong with them. The person is real, the login is on."""
    key = django_settings.SECRET_KEY
    good = jwt.encode(claimed(who), key, "HS256")
    head, body, signature = good.split(".")
    wrong_types: dict[str, list[Any]] = {
        "sub": ["x", [], {}, True, 1.5, "\u0661", "1e3", "-1", "9" * 30],
        "sid": [[], {}, "", "x", "' OR 1=1 --", "\0", "\ud800", "*"],
        "token_type": ["Access", "refresh", [], 1],
        "exp": ["soon", [], "1e400", True],
    }
    found = {
        "of another algorithm": jwt.encode(claimed(who), key, "HS512"),
        "unsigned": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "unsigned in capitals": f"{part({'alg': 'NONE'})}.{body}.{signature}",
        "of another key": jwt.encode(claimed(who), "another key, as long as it need be", "HS256"),
        "that says RS256": f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "with a key in its head": jwt.encode(
            claimed(who), "mine", "HS256", headers={"jwk": {"kty": "oct", "k": part(b"mine")}}
        ),
        "with a key's address": jwt.encode(
            claimed(who), "mine", "HS256", headers={"kid": "../../dev/null", "jku": "http://x/"}
        ),
        "expired": jwt.encode(claimed(who, exp=int(time.time()) - 1), key, "HS256"),
        "cut": good[:-3],
        "without signature": f"{head}.{body}",
        "of one part": head,
        "of five parts": ".".join([head] * 5),
        "with another body": f"{head}.{part(claimed(who, sub='1'))}.{signature}",
        "with a body of no object": f"{head}.{part([])}.{signature}",
        "of dots": "...",
        "of nothing": "%20",
        "giant": good + "A" * 5_000,
        "of letters beyond ASCII": "ключ.ключ.ключ",
        "of bytes": part(bytes(range(256))),
        "to refresh with": mint(user=who.user, sid=Login.objects.get(sid=who.sid).pk).refresh,
    }
    for claim in ("sub", "sid", "staff", "jti", "token_type", "exp"):
        found[f"without {claim}"] = jwt.encode(claimed(who, **{claim: None}), key, "HS256")
    for claim, values in wrong_types.items():
        for value in values:
            said = part(json.dumps(claimed(who, **{claim: value})).encode())
            unsigned = f"{head}.{said}"
            mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
            sign = part(mac.sign(unsigned.encode(), key.encode()))
            found[f"{claim} is {value!r}"] = f"{unsigned}.{sign}"
    return found


@pytest.mark.usefixtures("unchanged")
def test_no_call_takes_a_bad_token(anna: Traveller) -> None:
    """Those that read an access token; the other three are how one comes to have one."""
    for what, token in tokens(anna).items():
        # The header as a server hands it on: bytes, one a character.
        client = Client(HTTP_AUTHORIZATION=f"Bearer {token}".encode().decode("latin-1"))
        for call in CALLS:
            if call.name not in NAMELESS:
                answer = call.send(client, b"{}")
                assert answer.status_code == 401, (what, call.name, answer.content)
                is_a_problem(answer, 401)


@pytest.mark.usefixtures("unchanged")
def test_no_call_takes_another_header() -> None:
    headers = ["", "Bearer", "Bearer ", "Basic eDp4", "Bearer a b", "Bearer a, Bearer b", "\x7f"]
    for header in (*headers, "Token x", "x" * 10_000):
        client = Client(HTTP_AUTHORIZATION=header)
        for call in CALLS:
            if call.name not in NAMELESS:
                is_a_problem(call.send(client, b"{}"), 401)


BODIES: Final[dict[str, bytes]] = {
    "an array": b"[]",
    "an array of objects": b'[{"a": 1}]',
    "a string": b'"text"',
    "a number": b"7",
    "null": b"null",
    "cut": b'{"a": ',
    "two": b"{}{}",
    "a comment": b'{} // "a"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "beyond a float": b'{"a": 1e999}',
    "beyond 64 bits": b'{"a": 9223372036854775808}',
    "many digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "half a pair": b'{"a": "\\ud800"}',
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "deep arrays": b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"a": ' * 5_000 + b"1" + b"}" * 5_000,
    "deep and cut": b"[" * 100_000,
    "single quotes": b"{'a': 1}",
    "a form": b"a=1&b=2",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a megabyte": b'{"a": "' + b"x" * 1_000_000 + b'"}',
    "NUL bytes": b"\0" * 100,
}


@pytest.mark.usefixtures("unchanged")
def test_no_call_takes_such_a_body(controller: Traveller) -> None:
    """As somebody who may make every call; its path may name nothing, which may be told first."""
    for what, body in BODIES.items():
        for call in CALLS:
            # Members that are not known are nothing to a change of the profile.
            if call.body is not None and call.name != "change_profile":
                answer = call.send(controller.client, body)
                assert answer.status_code in {400, 404, 413}, (what, call.name, answer.content)
                is_a_problem(answer, 400, 404, 413)


@SEEDED
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    )
)
def test_any_json_is_answered(body: Any, controller: Traveller, departure: Departure) -> None:
    """Made-up documents, and the same as the value of every member that a call knows."""
    for call in CALLS:
        if call.body is not None:
            for document in (body, dict.fromkeys(call.body.get("properties", {}), body)):
                sent = json.dumps(document).encode("utf-8", "surrogatepass")
                answer = call.send(controller.client, sent)
                assert answer.status_code < 500, (call.name, sent)


@pytest.mark.usefixtures("unchanged")
def test_no_call_takes_another_type(anna: Traveller) -> None:
    kinds = ["text/plain", "application/xml", "multipart/form-data; boundary=x", "", "/", "json"]
    kinds += ["a" * 999, "application/x-www-form-urlencoded", "application/json, text/html", "*/*"]
    for kind in kinds:
        for call in CALLS:
            if call.body is not None:
                answer = call.send(anna.client, b'{"a": 1}', content_type=kind)
                assert answer.status_code in {400, 403, 404, 415}, (kind, call.name)
                is_a_problem(answer, 400, 401, 403, 404, 415)


HEADERS: Final = [
    ("Accept", "text/html"),
    ("Accept", "application/xml;q=1"),
    ("Accept", "////"),
    ("Accept-Encoding", "br;q=1.0, gzip;q=x, *;q=0"),
    ("Accept-Language", "x" * 5_000),
    ("Idempotency-Key", ""),
    ("Idempotency-Key", '"'),
    ("Idempotency-Key", "\x80"),
    ("Idempotency-Key", "k" * 256),
    ("Idempotency-Key", 'a"; DROP TABLE'),
    ("Range", "bytes=0-1"),
    ("If-Match", "*"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Forwarded-For", "' OR 1=1"),
    ("X-Forwarded-Host", "evil.example"),
    ("Cookie", "sessionid=" + "x" * 4_000),
    ("Origin", "null"),
]


@pytest.mark.usefixtures("unchanged")
def test_odd_headers_change_nothing(bela: Traveller) -> None:
    for name, value in HEADERS:
        client = Client(headers={"Authorization": f"Bearer {bela.access}", name: value})
        for call in CALLS:
            if call.name in {"change_profile", "erase_passengers"}:
                continue  # what is sent here is a request to them
            answer = call.send(client, b"{}")
            assert answer.status_code < 500, (name, call.name, answer.content)
            assert b"evil.example" not in answer.content


ODD: Final = (
    *("\0", "%00", "%", "%ff", "..", "../../etc/passwd", "a/b", "a\\b", "x" * 5_000, "-1", "0"),
    *("9223372036854775808", "1" * 400, "\u0661\u0662", "1e9", "+1", " ", "\r\nX: y", "\u202e"),
    *("{$gt: ''}", "' OR '1'='1", "*", "?", "#", ";", "~", "null", "NaN", "true", "{}", "[]"),
)


@pytest.mark.usefixtures("unchanged")
def test_odd_paths_lead_nowhere(controller: Traveller) -> None:
    """As they are written, and escaped once more."""
    for odd in ODD:
        for text in (quote(odd, safe=""), quote(quote(odd, safe=""), safe="")):
            for call in CALLS:
                if call.path_names:
                    path = dict.fromkeys(call.path_names, text)
                    answer = call.send(controller.client, b"{}", **path)
                    if call.method == "DELETE" and answer.status_code == 204:
                        continue  # what is not there is deleted as it is; nothing changed
                    assert answer.status_code in {400, 404, 405}, (odd, call.name, answer.content)
                    is_a_problem(answer, 400, 404, 405)


@pytest.mark.usefixtures("unchanged")
def test_odd_queries_are_answered(controller: Traveller) -> None:
    """In every parameter there is, one at a time, and under names with dollars."""
    for call in CALLS:
        if call.method != "GET":
            continue
        for name in (*call.query_names, *(f"{each}[$gt]" for each in call.query_names[:1])):
            for odd in ODD:
                answer = call.send(controller.client, query=f"{quote(name)}={quote(odd, safe='')}")
                assert answer.status_code < 500, (call.name, name, answer.content)
                if answer.status_code >= 400:
                    is_a_problem(answer, 400, 404, 409)
