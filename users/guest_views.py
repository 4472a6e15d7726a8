"""`auth/guest/` and `agents/customers/`: parse, call one service, render."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Forbidden
from config.http import throttles
from config.http.fields import Email, Text, TextLike
from config.http.requests import django_request
from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency.views import idempotent
from users import customers
from users.claims import Caller
from users.reading import BODY, SIGNED_IN, read
from users.services.claim_guests import ask_to_claim, claim_guests
from users.services.make_guest import Contact, make_customer, make_guest

PHONE: Final = r"^\+?[0-9][0-9 ()./-]{4,18}$"
_CONTACT: Final = {"email": "asha@example.org", "phone_number": "+91 22 5550 1234"}


class ContactBody(serializers.Serializer[Any]):
    email = Email(max_length=254)
    phone_number = TextLike(PHONE, max_length=20)
    first_name = Text(max_length=150, required=False, allow_blank=True)
    last_name = Text(max_length=150, required=False, allow_blank=True)


class GuestUser(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.CharField()
    is_guest = serializers.BooleanField()


class GuestAnswer(serializers.Serializer[Any]):
    """`access` cannot be refreshed: it is for one booking."""

    access = serializers.CharField()
    expires_in_seconds = serializers.IntegerField()
    user = GuestUser()


class CustomerAnswer(serializers.Serializer[Any]):
    """`customer` goes into the header `Seatlock-Customer`."""

    customer = serializers.CharField()
    email = serializers.CharField()


class ClaimRequest(serializers.Serializer[Any]):
    email = Email(max_length=254)


class ClaimCode(serializers.Serializer[Any]):
    code = Text(max_length=100)


class ClaimAnswer(serializers.Serializer[Any]):
    guests = serializers.IntegerField()
    pnrs = serializers.ListField(child=serializers.CharField())


class GuestView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "guest"

    @extend_schema(
        operation_id="make_guest",
        tags=["accounts"],
        summary="Book without an account: a short token for an e-mail and a phone number",
        request=ContactBody,
        responses={201: GuestAnswer, **problem_responses(*BODY)},
        examples=[OpenApiExample("A guest", _CONTACT, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """The token does everything an account's does until it ends. The tickets are mailed, and
        an account with that e-mail can take the bookings over (`auth/guest/claims/`).
        """
        made = make_guest(contact=Contact(**read(ContactBody, request)))
        user = GuestUser(made.user).data
        answer = {"access": made.access, "expires_in_seconds": made.expires_in_seconds}
        return Response({**answer, "user": user}, status=201)


class ClaimsView(APIView):
    throttle_classes = ()  # counted below, where the address is known

    @extend_schema(
        operation_id="ask_to_claim_guest",
        tags=["accounts"],
        summary="Have a code mailed, to take over what was booked as a guest",
        request=ClaimRequest,
        responses={
            202: OpenApiResponse(description="A code is mailed, whether there are guests or not."),
            **problem_responses(*SIGNED_IN),
        },
        examples=[OpenApiExample("My e-mail", {"email": "asha@example.org"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        email = read(ClaimRequest, request)["email"]
        account = request.user.pk or 0
        throttles.check(django_request(request), "claim", account, subject=email.lower())
        ask_to_claim(account=account, email=email)
        return Response(status=202)


class ClaimCodeView(APIView):
    throttle_scope = "account"

    @extend_schema(
        operation_id="claim_guest",
        tags=["accounts"],
        summary="Take over what was booked as a guest, by the code that was mailed",
        request=ClaimCode,
        responses={200: ClaimAnswer, **problem_responses(*SIGNED_IN)},
        examples=[OpenApiExample("A code", {"code": "17:c2lnbmF0dXJl"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Once a code. Bookings and payments of all guests with that e-mail are mine then."""
        done = claim_guests(account=request.user.pk or 0, code=read(ClaimCode, request)["code"])
        return Response({"guests": done.guests, "pnrs": list(done.pnrs)})


class MayBeAgent(IsAuthenticated):
    """Staff, and machines with a key."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        caller = request.auth
        return isinstance(caller, Caller) and customers.is_agent(caller)


class CustomersView(APIView):
    permission_classes = (MayBeAgent,)
    key_scope = "customers"

    @extend_schema(
        operation_id="make_customer",
        tags=["agents"],
        summary="Make a customer to book for",
        request=ContactBody,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: CustomerAnswer,
            **problem_responses(
                "forbidden", *SIGNED_IN, "idempotency-in-flight", "idempotency-key-reused"
            ),
        },
        examples=[OpenApiExample("A customer", _CONTACT, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """For staff and API keys with the scope `customers`. Sent as the header
        `Seatlock-Customer`, the answer's `customer` makes every call under `reservations/`,
        `payments/` and `tickets/` that customer's own; facts name the agent.
        """
        caller = request.auth
        if not isinstance(caller, Caller):
            raise Forbidden("Agents only")
        made = make_customer(agent=caller, contact=Contact(**read(ContactBody, request)))
        return Response({"customer": made.customer, "email": made.user.email}, status=201)
