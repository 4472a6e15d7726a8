"""The outbox's consumer: an event becomes a message for every endpoint that is to know.

Written once however often the fact comes: the message's row is unique by endpoint and fact, and
its name, the `webhook-id`, is given with it. An endpoint that is disabled gets its messages too;
they wait until staff enable it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import transaction

from config import clock
from config.outbox.models import OutboxEvent
from reservations.webhooks.events import EVENTS, data_of
from reservations.webhooks.models import BookedBy, Endpoint, Message
from users import customers


def write_down(events: Sequence[OutboxEvent]) -> None:
    """Consumer of every kind in `EVENTS`; the fact's kind is exactly that."""
    told = [event for event in events if event.kind in EVENTS]
    if not told:
        return
    with transaction.atomic():
        _remember_agents(told)
        agents = _agents_of(told)
        endpoints = _endpoints(told)
        now = clock.now()
        messages = [
            Message(
                endpoint=endpoint,
                event_id=event.event_id,
                type=EVENTS[event.kind].type,
                payload=_payload(event, endpoint, agents),
                created_at=now,
                next_at=now,
            )
            for event in told
            for endpoint in endpoints
            if EVENTS[event.kind].type in endpoint.events
            and (endpoint.account_id is None or endpoint.account_id in _concerned(event, agents))
        ]
        Message.objects.bulk_create(messages, ignore_conflicts=True)


def _endpoints(told: Iterable[OutboxEvent]) -> Sequence[Endpoint]:
    types = {EVENTS[event.kind].type for event in told}
    return list(Endpoint.objects.filter(events__overlap=list(types)))


def _remember_agents(told: Iterable[OutboxEvent]) -> None:
    """A machine that books for a customer wants to know what others do with the booking, too."""
    BookedBy.objects.bulk_create(
        [
            BookedBy(
                hold=event.body["hold"],
                pnr=event.body["pnr"],
                account_id=event.body["actor"],
                customer=_customer(event),
            )
            for event in told
            if event.kind == "booking.confirmed" and _is_for_a_customer(event)
        ],
        ignore_conflicts=True,
    )


def _is_for_a_customer(event: OutboxEvent) -> bool:
    return bool(event.body.get("key")) and event.body["actor"] != _customer(event)


def _customer(event: OutboxEvent) -> int:
    """As the agent knows him: the guest, also where an account took over what he waits for."""
    return int(event.body.get("customer", event.body["user"]))


def _agents_of(told: Iterable[OutboxEvent]) -> dict[str, BookedBy]:
    """By hold, which the facts of bookings, refunds and waitlists have in common."""
    holds = {event.body["hold"] for event in told if event.body.get("hold")}
    return {each.hold: each for each in BookedBy.objects.filter(hold__in=holds)}


def _concerned(event: OutboxEvent, agents: dict[str, BookedBy]) -> set[int]:
    """The accounts that are told: the owner, who acted, and the agent who booked."""
    agent = agents.get(event.body.get("hold", ""))
    found = {event.body.get("user"), event.body.get("actor"), agent and agent.account_id}
    return {account for account in found if account}


def _payload(event: OutboxEvent, endpoint: Endpoint, agents: dict[str, BookedBy]) -> str:
    data: dict[str, Any] = data_of(event.kind, event.body)
    agent = agents.get(event.body.get("hold", ""))
    if agent is not None:
        data.setdefault("pnr", agent.pnr)
        if agent.account_id == endpoint.account_id:
            # Never the owner of today: an account that claimed the booking is not the agent's.
            data["customer"] = customers.name_of(office=agent.account_id, customer=agent.customer)
    elif _is_for_a_customer(event) and event.body["actor"] == endpoint.account_id:
        data["customer"] = customers.name_of(office=event.body["actor"], customer=_customer(event))
    said = {
        "type": EVENTS[event.kind].type,
        "timestamp": event.occurred_at,
        "data": data,
    }
    return msgspec.json.encode(said).decode()
