"""A headless shop that serves the API's description, too."""

from __future__ import annotations

from django.urls import include, path

from tests.api.shopfront import handler404

urlpatterns = [
    path("xcover/api/v1/", include("django_xcover.api.openapi_urls")),
    path("xcover/api/v1/", include("django_xcover.api.urls")),
]
__all__ = ["handler404", "urlpatterns"]
