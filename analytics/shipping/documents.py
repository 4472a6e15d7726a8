"""From a message, as its source has it, to the document it becomes. Pure functions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from analytics.schema import FACTS_VERSION, LIFTED, REQUESTS_VERSION
from config.outbox.models import OutboxEvent

# The API's, and the page's, whose view notes the stations it understood.
SEARCH_ENDPOINTS: Final = ("departures/search/", "search/")
_WHOLE_FIELDS: Final = ("departure", "user")


class Undecodable(Exception):
    """The message is not what its source promises; trying again will not help."""


class _LoggedRequest(msgspec.Struct):
    """What `config.http.request_stream.shape` writes."""

    id: str
    at: int
    method: str
    endpoint: str
    params: dict[str, str]
    status: int
    user: int | None
    duration_ms: float
    noted: dict[str, str | int] = {}


def from_outbox(event: OutboxEvent) -> dict[str, Any]:
    """The document of an outbox row."""
    return _fact(
        identity=event.event_id,
        kind=event.kind,
        subject=event.subject,
        stage=event.stage,
        number=event.number,
        at=event.occurred_at,
        body=event.body,
    )


def from_hold_entry(entry: Mapping[bytes, bytes]) -> dict[str, Any]:
    """The document of an entry of `{s}:audit`: fields id, kind, hold, departure, user, stage,
    number, at (ms since the epoch), body (a JSON object).

    Raises:
        Undecodable: a field is missing or is not what it should be; the reason is in the message.

    """
    try:
        text = {name.decode(): value.decode() for name, value in entry.items()}
        body = msgspec.json.decode(text["body"], type=dict[str, Any])
        whole = {name: int(text[name]) for name in _WHOLE_FIELDS if text.get(name)}
        return _fact(
            identity=text["id"],
            kind=text["kind"],
            subject=text["hold"],
            stage=int(text["stage"]),
            number=int(text["number"]),
            at=_moment(int(text["at"])),
            body={**body, "hold": text["hold"], **whole},
        )
    except KeyError as missing:
        raise Undecodable(f"field {missing} is missing") from None
    except (ValueError, OverflowError, OSError) as wrong:  # also msgspec's and Unicode errors
        raise Undecodable(str(wrong)) from None


def from_request_entry(entry: Mapping[bytes, bytes]) -> dict[str, Any]:
    """The document of an entry of `requests`: one field, `d`, a JSON object.

    A search that was answered, on its first page, is marked `search` with its two stations, so
    that reports count what people looked for and not how far they turned the pages.

    Raises:
        Undecodable: it is not such an object.

    """
    try:
        logged = msgspec.json.decode(entry[b"d"], type=_LoggedRequest)
        document: dict[str, Any] = {
            "_id": logged.id,
            "schema_version": REQUESTS_VERSION,
            "at": _moment(logged.at),
            "method": logged.method,
            "endpoint": logged.endpoint,
            "params": logged.params,
            "status": logged.status,
            "user": logged.user,
            "duration_ms": logged.duration_ms,
        }
    except KeyError as missing:
        raise Undecodable(f"field {missing} is missing") from None
    except (ValueError, OverflowError, OSError) as wrong:
        raise Undecodable(str(wrong)) from None
    return document | _route_searched(logged)


def _route_searched(logged: _LoggedRequest) -> dict[str, Any]:
    first_page = logged.params.get("offset", "0") in {"", "0"}
    if logged.endpoint not in SEARCH_ENDPOINTS or logged.status != 200 or not first_page:
        return {}
    ends = {end: _station(logged, end) for end in ("source", "destination")}
    return {"search": True, **ends} if all(ends.values()) else {}


def _station(logged: _LoggedRequest, end: str) -> str:
    """The code the view understood, as bookings have it; else what was typed, in capitals."""
    return str(logged.noted.get(end) or logged.params.get(end, "").strip().upper())


def _fact(  # noqa: PLR0913  # the parts of a fact
    *, identity: str, kind: str, subject: str, stage: int, number: int, at: datetime,
    body: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    if not identity:
        raise Undecodable("it has no event id")
    lifted = {name: body[name] for name in LIFTED if body.get(name) is not None}
    return {
        "_id": identity,
        "schema_version": FACTS_VERSION,
        "kind": kind,
        "subject": subject,
        **lifted,
        "stage": stage,
        "number": number,
        "at": at,
        "shipped_at": datetime.now(UTC),
        "body": {name: value for name, value in body.items() if name not in lifted},
    }


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
