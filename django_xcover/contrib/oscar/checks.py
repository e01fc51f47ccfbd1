"""The system check of a shop's set-up."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from django_xcover.adapters import get_adapter
from django_xcover.contrib.oscar.adapter import OscarAdapter, oscar_adapter

LOADER = "django_xcover.contrib.oscar.loading.load_classes"


def check_setup(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each part of the set-up that is missing."""
    return [*_check_loader(), *_check_adapter(), *_check_order()]


def _check_loader() -> list[CheckMessage]:
    if getattr(settings, "OSCAR_DYNAMIC_CLASS_LOADER", "") == LOADER:
        return []
    return [
        Error(
            "OSCAR_DYNAMIC_CLASS_LOADER is not that of django_xcover.contrib.oscar, so no order "
            "gets its cover.",
            hint=f'Set OSCAR_DYNAMIC_CLASS_LOADER = "{LOADER}" below the import of oscar.defaults.',
            id="xcover_oscar.E001",
        )
    ]


def _check_adapter() -> list[CheckMessage]:
    try:
        get_adapter()
    except ImproperlyConfigured:
        return []  # xcover.E001 or xcover.E002 says so
    try:
        adapter = oscar_adapter()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Derive your adapter from it.", id="xcover_oscar.E002")]
    if type(adapter).charged_by_xcover is OscarAdapter.charged_by_xcover:
        return []
    return [
        Error(
            "The adapter overrides charged_by_xcover, but the premium is in the total of Oscar's "
            "order: the customer would be charged twice.",
            hint="Remove the method. Dual payment isn't available with this app.",
            id="xcover_oscar.E004",
        )
    ]


def _check_order() -> list[CheckMessage]:
    labels = [config.label for config in apps.get_app_configs()]
    if labels.index("xcover_oscar") < labels.index("oscar"):
        return []
    return [
        Error(
            "django_xcover.contrib.oscar stands below Oscar in INSTALLED_APPS, so the offer isn't "
            "in the checkout.",
            hint="Put it above: its templates extend Oscar's.",
            id="xcover_oscar.E003",
        )
    ]
