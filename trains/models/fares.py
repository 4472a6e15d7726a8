"""What seats cost, as dated data: fare tables with classes, distance slabs and concessions.

A table is valid for service dates, not for days of booking. No two may be valid on one date; a
date with none, or a class no table names, is not sold (`trains.errors.FareMissing`).
"""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from trains import names
from trains.models.dated import one_at_a_time

AMOUNT_MAX = Decimal("1000000.00")
AGE_MAX = 130


def _amount(*, digits: int = 9, places: int = 2) -> "models.DecimalField[Decimal, Decimal]":
    """Money in CURRENCY, exact, never negative."""
    bounds = [MinValueValidator(Decimal(0)), MaxValueValidator(AMOUNT_MAX)]
    return models.DecimalField(
        max_digits=digits, decimal_places=places, default=Decimal(0), validators=bounds
    )


def _percent() -> "models.DecimalField[Decimal, Decimal]":
    """0 to 100, to 0.01."""
    bounds = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]
    return models.DecimalField(
        max_digits=5, decimal_places=2, default=Decimal(0), validators=bounds
    )


class FareTable(models.Model):
    """The fares of all service dates from `valid_from` to `valid_to` (None: without end).

    `revision` grows with every change of the table or of what belongs to it. Passengers below
    `accompanied_below_age` travel only with one of at least `adult_from_age`; None asks nobody.
    """

    name = models.CharField(max_length=100, unique=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    adult_from_age = models.PositiveSmallIntegerField(
        default=18, validators=[MaxValueValidator(AGE_MAX)]
    )
    accompanied_below_age = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(AGE_MAX)]
    )
    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("valid_from",)
        constraints = one_at_a_time(
            begins="fare_table_ends_after_it_begins",
            overlaps="fare_tables_do_not_overlap",
            refusal="Another fare table is valid on some of these dates.",
        )

    def __str__(self) -> str:
        return self.name


class ClassFare(models.Model):
    """What a class costs; `travel_class` blank stands for every class without a row of its own.

    `per_km` counts from the first kilometre until a slab begins.
    """

    table = models.ForeignKey(FareTable, on_delete=models.CASCADE, related_name="class_fares")
    travel_class = models.CharField(
        max_length=8, blank=True, validators=[RegexValidator(names.TRAVEL_CLASS)]
    )
    base = _amount()
    per_km = _amount(digits=8, places=4)
    reservation = _amount()
    superfast = _amount()
    tax_percent = _percent()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["table", "travel_class"], name="class_fare_once"),
        )

    def __str__(self) -> str:
        return f"{self.table}: {self.travel_class or 'any other class'}"


class FareSlab(models.Model):
    """Beyond so many kilometres, each kilometre costs this much."""

    class_fare = models.ForeignKey(ClassFare, on_delete=models.CASCADE, related_name="slabs")
    beyond_km = models.DecimalField(
        max_digits=8, decimal_places=1, validators=[MinValueValidator(Decimal("0.1"))]
    )
    per_km = _amount(digits=8, places=4)

    class Meta:
        ordering = ("beyond_km",)
        constraints = (
            models.UniqueConstraint(fields=["class_fare", "beyond_km"], name="fare_slab_once"),
        )

    def __str__(self) -> str:
        return f"beyond {self.beyond_km} km: {self.per_km}"


class FareConcession(models.Model):
    """A percentage off base and distance for passengers of an age, both ends included."""

    table = models.ForeignKey(FareTable, on_delete=models.CASCADE, related_name="concessions")
    code = models.SlugField(max_length=20)
    percent = _percent()
    from_age = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(AGE_MAX)])
    to_age = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(AGE_MAX)]
    )
    gender = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["table", "code"], name="fare_concession_once"),
            models.CheckConstraint(
                name="fare_concession_ages_in_order",
                condition=Q(to_age=None) | Q(to_age__gte=F("from_age")),
                violation_error_message="The last age must not be below the first.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.code}: {self.percent} %"
