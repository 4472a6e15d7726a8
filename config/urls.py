"""The one place where the apps' addresses are joined, by string."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    # First, because addresses are tried in order, and these are asked for most.
    path("api/v1/", include("reservations.urls")),
    # Before the timetable: one departure is shown by whoever sells it, and changed by staff there.
    path("api/v1/", include("reservations.api.departures.urls")),
    path("admin/", admin.site.urls),
    path("", include("config.http.urls")),
    path("api/v1/", include("users.urls")),
    path("api/v1/", include("trains.urls")),
    path("api/v1/", include("analytics.urls")),
]
# Apps that may be left out (APPS_LEFT_OUT).
urlpatterns += [
    path("api/v1/", include(f"{name}.urls"))
    for name in ("reservations.tickets", "reservations.waitlist", "reservations.webhooks")
    if apps.is_installed(name)
]

if apps.is_installed("reservations.payments"):  # its sandbox has a page, outside the API
    urlpatterns.append(path("", include("reservations.payments.urls")))

urlpatterns.append(path("", include("web.urls")))

handler400 = "config.http.problems.bad_request"
handler403 = "web.refusals.permission_denied"
handler404 = "web.refusals.page_not_found"
handler500 = "web.refusals.server_error"
