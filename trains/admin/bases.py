"""What the admin pages of the timetable share."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold import admin as themed

if TYPE_CHECKING:  # generic for the type checker only
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    ModelForm = forms.ModelForm
else:

    class _Generic:
        def __class_getitem__(cls, models: Any) -> type:
            del models
            return cls

    class ModelAdmin(_Generic, themed.ModelAdmin):
        """Takes its model in brackets; looks as the theme has it."""

    class TabularInline(_Generic, themed.TabularInline):
        """Takes its models in brackets."""

    class ModelForm(_Generic, forms.ModelForm):
        """Takes its model in brackets."""


class NothingDeleted:
    """The timetable's rows are referred to for good; they are closed or outgrown, not deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False


class ReadOnly(NothingDeleted):
    """Shown to staff, changed elsewhere."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False
