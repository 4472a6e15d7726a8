"""Addresses under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from users import guest_views, key_views, traveller_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/register/", views.RegisterView.as_view(), name="register"),
    path("auth/login/", views.LoginView.as_view(), name="login"),
    path("auth/refresh/", views.RefreshView.as_view(), name="refresh"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("auth/me/", views.MeView.as_view(), name="me"),
    path("auth/travellers/", traveller_views.TravellersView.as_view(), name="travellers"),
    path("auth/travellers/<int:traveller>/", traveller_views.TravellerView.as_view()),
    path("auth/password/", views.PasswordView.as_view(), name="password"),
    path("auth/guest/", guest_views.GuestView.as_view(), name="guest"),
    path("auth/guest/claims/", guest_views.ClaimsView.as_view()),
    path("auth/guest/claims/confirm/", guest_views.ClaimCodeView.as_view()),
    path("agents/customers/", guest_views.CustomersView.as_view(), name="customers"),
    path("operations/keys/", key_views.KeysView.as_view(), name="api-keys"),
    path("operations/keys/<str:prefix>/", key_views.KeyView.as_view()),
]
