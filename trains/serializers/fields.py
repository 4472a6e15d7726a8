"""Fields that several shapes share."""

import math
from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.http.fields import Amount
from trains import limits

DAY_SECONDS = 86_400


@extend_schema_field({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"})
class ClockField(serializers.TimeField):
    """A time of day, `08:00` or `08:00:30`, as seconds after midnight."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M", "%H:%M:%S"], **kwargs)

    def to_internal_value(self, value: Any) -> int:  # type: ignore[override]  # seconds, not a time
        at = super().to_internal_value(value)
        return at.hour * 3600 + at.minute * 60 + at.second


class DegreesField(serializers.FloatField):
    """Degrees up to `limit` on both sides of zero; not a number is none."""

    def __init__(self, *, limit: int, **kwargs: Any) -> None:
        super().__init__(min_value=-limit, max_value=limit, **kwargs)

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class MomentField(serializers.DateTimeField):
    """A moment, in UTC in both directions: DRF's own field would speak TIME_ZONE."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


def distance_field(**kwargs: Any) -> Amount:
    """Kilometres; anything finer than 0.1 is rounded later."""
    return Amount(
        max_digits=12, decimal_places=6, min_value=0, max_value=limits.DISTANCE_KM_MAX, **kwargs
    )


def clock_text(seconds: int) -> str:
    """Seconds after the start of the service day as the clock shows them: `08:00`, `08:00:30`."""
    minutes, second = divmod(seconds % DAY_SECONDS, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{second:02}" if second else text
