"""The shapes of requests and answers about accounts; no rule lives here."""

from datetime import UTC
from typing import Any

from rest_framework import serializers

from config.http.fields import Email, Text
from users.models import User

# Longer ones are refused before they are hashed; nobody types them.
PASSWORD_MAX_LENGTH = 256


class PasswordField(Text):
    """Taken as it is typed: blanks at its ends belong to it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=PASSWORD_MAX_LENGTH,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **kwargs,
        )


class RegistrationRequest(serializers.Serializer[Any]):
    username = Text(max_length=150)
    email = Email(max_length=254)
    password = PasswordField()
    password2 = PasswordField(required=False, help_text="If sent, the same again.")
    first_name = Text(max_length=150, required=False, allow_blank=True)
    last_name = Text(max_length=150, required=False, allow_blank=True)
    phone_number = Text(max_length=20, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.pop("password2", attrs["password"]) != attrs["password"]:
            raise serializers.ValidationError({"password2": ["The two passwords differ."]})
        return attrs


class Account(serializers.ModelSerializer[User]):
    role = serializers.ChoiceField(choices=["user", "admin"], read_only=True)

    class Meta:
        model = User
        fields = ("id", "username", "email", "role")


class Profile(serializers.ModelSerializer[User]):
    role = serializers.ChoiceField(choices=["user", "admin"], read_only=True)
    email = Email(max_length=254)
    date_joined = serializers.DateTimeField(default_timezone=UTC, read_only=True)

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "email",
            "role",
            "first_name",
            "last_name",
            "phone_number",
            "date_joined",
        )


class ProfileChange(serializers.Serializer[Any]):
    """What an owner may change; what is left out stays."""

    email = Email(max_length=254, required=False)
    first_name = Text(max_length=150, required=False, allow_blank=True)
    last_name = Text(max_length=150, required=False, allow_blank=True)
    phone_number = Text(max_length=20, required=False, allow_blank=True)


class LoginRequest(serializers.Serializer[Any]):
    username = Text(max_length=254, help_text="The username or the e-mail.")
    password = PasswordField()


class RefreshRequest(serializers.Serializer[Any]):
    refresh = Text(max_length=2048)


class Tokens(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="For `Authorization: Bearer …`.")
    refresh = serializers.CharField(help_text="Good for one trade at `auth/refresh/`.")


class LoginAnswer(Tokens):
    user = Account()


class PasswordChangeRequest(serializers.Serializer[Any]):
    old_password = PasswordField()
    new_password = PasswordField()
