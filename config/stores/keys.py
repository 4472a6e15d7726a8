"""Every Redis key there is: pattern, type, TTL, writer, reader.

Keys of the holds' store carry a hash tag `{s}`, s = departure id mod 64, so that one script's
keys sit in one slot of a Redis Cluster and a sweep reads 64 small indexes, never the keyspace.

| key | type | TTL | what | written by | read by |
|---|---|---|---|---|---|
| `{s}:seat:<departure>:<seat>:<from>-<to>` | string = hold id | the hold's | the lock a person sees | lock, extend, pin | people |
| `{s}:hold:<departure>:<hold>` | hash | the hold's | who, seats, stretch, deadline, fence | lock, extend, pin | people |
| `{s}:live:<departure>` | zset, score = deadline ms | none | members: the holds | every hold script | every hold script |
| `{s}:confirming:<departure>` | zset, score = pin deadline ms | none | members pinned by a confirm | pin, settle, free | every hold script |
| `{s}:due` | zset of departures, score = earliest deadline ms | none | the sweep's index | every hold script | sweep |
| `{s}:held:<departure>` | string, 32-bit words | none | a bit per seat and leg, held; as long as it gets from its load on | hold scripts | lock, maps |
| `{s}:sold:<departure>` | string, 32-bit words | none | a bit per seat and leg, sold or blocked | refresh, settle | lock, maps |
| `{s}:waiting:<departure>` | string, 32-bit words | none | a bit per seat and leg, kept for who waits | refresh | lock, maps |
| `{s}:image:<departure>` | hash | none | epoch, moment of the last change, plan revision, sale gate, who waits | refresh, every hold script | lock, maps, search |
| `{s}:loaded` | zset of departures, score = last full refresh ms | none | which images are loaded | refresh, drop | reconcile |
| `{s}:fence:<departure>` | string, whole number | none | last fencing token | lock | lock |
| `{s}:era` | string | none | a random mark that dies with Redis's memory | first script | lock, pin |
| `{s}:mine:<departure>:<user>` | zset, score = deadline ms | longest hold | a user's holds, for limits and lists | hold scripts | lock, list |
| `{s}:owned:<user>` | zset of departures, score = deadline ms | longest hold | where a user has holds | hold scripts | list |
| `{s}:key:<user>:<key>` | string | 24 h | the fingerprint of a lock's idempotency key; s = user mod 64 | lock | lock |
| `{s}:answer:<hold>` | string (JSON) | 24 h | a keyed lock's kept answer | lock | lock |
| `{s}:body:<hold>` | string | 24 h | the same, as it was sent: status and body | lock | lock |
| `{s}:people:<hold>` | string (JSON) | the longest hold's | travellers named with a lock | lock | confirm |
| `{s}:ended:<sid>` | string | access token lifetime | a login that was ended | logout | every call |
| `{0}:marks` | string | none (30 s while incomplete) | `complete:<run_id>`: every mark above is there | restore of marks | every call |
| `{s}:audit` | stream | none | facts about holds | hold scripts | shipper |
| `{s}:unburied` | zset of holds, score = when released, ms | none | released, not yet `void` in PostgreSQL | release | release, sweep |
| `{s}:watched:<departure>` | channel; the message is the moment, ms | none | what a seat map shows has changed: look again | every hold script, in the step of the change | live sockets |
| `{s}:odd` | list | none | members no script could read, set aside | reap | operators |
| `requests` | stream, capped | none | the request log | request middleware | shipper |
| `{requests}:acknowledged` | string, whole number | none | entries of the request log that were shipped | shipper | dashboard |
| `requests:dropped` | string, whole number | none | log entries a process had no room for | request middleware | dashboard |
| `shipper:beat` | string, whole number | none | counts the shipper's runs; lower than before: memory went back | shipper | shipper |
| `shipper:lease` | string | 10 s | who ships now, so that two do not do the same work | shipper | shipper |
| `reconcile:lease` | string | 60 s | who asks all images again after a restart | reconcile | reconcile |
| `webhooks:lease` | string | 90 s | who sends webhooks now, so that slow receivers keep one worker, not all | webhooks | webhooks |
| `consumer:lease` | string | 60 s | who acts on facts now, so that a rush keeps one worker, not all | consumer | consumer |
| `ticket-mail:lease` | string | 60 s | who mails tickets now, for the same reason | ticket mail | ticket mail |
| `timetable` | string | none | a random mark, another one after each change of the timetable | who changed it | search |
| `layout` | hash | none | shard count, layout version, `run_id` of the server when all images were asked | first start, reconcile | start, reconcile |

The cache's server carries only what django-redis writes there: rate limit counters under
`seatlock:throttle:…`.
"""  # noqa: E501  # a table reads best unbroken

