"""The facts of endpoints, as they go into the outbox. Ids and reasons; no address is told.

| fact | subject | stage |
|---|---|---|
| `webhook.registered` | `webhook:<endpoint>` | 0 |
| `webhook.changed`, `webhook.secret-rotated`, `webhook.enabled`, `webhook.disabled`, `webhook.replayed` | the same | 1 |
| `webhook.deleted` | the same | 2 |
"""  # noqa: E501  # a table reads best unbroken

from typing import Any, Final
from uuid import UUID, uuid4

from config.outbox.facts import Fact

STAGE: Final = {
    "registered": 0,
    "changed": 1,
    "secret-rotated": 1,
    "enabled": 1,
    "disabled": 1,
    "replayed": 1,
    "deleted": 2,
}


def endpoint_fact(endpoint: UUID, what: str, **body: Any) -> Fact:
    """`body`: `actor` where a member of staff acted, `reason`, ids."""
    subject = f"webhook:{endpoint}"
    once = "" if STAGE[what] != 1 else f":{uuid4()}"
    return Fact(
        event_id=f"{subject}:{what}{once}",
        kind=f"webhook.{what}",
        subject=subject,
        stage=STAGE[what],
        body={"webhook": str(endpoint), **body},
    )
