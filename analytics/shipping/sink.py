"""Into MongoDB: insert what is new, and say which documents no collection will ever take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import bson
import pymongo
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from analytics.schema import DURABLE
from config.stores.mongo import audit_database

WRITE_SECONDS: Final = 5.0
MAX_DOCUMENT_BYTES: Final = 1_048_576
REASON_CAP: Final = 500

_DUPLICATE_KEY: Final = 11000
# Codes by which a server refuses one document for what it is: BadValue, FailedToParse,
# TypeMismatch, Overflow (nested too deep), InvalidBSON, DollarPrefixedFieldName, InvalidIdField,
# EmptyFieldName, DottedFieldName, DocumentValidationFailure, BSONObjectTooLarge, KeyTooLong.
# Every other code is about the server (no primary, disk full) and is worth another try.
_DOCUMENTS_OWN_FAULT: Final = frozenset({2, 9, 14, 15, 22, 52, 53, 56, 57, 121, 10334, 17280})


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """`position` in the batch that was given, and why."""

    position: int
    reason: str


def insert_new(collection: str, documents: Sequence[dict[str, Any]]) -> list[Rejected]:
    """Insert the documents whose `_id` is not there yet; return those that can never be.

    When this returns, all others lie in the journals of a majority, also those that were there
    before: for a duplicate the server waits until its own last write is as safe. It can have been
    inserted by an attempt whose answer was lost.

    Raises:
        PyMongoError: MongoDB did not say so; any part may have been inserted. Ask again later.

    """
    encoded, rejected = _encode(documents)
    if encoded:
        rejected += _insert(collection, encoded)
    return rejected


def _encode(
    documents: Sequence[dict[str, Any]],
) -> tuple[dict[int, RawBSONDocument], list[Rejected]]:
    """Each by itself, so that one that cannot be encoded does not fail its batch."""
    encoded: dict[int, RawBSONDocument] = {}
    rejected = []
    for position, document in enumerate(documents):
        try:
            raw = bson.encode(document)
        except (BSONError, OverflowError, ValueError, TypeError, RecursionError) as wrong:
            rejected.append(Rejected(position=position, reason=str(wrong)))
            continue
        if len(raw) > MAX_DOCUMENT_BYTES:
            reason = f"too large: {len(raw)} bytes, at most {MAX_DOCUMENT_BYTES}"
            rejected.append(Rejected(position=position, reason=reason))
        else:
            encoded[position] = RawBSONDocument(raw)
    return encoded, rejected


def _insert(collection: str, encoded: dict[int, RawBSONDocument]) -> list[Rejected]:
    target = audit_database().get_collection(collection, write_concern=DURABLE)
    positions = list(encoded)
    try:
        with pymongo.timeout(WRITE_SECONDS):
            target.insert_many(encoded.values(), ordered=False)
    except BulkWriteError as partly:
        return _judge(partly, positions)
    except OperationFailure as refused:
        if refused.code not in _DOCUMENTS_OWN_FAULT:
            raise
        return _divide(collection, encoded, str(refused.details))
    return []


def _divide(collection: str, encoded: dict[int, RawBSONDocument], reason: str) -> list[Rejected]:
    """A command refused as a whole for one document in it: find that one by halves."""
    positions = list(encoded)
    if len(positions) == 1:
        return [Rejected(position=positions[0], reason=reason[:REASON_CAP])]
    middle = len(positions) // 2
    halves = positions[:middle], positions[middle:]
    return [
        rejected
        for half in halves
        for rejected in _insert(collection, {position: encoded[position] for position in half})
    ]


def _judge(partly: BulkWriteError, positions: list[int]) -> list[Rejected]:
    """Tell documents that are at fault from a server that is. Raises for the latter."""
    details: Any = partly.details
    if details["writeConcernErrors"]:
        raise partly
    rejected = []
    for error in details["writeErrors"]:
        if error["code"] == _DUPLICATE_KEY and set(error.get("keyPattern", {})) <= {"_id"}:
            continue
        if error["code"] not in _DOCUMENTS_OWN_FAULT:
            raise PyMongoError(f"{error['code']}: {error['errmsg']}") from partly
        reason = str(error["errmsg"])[:REASON_CAP]
        rejected.append(Rejected(position=positions[error["index"]], reason=reason))
    return rejected
