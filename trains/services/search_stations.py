"""Find the stations a traveller may mean, best match first."""

import re

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Length

from trains.models import Station


def search_stations(*, text: str) -> QuerySet[Station]:
    """Stations matching `text`, ordered: exact code, exact name, code prefix, name prefix, word
    prefix, substring; shorter names first among equals. Empty text: all of them, by code.
    """
    wanted = text.strip()
    if not wanted:
        return Station.objects.order_by("code")
    ranked = (
        Q(code__iexact=wanted),
        Q(name__iexact=wanted),
        Q(code__istartswith=wanted),
        Q(name__istartswith=wanted),
        Q(name__iregex=rf"\m{re.escape(wanted)}"),
        Q(name__icontains=wanted) | Q(code__icontains=wanted),
    )
    cases = (When(condition, then=Value(rank)) for rank, condition in enumerate(ranked))
    return (
        Station.objects.annotate(
            rank=Case(*cases, default=None, output_field=IntegerField(null=True))
        )
        .filter(rank__isnull=False)
        .order_by("rank", Length("name"), "code")
    )