import re
from typing import Final

SHARDS: Final = 64
LAYOUT_VERSION: Final = 1
REQUESTS: Final = "requests"
REQUESTS_ACKNOWLEDGED: Final = "{requests}:acknowledged"
REQUESTS_DROPPED: Final = "requests:dropped"
SHIPPER_BEAT: Final = "shipper:beat"
SHIPPER_LEASE: Final = "shipper:lease"
RECONCILE_LEASE: Final = "reconcile:lease"
WEBHOOKS_LEASE: Final = "webhooks:lease"
CONSUMER_LEASE: Final = "consumer:lease"
TICKET_MAIL_LEASE: Final = "ticket-mail:lease"
LAYOUT: Final = "layout"
TIMETABLE: Final = "timetable"


def shard(departure: int) -> int:
    """The shard (0 to 63) all keys of a departure live in."""
    return departure % SHARDS


def tag(shard_number: int) -> str:
    """The prefix of every key in a shard: `{17}`."""
    return f"{{{shard_number}}}"


def of(departure: int, what: str, *rest: object) -> str:
    """A key of one departure: `of(145, "live")` is `{17}:live:145`."""
    return ":".join((f"{{{departure % SHARDS}}}:{what}:{departure}", *map(str, rest)))


def watched(departure: int) -> str:
    """The channel on which watchers are told that a departure changed: `{17}:watched:145`."""
    return of(departure, "watched")


_OF_DEPARTURE: Final = re.compile(rb"\{\d+\}:(\w+):(\d+)")


def departure_in(key: bytes, *whats: str) -> int | None:
    """The departure that one of these keys is of; None for every other key (operators' scans)."""
    match = _OF_DEPARTURE.fullmatch(key)
    return int(match[2]) if match and match[1].decode() in whats else None


def due(shard_number: int) -> str:
    return f"{{{shard_number}}}:due"


def loaded(shard_number: int) -> str:
    return f"{{{shard_number}}}:loaded"


def era(shard_number: int) -> str:
    return f"{{{shard_number}}}:era"


def audit(shard_number: int) -> str:
    return f"{{{shard_number}}}:audit"


def odd(shard_number: int) -> str:
    return f"{{{shard_number}}}:odd"


def unburied(shard_number: int) -> str:
    return f"{{{shard_number}}}:unburied"


def owned(shard_number: int, user: int) -> str:
    return f"{{{shard_number}}}:owned:{user}"


def idempotency(user: int, key: str) -> str:
    """The fingerprint of a lock's `Idempotency-Key`; it belongs to the user, not to a departure."""
    return f"{{{user % SHARDS}}}:key:{user}:{key}"


def answer(shard_number: int, hold: str) -> str:
    return f"{{{shard_number}}}:answer:{hold}"


def body(shard_number: int, hold: str) -> str:
    return f"{{{shard_number}}}:body:{hold}"


def people(shard_number: int, hold: str) -> str:
    """Personal data: nothing but confirm reads it, and it dies with the longest hold."""
    return f"{{{shard_number}}}:people:{hold}"


def ended(shard_number: int, sid: str) -> str:
    """The mark of a login that was ended. Written to all 64 shards, so that each hold script can
    look in its own slot; any other call looks in shard 0.
    """
    return f"{{{shard_number}}}:ended:{sid}"


def marks(shard_number: int) -> str:
    """Says `complete:<run_id>` while every mark of an ended login is there. It dies with Redis's
    memory; whoever misses it asks PostgreSQL. Written in shard 0.
    """
    return f"{{{shard_number}}}:marks"
