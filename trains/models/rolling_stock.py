"""Coaches, their seats, and the templates both are built from."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from trains import layouts, limits, names
from trains.models.timetable import Train


class VehicleTemplate(models.Model):
    """How a kind of coach or bus is laid out.

    `layout` is `{"unit": "bay" | "row", "capacity": 72, "seats": [{"position", "x", "y",
    "deck"?}, …]}`: `seats` are those of one repeating unit in order of their numbers; seat n of a
    coach sits in unit `(n - 1) // len(seats)` at place `(n - 1) % len(seats)`, and a coach has
    `capacity` of them unless it says otherwise. `x` runs across the coach, `y` along the unit, in
    seat widths; `deck` 1 is above deck 0. Positions and bounds: `trains/layouts.py`.
    """

    class Mode(models.TextChoices):
        RAIL = "rail"
        BUS = "bus"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=100, blank=True)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.RAIL)
    travel_class = models.CharField(max_length=8, validators=[RegexValidator(names.TRAVEL_CLASS)])
    layout = models.JSONField(validators=[layouts.validate])
    revision = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class Coach(models.Model):
    """One coach of a train. Its seats are made by `post_save` and only ever grow in number."""

    train = models.ForeignKey(
        Train, on_delete=models.CASCADE, related_name="coaches", db_index=False
    )
    label = models.CharField(max_length=12, validators=[RegexValidator(names.LABEL)])
    travel_class = models.CharField(max_length=8, validators=[RegexValidator(names.TRAVEL_CLASS)])
    template = models.ForeignKey(
        VehicleTemplate, null=True, on_delete=models.PROTECT, related_name="coaches"
    )
    capacity = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(limits.COACH_SEATS_MAX)]
    )
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("train_id", "order")
        verbose_name_plural = "coaches"
        constraints = (
            models.UniqueConstraint(fields=["train", "label"], name="coach_train_label"),
        )

    def __str__(self) -> str:
        return f"{self.train_id}/{self.label}"


class Seat(models.Model):
    """A numbered seat or berth.

    `ordinal` counts the seats of a train from 0; it is the seat's place in the seat image, never
    changes and is never given to another seat. `number` counts within the coach from 1.
    """

    train = models.ForeignKey(Train, on_delete=models.CASCADE, related_name="seats", db_index=False)
    coach = models.ForeignKey(Coach, on_delete=models.CASCADE, related_name="seats", db_index=False)
    ordinal = models.IntegerField()
    number = models.SmallIntegerField()
    position = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["train", "ordinal"], name="seat_train_ordinal"),
            models.UniqueConstraint(fields=["coach", "number"], name="seat_coach_number"),
        )

    def __str__(self) -> str:
        return f"{self.coach_id}-{self.number}"
