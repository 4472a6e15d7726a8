"""`Idempotency-Key` for DRF views: a decorator of the method that creates."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import NotAuthenticated
from config.http.problems import PROBLEM_JSON
from config.http.rendering import ContractEncoder
from config.http.requests import django_request
from config.idempotency import headers
from config.idempotency.claims import claimed
from config.idempotency.services import Answer, once

V = TypeVar("V", bound=APIView)
P = ParamSpec("P")
Method = Callable[Concatenate[V, Request, P], Response]


def idempotent(method: "Method[V, P]") -> "Callable[Concatenate[V, Request, P], HttpResponse]":
    """Let a POST of a signed-in user take an `Idempotency-Key`.

    The method runs inside a transaction when the key is there; its `Response` must have a body
    of JSON values (its headers are not kept).
    """

    @wraps(method)
    def post(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        plain = django_request(request)
        key = headers.key_of(plain)
        if key is None:
            return method(view, request, *args, **kwargs)
        owner = request.user.pk
        if owner is None:
            raise NotAuthenticated("A key belongs to a user: sign in first")
        print_ = headers.fingerprint_of(plain)
        with claimed(user_id=owner, key=key, fingerprint=print_):
            answer = once(
                user_id=owner,
                key=key,
                fingerprint=print_,
                act=lambda: answer_of(method(view, request, *args, **kwargs)),
            )
        return response_of(answer)

    return post


def answer_of(response: Response) -> Answer:
    """A view's response as what can be kept: data as plain JSON values."""
    body: Any = json.loads(json.dumps(response.data, cls=ContractEncoder))
    return Answer(response.status_code, body)


def response_of(answer: Answer) -> HttpResponse:
    """An answer as a response; one given again says so."""
    response = HttpResponse(
        msgspec.json.encode(answer.body) if answer.body is not None else b"",
        status=answer.status,
        content_type=PROBLEM_JSON if answer.status >= 400 else "application/json",
    )
    if answer.is_replay:
        response[headers.REPLAYED] = "true"
    return response
