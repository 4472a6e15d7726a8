"""Give proposed coaches their templates and seats."""

from collections.abc import Sequence

from config.errors import Invalid
from trains import layouts
from trains.models import Coach, VehicleTemplate
from trains.proposals import ProposedCoach


def choose_templates(
    coaches: Sequence[ProposedCoach], *, mode: str, first_order: int = 0
) -> list[Coach]:
    """The coaches as unsaved rows, without a train, in the order proposed.

    A coach that names no template takes one of its class and mode, of its own size if there is
    one; a class without a template has seats without positions. Raises `Invalid` for an unknown
    template, one of another mode, and a coach that says neither seats nor template.
    """
    templates = list(VehicleTemplate.objects.order_by("code"))
    by_code = {template.code: template for template in templates}
    rows = []
    for index, coach in enumerate(coaches):
        if coach.template is None:
            template = _usual([t for t in templates if t.mode == mode], coach)
        elif coach.template in by_code and by_code[coach.template].mode == mode:
            template = by_code[coach.template]
        else:
            said = f"There is no {mode} template {coach.template}."
            raise Invalid({f"coaches.{index}.template": [said]})
        seats = coach.seats or (coach.template and template and _capacity(template))
        if not seats:
            raise Invalid({f"coaches.{index}.seats": ["Give seats, or a template that has them."]})
        rows.append(
            Coach(
                label=coach.label,
                travel_class=coach.travel_class,
                template=template,
                capacity=seats,
                order=first_order + index,
            )
        )
    return rows


def _usual(templates: Sequence[VehicleTemplate], coach: ProposedCoach) -> VehicleTemplate | None:
    of_class = [t for t in templates if t.travel_class == coach.travel_class]
    same_size = [t for t in of_class if _capacity(t) == coach.seats]
    return next(iter(same_size or of_class), None)


def _capacity(template: VehicleTemplate) -> int:
    return layouts.parse(template.layout).capacity
