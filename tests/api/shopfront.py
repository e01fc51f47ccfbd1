"""A headless shop: the API, and nothing of the pages."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("xcover/api/v1/", include("django_xcover.api.urls"))]
