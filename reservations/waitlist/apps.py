from django.apps import AppConfig


class WaitlistConfig(AppConfig):
    """The waitlist: joined, served, closed. May be left out (`APPS_LEFT_OUT`)."""

    name = "reservations.waitlist"
    label = "waitlist"

    def ready(self) -> None:
        from config.outbox import consumers
        from reservations.availability import waiting
        from reservations.services import erase_passengers, wait_instead
        from reservations.waitlist import consume_facts, erase, queue
        from reservations.waitlist.services.join_waitlist import join_instead
        from reservations.waitlist.services.move_entries import move_entries
        from trains import hooks
        from users.hooks import register_heir

        waiting.register(queue.read_waiting)
        wait_instead.register(join_instead)
        erase_passengers.register(erase.erase_party)
        hooks.register_guard(queue.trains_waited_for)
        hooks.register_keeper(queue.departures_waited_for)
        register_heir(move_entries)
        consumers.subscribe("waitlist.", consume_facts.follow_the_rows)
        consumers.subscribe("booking.confirmed", consume_facts.confirm_entries)
        consumers.subscribe("booking.cancelled", consume_facts.serve_who_waits)
        consumers.subscribe("booking.seats-cancelled", consume_facts.serve_who_waits)
        consumers.subscribe("booking.seats-exchanged", consume_facts.serve_who_waits)
        consumers.subscribe("departure.", consume_facts.serve_who_waits)
