"""Create and change vehicle templates."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from config.errors import Invalid, NotFound
from config.outbox.facts import append
from trains import facts, layouts
from trains.models import VehicleTemplate


@dataclass(frozen=True, kw_only=True)
class VehicleProposal:
    """A new template; `layout` as JSON values, judged by `layouts.parse`."""

    code: str
    name: str
    mode: str
    travel_class: str
    layout: Any


@dataclass(frozen=True, kw_only=True)
class VehicleChanges:
    """What staff want changed; None leaves a thing as it is."""

    name: str | None = None
    mode: str | None = None
    travel_class: str | None = None
    layout: Any = None


def create_vehicle(*, proposal: VehicleProposal, actor_id: int | None) -> VehicleTemplate:
    """Make the template. Raises `Invalid`: a code in use, a layout that is none."""
    layouts.parse(proposal.layout)
    with transaction.atomic():
        template = _insert(proposal)
        append(
            facts.vehicle_created(template_id=template.pk, code=template.code, actor_id=actor_id)
        )
    return template


def _insert(proposal: VehicleProposal) -> VehicleTemplate:
    try:
        with transaction.atomic():
            return VehicleTemplate.objects.create(
                code=proposal.code,
                name=proposal.name,
                mode=proposal.mode,
                travel_class=proposal.travel_class,
                layout=proposal.layout,
            )
    except IntegrityError:
        raise Invalid({"code": ["A template with this code exists."]}) from None


def change_vehicle(*, code: str, changes: VehicleChanges, actor_id: int | None) -> VehicleTemplate:
    """Change the template and return it. Raises `NotFound`, `Invalid`.

    Seats that were made from it stay where they are; coaches to come follow the new layout.
    """
    if changes.layout is not None:
        layouts.parse(changes.layout)
    with transaction.atomic():
        template = VehicleTemplate.objects.select_for_update(no_key=True).filter(code=code).first()
        if template is None:
            raise NotFound(f"There is no template {code}.")
        changed = [
            name
            for name in ("name", "mode", "travel_class", "layout")
            if getattr(changes, name) not in (None, getattr(template, name))
        ]
        if changed:
            for name in changed:
                setattr(template, name, getattr(changes, name))
            template.revision += 1
            template.save(update_fields=[*changed, "revision"])
            append(
                facts.vehicle_changed(
                    template_id=template.pk,
                    code=template.code,
                    revision=template.revision,
                    fields=changed,
                    actor_id=actor_id,
                )
            )
    return template
