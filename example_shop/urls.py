"""The shop at /, the admin at /admin/, insurance at /xcover/."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("example_shop.shop_urls")),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    path("xcover/", include("django_xcover.urls")),
]
