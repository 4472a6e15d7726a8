"""Fare tables as the pure function takes them, read from PostgreSQL in one query."""

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from trains.fares import ClassRates, Concession, FareTable

# Amounts travel as text: JSON numbers would become floats.
_TABLES: Final = """
SELECT t.id, t.revision, t.adult_from_age, t.accompanied_below_age,
       (SELECT coalesce(json_agg(json_build_array(
                   c.travel_class, c.base::text, c.per_km::text, c.reservation::text,
                   c.superfast::text, c.tax_percent::text,
                   (SELECT coalesce(json_agg(json_build_array(s.beyond_km::text, s.per_km::text)
                                             ORDER BY s.beyond_km), '[]')
                      FROM trains_fareslab s WHERE s.class_fare_id = c.id))), '[]')
          FROM trains_classfare c WHERE c.table_id = t.id)::text,
       (SELECT coalesce(json_agg(json_build_array(
                   o.code, o.percent::text, o.from_age, o.to_age, o.gender) ORDER BY o.code), '[]')
          FROM trains_fareconcession o WHERE o.table_id = t.id)::text
  FROM trains_faretable t WHERE t.id = ANY(%s)
"""


def read_fare_tables(tables: Collection[int]) -> list[FareTable]:
    """The fare tables with these ids that exist, as they are now; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [list(tables)])
        return [_table(*row) for row in cursor.fetchall()]


def _table(  # noqa: PLR0913, PLR0917  # the columns of the query
    table: int,
    revision: int,
    adult_from_age: int,
    accompanied_below_age: int | None,
    classes: str,
    concessions: str,
) -> FareTable:
    return FareTable(
        id=table,
        revision=revision,
        classes={row[0]: _rates(*row[1:]) for row in json.loads(classes)},
        concessions=tuple(
            Concession(code, Decimal(percent), from_age, to_age, gender)
            for code, percent, from_age, to_age, gender in json.loads(concessions)
        ),
        adult_from_age=adult_from_age,
        accompanied_below_age=accompanied_below_age,
    )


def _rates(  # noqa: PLR0913, PLR0917  # the columns of the query
    base: str, per_km: str, reservation: str, superfast: str, tax_percent: str, slabs: Any
) -> ClassRates:
    later = ((Decimal(beyond), Decimal(rate)) for beyond, rate in slabs)
    return ClassRates(
        base=Decimal(base),
        slabs=((Decimal(0), Decimal(per_km)), *later),
        reservation=Decimal(reservation),
        superfast=Decimal(superfast),
        tax_percent=Decimal(tax_percent),
    )
