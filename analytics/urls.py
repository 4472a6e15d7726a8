"""Addresses under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from analytics.operations import views as operations
from analytics.reports import views as reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("analytics/top-routes/", reports.TopRoutesView.as_view()),
    path("analytics/funnel/", reports.FunnelView.as_view()),
    path("analytics/latency/", reports.LatencyView.as_view()),
    path("analytics/occupancy/", reports.OccupancyView.as_view()),
    path("analytics/demand/", reports.DemandView.as_view()),
    path("operations/bookings/", operations.BookingsView.as_view()),
    path("operations/statistics/", operations.StatisticsView.as_view()),
    path("operations/dashboard/", operations.DashboardView.as_view()),
    path("operations/holds/", operations.HoldsView.as_view()),
    path("operations/holds/<str:hold>/release/", operations.ReleaseHoldView.as_view()),
    path("operations/audit/", operations.AuditView.as_view()),
]
