"""Oscar's URLs, the payment provider's, then those of docs/oscar.md."""

from __future__ import annotations

import page
from django.apps import apps
from django.contrib import admin
from django.urls import include, path

from myshop import gateway

urlpatterns = [
    path("admin/", admin.site.urls),
    path("gateway/<str:reference>/", gateway.page, name="gateway"),
    path("", include(apps.get_app_config("oscar").urls[0])),
]

exec(page.block("urlpatterns = "), globals())
