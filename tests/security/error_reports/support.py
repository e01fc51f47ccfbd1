"""Zoë, whose data carry a marker, what else must not be shown, and every module of the package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import django_xcover
from django_xcover.types import QuoteRequest
from tests.client.conftest import API_KEY, API_SECRET
from tests.security.reporting import MARKER
from tests.sync.webhooks.conftest import SECRET

EMAIL = "marker-zo@example.com"
ZOE: dict[str, Any] = {
    "first_name": MARKER,
    "last_name": MARKER,
    "email": EMAIL,
    "country": "GB",
    "postcode": MARKER,
}
SECRETS = (EMAIL, API_KEY, API_SECRET, "sandbox-key", "sandbox-secret", SECRET)


def request_of(**facts: Any) -> QuoteRequest:
    plain = {"currency": "GBP", "customer_country": "GB", "customer_language": "en", "items": ()}
    return QuoteRequest(**{**plain, **facts})


# The last one needs a shop framework.
APART = ("django_xcover.sandbox", "django_xcover.migrations", "django_xcover.contrib.")
# Older versions of Django have no tasks.
TOO_NEW = () if find_spec("django.tasks") else ("django_xcover.outbox.django_tasks",)


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(django_xcover.__path__, "django_xcover."):
        if not found.name.startswith((*APART, *TOO_NEW)):
            yield importlib.import_module(found.name)
