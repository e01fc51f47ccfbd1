"""A headless shop: the API, and nothing of the pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseNotFound
from django.urls import include, path

urlpatterns = [path("xcover/api/v1/", include("django_xcover.api.urls"))]


def handler404(*_: Any, **__: Any) -> HttpResponseNotFound:
    """Answer without a page: those of the example shop link to addresses that are not mounted."""
    return HttpResponseNotFound(b'{"detail": "Not found."}', content_type="application/json")
