"""Say that staff changed what cancelling costs: a fact, so that the trail has it."""

from django.db import transaction

from config.outbox.facts import Fact, append
from reservations.models import CancellationTable


def note_changed_rules(*, table_id: int, actor_id: int | None) -> None:
    """Grow the table's revision and write the fact `cancellation-rules.changed`, with the rules as
    they are now.

    Must run inside the transaction that changes them. Nothing keeps rules in memory: the next quote
    has them. What was given back stays what it was.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a change and its fact belong to one transaction")
    table = CancellationTable.objects.select_for_update().get(pk=table_id)
    table.revision += 1
    table.save(update_fields=["revision"])
    subject = f"cancellation-rules:{table.pk}"
    append(
        Fact(
            event_id=f"{subject}:changed:{table.revision}",
            kind="cancellation-rules.changed",
            subject=subject,
            stage=1,
            number=table.revision,
            body={
                "table": table.name,
                "valid_from": table.valid_from.isoformat(),
                "valid_to": table.valid_to.isoformat() if table.valid_to else None,
                "rules": [
                    {
                        "code": rule.code,
                        "from_hours": rule.from_hours,
                        "gives": rule.gives,
                        "kept_percent": str(rule.kept_percent),
                        "kept_minimum": str(rule.kept_minimum),
                    }
                    for rule in table.rules.all()
                ],
                "actor": actor_id,
            },
        )
    )
