"""Accounts and logins in Django's admin."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold import admin as themed
from unfold import forms as themed_forms

from users.models import Login, User
from users.services.end_logins import end_logins

if TYPE_CHECKING:  # generic for the type checker only
    _AccountAdmin = DjangoUserAdmin[User]
    _LoginAdmin = admin.ModelAdmin[Login]
    _GroupAdmin = admin.ModelAdmin[Group]
    _CreationForm = AdminUserCreationForm[User]
else:

    class _AccountAdmin(DjangoUserAdmin, themed.ModelAdmin):
        form = themed_forms.UserChangeForm
        change_password_form = themed_forms.AdminPasswordChangeForm

    class _GroupAdmin(DjangoGroupAdmin, themed.ModelAdmin):
        pass

    _LoginAdmin = themed.ModelAdmin
    _CreationForm = themed_forms.UserCreationForm

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(_GroupAdmin):
    """Django's own, in the theme."""


class AccountCreationForm(_CreationForm):
    class Meta:
        model = User
        fields = ("username", "email")


@admin.register(User)
class UserAdmin(_AccountAdmin):
    """Accounts are closed (`is_active`), never deleted: bookings and the trail name them."""

    add_form = AccountCreationForm
    list_display = ("username", "email", "role", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_active", "date_joined")
    search_fields = ("username", "email", "first_name", "last_name", "phone_number")
    readonly_fields = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "phone_number")}),
        (
            "Rights",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": (
                    "Staff status is the API's role admin, and everything on the staff board. "
                    "A group is a role on the board and in here, and gives nothing at the API."
                ),
            },
        ),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "usable_password", "password1", "password2"),
            },
        ),
    )
    filter_horizontal = ()  # a list of a few groups; two boxes would not fit the page
    actions = ("end_all_logins",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    @admin.action(description="End every login of the selected accounts")
    def end_all_logins(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        ended = sum(end_logins(user_id=user.pk, reason="ended-by-staff") for user in chosen)
        self.message_user(request, f"{ended} login(s) ended.")


@admin.register(Login)
class LoginAdmin(_LoginAdmin):
    """To look at; logins begin and end by the API, or by the action on accounts."""

    list_display = ("sid", "user", "created_at", "expires_at", "ended_at")
    list_select_related = ("user",)
    list_filter = ("created_at", "ended_at")
    search_fields = ("user__username", "=sid")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False
