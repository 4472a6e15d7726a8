"""Every MongoDB collection there is: shape, version, indexes, how long its documents stay.

| collection | a document is | `_id` | written by | stays |
|---|---|---|---|---|
| `facts` | one fact of a hold, booking, account or member of staff | the fact's event id | shipper | AUDIT_RETENTION_DAYS |
| `requests` | one answered API request | the log entry's id | shipper | REQUEST_RETENTION_DAYS |
| `dead_letters` | a message no collection takes, as it came | a digest of it | shipper | AUDIT_RETENTION_DAYS |
| `gaps` | a loss of Redis's memory with facts perhaps in it | what was lost | shipper | for ever |
| `shipping` | one document, `shipper`: what the shipper last saw | `shipper` | shipper | for ever |

Facts are inserted, never changed: the first document of an `_id` stays. Order within the story of
a hold and its booking is (`stage`, `number`); `at` is for people and for retention. A document
says its `schema_version`; a reader must take every version named here, because old ones stay as
they were written.

    facts 1     kind, subject, stage, number, at, shipped_at, body, and, lifted out of the body
                where the fact has them: hold, pnr, user (whose it is), actor (who did it, if
                another), departure, train, service_date, source, destination
    requests 1  at, method, endpoint, params, status, user, duration_ms; for a search that was
                answered also search: true, source, destination
"""  # noqa: E501  # a table reads best unbroken

from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from pymongo import ASCENDING, IndexModel
from pymongo.errors import CollectionInvalid
from pymongo.write_concern import WriteConcern

from config.stores.mongo import audit_database

FACTS: Final = "facts"
REQUESTS: Final = "requests"
DEAD_LETTERS: Final = "dead_letters"
GAPS: Final = "gaps"
SHIPPING: Final = "shipping"

FACTS_VERSION: Final = 1
REQUESTS_VERSION: Final = 1

# Lifted out of a fact's body into the document, because something is found or counted by it.
LIFTED: Final = (
    "hold", "pnr", "user", "actor", "departure", "train", "service_date", "source", "destination",
)  # fmt: skip

# A fact counts as kept when a majority has it in its journal; then its source may forget it.
DURABLE: Final = WriteConcern(w="majority", j=True)

_DAY_SECONDS: Final = 86_400
_WHOLE: Final = {"bsonType": ["int", "long"]}
_TEXT: Final = {"bsonType": "string"}
_MOMENT: Final = {"bsonType": "date"}


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A collection as it should be. `shape` is its `$jsonSchema`."""

    name: str
    shape: dict[str, Any]
    indexes: tuple[IndexModel, ...] = field(default=())


def collections() -> tuple[Collection, ...]:
    """All collections, with the retention that the settings ask for."""
    audit_seconds = settings.ENV.audit_retention_days * _DAY_SECONDS
    request_seconds = settings.ENV.request_retention_days * _DAY_SECONDS
    return (
        Collection(
            name=FACTS,
            shape=_shape(
                kind=_TEXT, subject=_TEXT, stage=_WHOLE, number=_WHOLE, at=_MOMENT,
                schema_version=_WHOLE,
            ),
            indexes=(
                _index("expire", "at", expireAfterSeconds=audit_seconds),
                _index("hold_story", "hold", "stage", "number", only_with="hold"),
                _index("pnr_story", "pnr", "stage", "number", only_with="pnr"),
                _index("user_time", "user", "at", only_with="user"),
                _index("actor_time", "actor", "at", only_with="actor"),
                _index("departure_kind", "departure", "kind", only_with="departure"),
                _index(
                    "kind_service_date", "kind", "service_date", "train", "departure",
                    only_with="service_date",
                ),
                _index("kind_time", "kind", "at", "hold", "source", "destination"),
            ),
        ),
        Collection(
            name=REQUESTS,
            shape=_shape(
                at=_MOMENT, method=_TEXT, endpoint=_TEXT, status=_WHOLE, duration_ms={
                    "bsonType": ["double", "int", "long"]
                }, schema_version=_WHOLE,
            ),
            indexes=(
                _index("expire", "at", expireAfterSeconds=request_seconds),
                _index("time_latency", "at", "method", "endpoint", "status", "duration_ms"),
                _index("search_time", "search", "at", "source", "destination", only_with="search"),
            ),
        ),
        Collection(
            name=DEAD_LETTERS,
            shape=_shape(source=_TEXT, reason=_TEXT, at=_MOMENT),
            indexes=(_index("expire", "at", expireAfterSeconds=audit_seconds),),
        ),
        Collection(name=GAPS, shape=_shape(kind=_TEXT, noticed_at=_MOMENT)),
        Collection(name=SHIPPING, shape={"bsonType": "object"}),
    )  # fmt: skip


def ensure_schema() -> list[str]:
    """Make MongoDB what this module says; return what had to be changed, in words.

    Safe to repeat and to run twice at once. Indexes it does not know are left alone.
    Raises `pymongo.errors.PyMongoError` when MongoDB is away.
    """
    changes: list[str] = []
    existing = set(audit_database().list_collection_names())
    for wanted in collections():
        if wanted.name not in existing:
            changes += _create(wanted)
        changes += _ensure_shape(wanted) + _ensure_indexes(wanted)
    return changes


def _shape(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"bsonType": "object", "required": sorted(properties), "properties": properties}


def _index(name: str, *fields: str, only_with: str = "", **options: Any) -> IndexModel:
    if only_with:
        options["partialFilterExpression"] = {only_with: {"$exists": True}}
    return IndexModel([(part, ASCENDING) for part in fields], name=name, **options)


def _create(wanted: Collection) -> list[str]:
    try:
        audit_database().create_collection(wanted.name)
    except CollectionInvalid:  # somebody else was faster
        return []
    return [f"{wanted.name}: collection made"]


def _ensure_shape(wanted: Collection) -> list[str]:
    validator = {"$jsonSchema": wanted.shape}
    if audit_database()[wanted.name].options().get("validator") == validator:
        return []
    audit_database().command("collMod", wanted.name, validator=validator)
    return [f"{wanted.name}: shape set"]


def _ensure_indexes(wanted: Collection) -> list[str]:
    changes = []
    collection = audit_database()[wanted.name]
    present = {index["name"]: index for index in collection.list_indexes()}
    for model in wanted.indexes:
        document = model.document
        name = document["name"]
        if name in present and _same_index(present[name], document):
            continue
        if name in present and _same_index(present[name], document, but="expireAfterSeconds"):
            _set_retention(wanted.name, name, document["expireAfterSeconds"])
        else:
            if name in present:
                collection.drop_index(name)
            collection.create_indexes([model])
        changes.append(f"{wanted.name}: index {name} set")
    return changes


def _same_index(present: Any, wanted: Any, *, but: str = "") -> bool:
    parts = {"key", "partialFilterExpression", "expireAfterSeconds"} - {but}
    return all(_plain(present.get(part)) == _plain(wanted.get(part)) for part in parts)


def _plain(part: Any) -> Any:
    """Key patterns come as ordered mappings of different classes; their order matters."""
    return list(part.items()) if hasattr(part, "items") else part


def _set_retention(collection: str, index: str, seconds: int) -> None:
    change = {"name": index, "expireAfterSeconds": seconds}
    audit_database().command("collMod", collection, index=change)
