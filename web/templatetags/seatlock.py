"""Filters of the pages: money, moments at a station, names for people."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from babel.numbers import format_currency
from django import template
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from web import words

register = template.Library()

_LOCALES: Final = {"en": "en_IN", "hi": "hi_IN"}


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """An amount as the reader's locale writes it, without cents where there are none."""
    locale = _LOCALES.get(get_language() or "en", "en_IN")
    is_whole = amount == amount.to_integral_value()
    text = format_currency(
        amount,
        currency,
        format="¤#,##,##0" if is_whole else None,
        locale=locale,
        currency_digits=not is_whole,
    )
    return str(text)


@register.filter
def clock(moment: datetime) -> str:
    """The hour and minute of a moment that carries its station's zone."""
    return date_format(moment, "H:i", use_l10n=False)


@register.filter
def day(moment: Any) -> str:
    """A short day: Sat 21 Nov. Takes a date, or a moment in its station's zone."""
    return date_format(moment, "D j M", use_l10n=False)


@register.filter
def long_day(moment: Any) -> str:
    return date_format(moment, "l, j F Y", use_l10n=False)


@register.filter
def duration(minutes: int) -> str:
    """Hours and minutes between two moments."""
    hours, left = divmod(int(minutes), 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": left}
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": left}


@register.filter
def days_later(later: datetime, earlier: datetime) -> int:
    """How many calendar days after `earlier` a train arrives, each by its station's clock."""
    return int((later.date() - earlier.date()) / timedelta(days=1))


@register.filter
def minutes_and_seconds(seconds: int) -> str:
    """A countdown's text: 2:59."""
    return f"{seconds // 60}:{seconds % 60:02d}"


register.filter("class_name", words.class_name)
register.filter("position_name", words.position_name)
register.filter("position_mark", words.position_mark)
register.filter("status_name", words.status_name)
register.filter("part_name", words.part_name)
register.filter("entry_state", words.entry_state)
register.filter("rule_name", words.rule_name)
register.filter("refund_state", words.refund_state)
