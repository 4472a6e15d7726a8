from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Outbound webhooks, to the Standard Webhooks specification. May be left out."""

    name = "reservations.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from config.outbox import consumers
        from reservations.webhooks.events import EVENTS
        from reservations.webhooks.write_down import write_down

        for kind in EVENTS:
            # Facts of bookings the engine subscribes itself.
            is_ours_to_ask = not kind.startswith("booking.")
            consumers.subscribe(kind, write_down, wanted=is_ours_to_ask)
