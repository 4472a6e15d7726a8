from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People: accounts, logins, tokens."""

    name = "users"
