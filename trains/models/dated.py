"""Tables of data that are valid for some service dates, one at a time."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q


def one_at_a_time(*, begins: str, overlaps: str, refusal: str) -> tuple[models.BaseConstraint, ...]:
    """Constraints of a model with `valid_from` and `valid_to` (None: without end), both included.

    `begins`, `overlaps`: names of the two, for messages and migrations. `refusal`: what is said of
    a row that is valid on a date of another.
    """
    days = Func(
        F("valid_from"),
        F("valid_to"),
        RangeBoundary(inclusive_lower=True, inclusive_upper=True),
        function="DATERANGE",
        output_field=DateRangeField(),
    )
    return (
        models.CheckConstraint(
            name=begins,
            condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
            violation_error_message="It must not end before it begins.",
        ),
        ExclusionConstraint(
            name=overlaps,
            expressions=[(days, RangeOperators.OVERLAPS)],
            violation_error_message=refusal,
        ),
    )
