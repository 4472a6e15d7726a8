"""Admin pages of stations, feeds and calendars."""

from django.contrib import admin

from trains.admin.bases import ModelAdmin, NothingDeleted, ReadOnly
from trains.models import Feed, ServiceCalendar, Station
from trains.proposals import weekday_names


@admin.register(Feed)
class FeedAdmin(ReadOnly, ModelAdmin[Feed]):
    list_display = ("code", "name", "timezone", "imported_at")


@admin.register(ServiceCalendar)
class ServiceCalendarAdmin(ReadOnly, ModelAdmin[ServiceCalendar]):
    list_display = ("service_id", "feed", "days", "start_date", "end_date")
    list_select_related = ("feed",)
    list_filter = ("feed",)
    search_fields = ("service_id",)

    @admin.display(description="days")
    def days(self, calendar: ServiceCalendar) -> str:
        return " ".join(weekday_names(calendar.weekdays))


@admin.register(Station)
class StationAdmin(NothingDeleted, ModelAdmin[Station]):
    list_display = ("code", "name", "latitude", "longitude", "timezone", "feed")
    list_select_related = ("feed",)
    list_filter = ("feed",)
    search_fields = ("code", "name")
    readonly_fields = ("feed",)
