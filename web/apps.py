from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages. Nothing below knows them; `config/urls.py` joins them by string."""

    name = "web"
