"""The pages' addresses."""

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.i18n import set_language

from web.booking import cancelling, changing, checkout
from web.booking import views as booking
from web.people import reset, travellers
from web.people import views as people
from web.search import views as search
from web.seats import views as seats

app_name = "web"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", search.landing, name="landing"),
    path("search/", search.results, name="results"),
    path("stations/", search.stations, name="stations"),
    path("departures/<int:departure>/", seats.seats, name="seats"),
    path("departures/<int:departure>/states/", seats.states, name="states"),
    path("departures/<int:departure>/hold/", seats.hold, name="hold"),
    path("holds/<str:hold>/", checkout.checkout, name="checkout"),
    path("holds/<str:hold>/extend/", checkout.extend, name="extend"),
    path("holds/<str:hold>/release/", checkout.release, name="release"),
    path("payments/<uuid:payment>/", checkout.payment, name="payment"),
    path("bookings/", booking.bookings, name="bookings"),
    path("bookings/<str:pnr>/", booking.booking, name="booking"),
    path("bookings/<str:pnr>/change/", changing.change, name="change"),
    path("bookings/<str:pnr>/change/seats/", changing.seats, name="change-seats"),
    path("bookings/<str:pnr>/cancel/", cancelling.cancel, name="cancel"),
    re_path(
        r"^bookings/(?P<pnr>[^/]+)/ticket\.(?P<ending>pdf|ics)$",
        booking.ticket_file,
        name="ticket-file",
    ),
    path("login/", people.login, name="login"),
    path("register/", people.registration, name="register"),
    path("logout/", people.logout, name="logout"),
    path("profile/", people.profile, name="profile"),
    path("profile/password/", people.password, name="password"),
    path("profile/travellers/new/", travellers.traveller, name="new-traveller"),
    path("profile/travellers/<int:number>/", travellers.traveller, name="traveller"),
    path("profile/travellers/<int:number>/delete/", travellers.delete, name="delete-traveller"),
    path("password/", reset.forgotten, name="forgotten"),
    path("password/<str:who>/<str:token>/", reset.reset, name="reset"),
    path("staff/", include("web.staff.urls")),
    path("theme/", people.theme, name="theme"),
    path("language/", set_language, name="language"),
]

if apps.is_installed("reservations.waitlist"):
    from web.waitlist import views as waitlist

    urlpatterns += [
        path("departures/<int:departure>/waitlist/", waitlist.join, name="join"),
        path("waitlist/", waitlist.entries, name="waitlist"),
        path("waitlist/<str:entry>/", waitlist.entry, name="entry"),
        path("waitlist/<str:entry>/pay/", waitlist.prepay, name="prepay"),
        path("waitlist/<str:entry>/leave/", waitlist.leave, name="leave"),
    ]
