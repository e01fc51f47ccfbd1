"""The webhook URLs, included by `django_xcover.urls`."""

from __future__ import annotations

from django.urls import path

from django_xcover.webhooks import views

urlpatterns = [
    path("", views.receive, name="webhook"),
    path("<str:account>/", views.receive, name="webhook"),
]
