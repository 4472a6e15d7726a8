"""Addresses under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from analytics.reports import views as reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("analytics/top-routes/", reports.TopRoutesView.as_view()),
    path("analytics/funnel/", reports.FunnelView.as_view()),
    path("analytics/latency/", reports.LatencyView.as_view()),
    path("analytics/occupancy/", reports.OccupancyView.as_view()),
    path("analytics/demand/", reports.DemandView.as_view()),
]
