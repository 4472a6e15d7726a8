"""Accounts over HTTP: parse, call one service, render."""

import hashlib

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.http import throttles
from config.http.addresses import client_address
from config.http.requests import django_request
from config.http.schema import IDEMPOTENCY_KEY, problem_responses
from config.idempotency import headers
from config.idempotency.services import once
from config.idempotency.views import answer_of, response_of
from users import examples
from users.claims import Caller
from users.reading import BODY, SIGNED_IN, read
from users.serializers import (
    Account,
    LoginAnswer,
    LoginRequest,
    PasswordChangeRequest,
    Profile,
    ProfileChange,
    RefreshRequest,
    RegistrationRequest,
    Tokens,
)
from users.services.change_password import change_password
from users.services.end_logins import log_out
from users.services.log_in import log_in
from users.services.refresh_tokens import refresh_tokens
from users.services.register import NewAccount, register
from users.services.update_profile import load_account, update_profile

NOBODY = 0  # the owner of the keys of requests that make the account they would belong to


def _caller(request: Request) -> Caller:
    """The caller `BearerAuthentication` left beside the user."""
    assert isinstance(request.auth, Caller)  # noqa: S101  # IsAuthenticated stands before
    return request.auth


class RegisterView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "register"

    @extend_schema(
        operation_id="register",
        tags=["accounts"],
        summary="Make an account",
        request=RegistrationRequest,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: Account,
            **problem_responses(*BODY, "idempotency-in-flight", "idempotency-key-reused"),
        },
        examples=[examples.REGISTRATION, examples.ACCOUNT],
    )
    def post(self, request: Request) -> HttpResponse:
        """An `Idempotency-Key` belongs to the account the request makes: the same key with
        another username is another key.
        """
        account = NewAccount(**read(RegistrationRequest, request))
        plain = django_request(request)
        key = headers.key_of(plain)
        if key is None:
            return self.answer(account)
        owned = hashlib.sha256(f"{account.username.lower()}\n{key}".encode()).hexdigest()
        return response_of(
            once(
                user_id=NOBODY,
                key=f"register:{owned}",
                fingerprint=headers.fingerprint_of(plain),
                act=lambda: answer_of(self.answer(account)),
            )
        )

    def answer(self, account: NewAccount) -> Response:
        made = register(account=account)
        return Response(Account(made).data, status=status.HTTP_201_CREATED)


class LoginView(APIView):
    permission_classes = (AllowAny,)
    throttle_classes = ()  # counted below, where the name is known: one round trip

    @extend_schema(
        operation_id="login",
        tags=["accounts"],
        summary="Log in by username or e-mail",
        request=LoginRequest,
        responses={200: LoginAnswer, **problem_responses("not-authenticated", *BODY)},
        examples=[examples.LOGIN, examples.LOGGED_IN],
    )
    def post(self, request: Request) -> Response:
        """Unknown name, wrong password and closed account are one and the same answer."""
        said = read(LoginRequest, request)
        plain = django_request(request)
        throttles.check(plain, "login", subject=said["username"].lower())
        done = log_in(
            name=said["username"], password=said["password"], address=client_address(plain)
        )
        return Response(
            {
                "access": done.tokens.access,
                "refresh": done.tokens.refresh,
                "user": Account(done.user).data,
            }
        )


class RefreshView(APIView):
    permission_classes = (AllowAny,)
    throttle_scope = "account"

    @extend_schema(
        operation_id="refresh",
        tags=["accounts"],
        summary="Trade a refresh token for new tokens",
        request=RefreshRequest,
        responses={
            200: Tokens,
            **problem_responses("not-authenticated", "token-expired", *BODY),
        },
        examples=[examples.REFRESH, examples.TOKENS],
    )
    def post(self, request: Request) -> Response:
        """The old refresh token is dead. Whoever sends a dead one again ends the login."""
        tokens = refresh_tokens(refresh=read(RefreshRequest, request)["refresh"])
        return Response({"access": tokens.access, "refresh": tokens.refresh})


class LogoutView(APIView):
    throttle_scope = "account"

    @extend_schema(
        operation_id="logout",
        tags=["accounts"],
        summary="End a login",
        request=RefreshRequest,
        responses={
            204: OpenApiResponse(description="Ended, for good."),
            **problem_responses(*SIGNED_IN),
        },
        examples=[examples.REFRESH],
    )
    def post(self, request: Request) -> Response:
        """Every token of that login, access and refresh, is dead at once and everywhere."""
        log_out(caller=_caller(request), refresh=read(RefreshRequest, request)["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    @extend_schema(
        operation_id="read_profile",
        tags=["accounts"],
        summary="My profile",
        responses={
            200: Profile,
            **problem_responses("not-authenticated", "token-expired", "throttled", "unavailable"),
        },
    )
    def get(self, request: Request) -> Response:
        return Response(Profile(load_account(user_id=_caller(request).user_id)).data)

    @extend_schema(
        operation_id="change_profile",
        tags=["accounts"],
        summary="Change my profile",
        request=ProfileChange,
        responses={200: Profile, **problem_responses(*SIGNED_IN)},
        examples=[examples.PROFILE_CHANGE],
    )
    def patch(self, request: Request) -> Response:
        """Names, e-mail and phone number; other members are ignored."""
        changes = read(ProfileChange, request)
        user = update_profile(user_id=_caller(request).user_id, changes=changes)
        return Response(Profile(user).data)


class PasswordView(APIView):
    throttle_scope = "account"

    @extend_schema(
        operation_id="change_password",
        tags=["accounts"],
        summary="Change my password",
        request=PasswordChangeRequest,
        responses={
            204: OpenApiResponse(description="Changed; my other logins have ended."),
            **problem_responses(*SIGNED_IN),
        },
        examples=[examples.PASSWORD_CHANGE],
    )
    def post(self, request: Request) -> Response:
        """Ends every other login of the account; the one that asks goes on."""
        said = read(PasswordChangeRequest, request)
        change_password(caller=_caller(request), **said)
        return Response(status=status.HTTP_204_NO_CONTENT)
