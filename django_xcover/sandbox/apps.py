"""List `django_xcover.sandbox` in INSTALLED_APPS to get `manage.py xcover_sandbox`."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """A Django app of its own: a shop in production never lists it."""

    name = "django_xcover.sandbox"
    label = "xcover_sandbox"
    verbose_name = "XCover sandbox"
