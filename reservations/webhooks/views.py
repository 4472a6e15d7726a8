"""`operations/webhooks/`: staff register endpoints and look after deliveries."""

from typing import Any, Final
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse

from config.errors import Invalid, NotFound
from config.http.body import read_json
from reservations.api.door import answer, door, page, paged, view
from reservations.webhooks import endpoints
from reservations.webhooks.bodies import (
    NewWebhookBody,
    ReplayBody,
    ReplayedBody,
    WebhookChangeBody,
    delivery_body,
    webhook_body,
    webhook_with_secret,
)
from reservations.webhooks.models import Endpoint, Message
from users.tokens import Caller

_new_body = msgspec.json.Decoder(NewWebhookBody)
_change_body = msgspec.json.Decoder(WebhookChangeBody)
_replay_body = msgspec.json.Decoder(ReplayBody)
_STATES: Final[dict[str, dict[str, Any]]] = {
    "waiting": {"delivered_at": None, "given_up_at": None},
    "delivered": {"delivered_at__isnull": False},
    "given-up": {"delivered_at": None, "given_up_at__isnull": False},
}


def _key(webhook: str) -> UUID:
    """The endpoint's id. Raises `NotFound` for what cannot be one."""
    try:
        return UUID(webhook)
    except ValueError:
        raise NotFound("There is no such webhook") from None


def _refuse_no_body(request: HttpRequest) -> None:
    """`{}` is an answer to "which?"; nothing at all is a client that forgot it."""
    if not request.body:
        raise Invalid({"body": ["Send a JSON object."]})


@door("staff", "staff")
def _list(request: HttpRequest, caller: Caller) -> HttpResponse:
    del caller
    limit, offset = page(request)
    found = Endpoint.objects.select_related("account", "created_by").order_by("-created_at", "pk")
    rows = [webhook_body(each) for each in found[offset : offset + limit]]
    return paged(request, rows, found.count())


@door("staff", "staff")
def _register(request: HttpRequest, caller: Caller) -> HttpResponse:
    body = read_json(request, _new_body)
    made = endpoints.register_endpoint(
        actor=caller.user_id,
        account=body.account,
        url=body.url,
        events=body.events,
        description=body.description,
    )
    return answer(webhook_with_secret(made), 201)


@door("staff", "staff")
def _show(request: HttpRequest, caller: Caller, webhook: str) -> HttpResponse:
    del request, caller
    return answer(webhook_body(endpoints.find_endpoint(_key(webhook))))


@door("staff", "staff")
def _change(request: HttpRequest, caller: Caller, webhook: str) -> HttpResponse:
    pk = _key(webhook)
    _refuse_no_body(request)
    body = read_json(request, _change_body)
    change = endpoints.Change(**msgspec.structs.asdict(body))
    return answer(
        webhook_body(endpoints.change_endpoint(actor=caller.user_id, pk=pk, change=change))
    )


@door("staff", "staff")
def _delete(request: HttpRequest, caller: Caller, webhook: str) -> HttpResponse:
    del request
    endpoints.delete_endpoint(actor=caller.user_id, pk=_key(webhook))
    return HttpResponse(status=204)


@door("staff", "staff")
def _rotate(request: HttpRequest, caller: Caller, webhook: str) -> HttpResponse:
    del request
    rotated = endpoints.rotate_secret(actor=caller.user_id, pk=_key(webhook))
    return answer(webhook_with_secret(rotated))


@door("staff", "staff")
def _replay_failed(request: HttpRequest, caller: Caller, webhook: str) -> HttpResponse:
    pk = _key(webhook)
    _refuse_no_body(request)
    body = read_json(request, _replay_body)
    if body.since is not None and body.since.tzinfo is None:
        raise Invalid({"since": ["Say the time zone."]})
    number = endpoints.replay_failed(actor=caller.user_id, pk=pk, since=body.since)
    return answer(ReplayedBody(number))


@door("staff", "staff")
def _deliveries(request: HttpRequest, caller: Caller, webhook: str) -> HttpResponse:
    del caller
    limit, offset = page(request)
    endpoint = endpoints.find_endpoint(_key(webhook))
    found = Message.objects.filter(endpoint=endpoint)
    if state := request.GET.get("status"):
        if state not in _STATES:
            raise Invalid({"status": [f"One of {', '.join(_STATES)}."]})
        found = found.filter(**_STATES[state])
    rows = found.prefetch_related("log").order_by("-id")[offset : offset + limit]
    return paged(request, [delivery_body(each) for each in rows], found.count())


@door("staff", "staff")
def _replay(request: HttpRequest, caller: Caller, message: str) -> HttpResponse:
    del request
    again = endpoints.replay_message(actor=caller.user_id, name=message)
    return answer(delivery_body(again), 202)


webhooks = view(GET=_list, POST=_register)
webhook = view(GET=_show, PATCH=_change, DELETE=_delete)
rotate = view(POST=_rotate)
replay_failed = view(POST=_replay_failed)
deliveries = view(GET=_deliveries)
replay = view(POST=_replay)
