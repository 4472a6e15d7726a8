from importlib import import_module

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People: accounts, logins, tokens."""

    name = "users"

    def ready(self) -> None:
        import_module("users.schema")  # registers itself with the API's description
