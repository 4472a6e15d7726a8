"""What a gateway and we see differently: listed for staff, counted, settled with a note."""

from collections.abc import Mapping

from django.db import transaction

from config import clock
from config.errors import NotFound
from config.outbox.facts import Fact, append
from reservations.errors import IllegalState
from reservations.payments.models import Difference, Payment
from users.models import User


def note_difference(  # noqa: PLR0913  # what both sides say of one thing
    *,
    provider: str,
    kind: str,
    about: str,
    payment: Payment | None = None,
    ours: Mapping[str, str] | None = None,
    theirs: Mapping[str, str] | None = None,
) -> None:
    """List it; the same difference (provider, kind, about) is listed once."""
    Difference.objects.get_or_create(
        key=f"{provider}:{kind}:{about}"[:120],
        defaults={
            "provider": provider,
            "kind": kind,
            "payment": payment,
            "ours": dict(ours or {}),
            "theirs": {"reference": about, **(theirs or {})},
        },
    )


def settle_difference(*, difference: int, actor: User, note: str) -> Difference:
    """Staff looked at it and say why it is right. Raises `NotFound`, `IllegalState`."""
    with transaction.atomic():
        found = Difference.objects.select_for_update().filter(pk=difference).first()
        if found is None:
            raise NotFound("There is no such difference")
        if found.settled_at is not None:
            raise IllegalState("It is settled already.", "settled")
        found.settled_at, found.settled_by, found.note = clock.now(), actor, note
        found.save(update_fields=["settled_at", "settled_by", "note"])
        append(
            Fact(
                event_id=f"difference-{found.pk}:settled",
                kind="staff.difference_settled",
                subject=f"difference:{found.pk}",
                stage=1,
                body={"actor": actor.pk, "kind": found.kind, "reason": note},
            )
        )
    return found
