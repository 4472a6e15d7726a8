"""The facts of the timetable, by name.

Each is written in the transaction that makes it true. The product itself acts on
`departure.changed` and `fares.changed`: seat images are refreshed. The others tell the audit trail
which member of staff did what; their numbers are the revisions, which only grow.

| fact | subject | stage | number |
|---|---|---|---|
| `train.created` | `train:<id>` | 0 | 0 |
| `train.changed` | `train:<id>` | 1 | its revision |
| `station.created` | `station:<id>` | 0 | 0 |
| `vehicle.created` | `vehicle:<id>` | 0 | 0 |
| `vehicle.changed` | `vehicle:<id>` | 1 | its revision |
| `feed.imported` | `feed:<code>` | 1 | its revision |
| `fares.changed` | `fares:<id>` | 1 | its revision |
| `departure.changed` | `departure:<id>` | 1 | its revision |
| `departure.opened`, `departure.closed` | `departure:<id>` | 1 | its revision |
| `departure.withdrawn` | `departure:<id>` | 1 | its revision |
"""

from typing import Final, Literal

from config.outbox.facts import Fact

CREATED: Final = 0
CHANGED: Final = 1


def train_created(*, train_id: int, number: str, actor_id: int | None) -> Fact:
    subject = f"train:{train_id}"
    return Fact(
        event_id=f"{subject}:created",
        kind="train.created",
        subject=subject,
        stage=CREATED,
        body={"train": number, "actor": actor_id},
    )


def train_changed(
    *, train_id: int, number: str, revision: int, fields: list[str], actor_id: int | None
) -> Fact:
    """`fields` are the names of what was changed, in the words of the API."""
    subject = f"train:{train_id}"
    return Fact(
        event_id=f"{subject}:changed:{revision}",
        kind="train.changed",
        subject=subject,
        stage=CHANGED,
        number=revision,
        body={"train": number, "fields": fields, "actor": actor_id},
    )


def station_created(*, station_id: int, code: str, actor_id: int | None) -> Fact:
    subject = f"station:{station_id}"
    return Fact(
        event_id=f"{subject}:created",
        kind="station.created",
        subject=subject,
        stage=CREATED,
        body={"station": code, "actor": actor_id},
    )


def vehicle_created(*, template_id: int, code: str, actor_id: int | None) -> Fact:
    subject = f"vehicle:{template_id}"
    return Fact(
        event_id=f"{subject}:created",
        kind="vehicle.created",
        subject=subject,
        stage=CREATED,
        body={"vehicle": code, "actor": actor_id},
    )


def vehicle_changed(
    *, template_id: int, code: str, revision: int, fields: list[str], actor_id: int | None
) -> Fact:
    subject = f"vehicle:{template_id}"
    return Fact(
        event_id=f"{subject}:changed:{revision}",
        kind="vehicle.changed",
        subject=subject,
        stage=CHANGED,
        number=revision,
        body={"vehicle": code, "fields": fields, "actor": actor_id},
    )


def feed_imported(*, feed: str, revision: int, digest: str, counts: dict[str, int]) -> Fact:
    """`counts` says what became of how many trains and departures."""
    subject = f"feed:{feed}"
    return Fact(
        event_id=f"{subject}:imported:{revision}",
        kind="feed.imported",
        subject=subject,
        stage=CHANGED,
        number=revision,
        body={"feed": feed, "digest": digest, **counts, "actor": None},
    )


def fares_changed(*, table_id: int, name: str, revision: int, actor_id: int | None) -> Fact:
    """A fare table was made or changed: images loaded with the fares before must follow."""
    subject = f"fares:{table_id}"
    return Fact(
        event_id=f"{subject}:changed:{revision}",
        kind="fares.changed",
        subject=subject,
        stage=CHANGED,
        number=revision,
        body={"table": name, "actor": actor_id},
        subscribed=True,
    )


def departure_changed(
    *, departure_id: int, revision: int, fields: list[str], actor_id: int | None
) -> Fact:
    """Seats, times, price or state of a departure moved: its seat image must follow."""
    return Fact(
        event_id=f"departure:{departure_id}:changed:{revision}",
        kind="departure.changed",
        subject=f"departure:{departure_id}",
        stage=CHANGED,
        number=revision,
        body={"departure": departure_id, "fields": fields, "actor": actor_id},
        subscribed=True,
    )


def departure_decided(
    *,
    departure_id: int,
    revision: int,
    what: Literal["opened", "closed", "withdrawn"],
    actor_id: int | None,
) -> Fact:
    """Staff put a departure on sale (`opened`: added or reopened), took it off (`closed`), or said
    that it does not run (`withdrawn`).
    """
    return Fact(
        event_id=f"departure:{departure_id}:{what}:{revision}",
        kind=f"departure.{what}",
        subject=f"departure:{departure_id}",
        stage=CHANGED,
        number=revision,
        body={"departure": departure_id, "actor": actor_id},
    )
