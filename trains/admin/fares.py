"""Admin pages of fare tables: the one part of the timetable that staff write here row by row.

Every save grows the table's revision in its own transaction, so that new holds follow.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from trains.admin.bases import ModelAdmin, TabularInline
from trains.models import ClassFare, FareConcession, FareSlab, FareTable
from trains.services.change_fares import touch_fares


class ClassFareInline(TabularInline[ClassFare, FareTable]):
    model = ClassFare
    extra = 0
    show_change_link = True


class ConcessionInline(TabularInline[FareConcession, FareTable]):
    model = FareConcession
    extra = 0


class SlabInline(TabularInline[FareSlab, ClassFare]):
    model = FareSlab
    extra = 0


@admin.register(FareTable)
class FareTableAdmin(ModelAdmin[FareTable]):
    """Tables are ended (`valid_to`) and followed by others, not deleted."""

    list_display = ("name", "valid_from", "valid_to", "revision")
    inlines = (ClassFareInline, ConcessionInline)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touch_fares(table_id=form.instance.pk, actor_id=request.user.pk)


@admin.register(ClassFare)
class ClassFareAdmin(ModelAdmin[ClassFare]):
    """A class of one table, with its distance slabs."""

    list_display = ("table", "travel_class", "base", "per_km", "reservation", "tax_percent")
    list_select_related = ("table",)
    list_filter = ("table",)
    inlines = (SlabInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        del request, obj
        return ("table",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touch_fares(table_id=form.instance.table_id, actor_id=request.user.pk)
