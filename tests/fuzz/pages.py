"""Everything that shows what was stored of an answer: pages, the API and the admin.

An answer that was taken and cannot be shown is an error all the same, a few seconds later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import django.contrib.admin
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Q
from django.test import Client, override_settings
from django.urls import include, path

import django_xcover
from django_xcover.models import QuotePackage
from django_xcover.policies.documents import KINDS
from tests.checkout.shopfront import FRONT
from tests.fuzz.report import Report
from tests.fuzz.sale import order_reference
from tests.security.walking import addresses
from tests.shop import Cart

urlpatterns = [
    path("admin/", django.contrib.admin.site.urls),
    path("xcover/api/v1/", include("django_xcover.api.urls")),
    path("xcover/", include("django_xcover.urls")),
]
SETTINGS: dict[str, Any] = {
    "ROOT_URLCONF": __name__,
    # Its clocks show neither the first nor the last day of UTC's calendar.
    "TIME_ZONE": "Pacific/Kiritimati",
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [
                Path(module.__path__[0]) / "templates"
                for module in (django_xcover, django.contrib.admin)
            ],
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "tests.checkout.shopfront.with_cart",
    ],
}
# The rows that an address below these is about.
ROWS = {
    "cancellations": "cancellation",
    "modifications": "modification",
    "changes": "modification",
    "renewals": "renewal",
}
# Addresses that are posted to, or show nothing of what is stored.
POSTED = {"confirm", "abandon", "price", "decline", "cancellations", "modifications"}
ADMINS_OWN = {"add", "delete", "history", "resume", "accountpause", "<object_id>"}
NO_PAGE = 405
ADMIN = "/admin/xcover/"
OFFER = "/xcover/offer/"
ADMIN_OF_OFFER = f"{ADMIN}quotepackage/<pk>/change/"
# Of `mutations.HTML` and of an address, as a browser would obey them.
MARKUP = (b"<img src=x", b"<script>alert", b'href="javascript:')
PLACES = {name: f"<{name}>" for name in ("quote_id", "kind", "pk", "reference", "object_id")}


class Pages:
    """What can be looked at, by a shopper and by staff.

    The shopper is no user: a quote is never shown to somebody else than it was made for.
    """

    def __init__(self) -> None:
        self._shopper = Client(raise_request_exception=False)
        self._staff = Client(raise_request_exception=False)
        self._staff.force_login(User.objects.create_superuser("fuzz", password="x"))
        every = [*addresses(PLACES, below="/xcover/"), *addresses(PLACES, below=ADMIN)]
        shown = [one for one in every if not {one.split("/")[-2]} & (POSTED | ADMINS_OWN)]
        found = [one for one in shown if self._open(one).status_code != NO_PAGE]
        self._of_offers = [one for one in found if "/offer/" in one or "/quotepackage/" in one]
        self._of_orders = [one for one in found if "/offer/" not in one]

    def look(self, random: Random, cart: Cart, report: Report) -> None:
        """Open one page about `cart` and note whether it can be shown."""
        FRONT.cart, FRONT.shopper = cart, "ana"
        pattern, address = self._address(random, cart)
        self._note(pattern, self._open(address), report)

    def look_at_offer(self, cart: Cart, report: Report) -> None:
        """Open every page about the offer for `cart`, and note what cannot be shown."""
        FRONT.cart, FRONT.shopper = cart, "ana"
        for pattern in (OFFER, ADMIN_OF_OFFER):
            package = QuotePackage.objects.filter(cart_reference=cart.reference).last()
            address = pattern.replace("<pk>", str(package.pk if package else 0))
            self._note(pattern, self._open(address), report)

    def _note(self, pattern: str, response: Any, report: Report) -> None:
        report.outcomes[f"page: {response.status_code}"] += 1
        if wrong := wrong_with(response):
            error = repr(getattr(response, "exc_info", None))
            report.fault(f"page {pattern} {wrong}", error=error)

    def _open(self, address: str) -> Any:
        client = self._staff if address.startswith(ADMIN) else self._shopper
        return client.get(address)

    def _address(self, random: Random, cart: Cart) -> tuple[str, str]:
        """Return an address at which there is something, and the pattern it is made of."""
        mine = Q(cart_reference=cart.reference) | Q(order_reference=order_reference(cart))
        package = QuotePackage.objects.filter(mine).order_by("pk").last()
        if package is None:
            return OFFER, OFFER
        while True:
            pattern = random.choice(self._of_orders if package.order_reference else self._of_offers)
            row = _row(pattern, package)
            if row is not None or not re.search("<(pk|object_id)>", pattern):
                return pattern, _filled(random, pattern, package, row)


def wrong_with(response: Any) -> str:
    """Return what must not be with a page, "" when nothing is."""
    if response.status_code >= 500:
        return "cannot be shown"
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and any(text in response.content for text in MARKUP):
        return "has markup of XCover's"
    return ""


@contextmanager
def opened() -> Iterator[Pages]:
    """Mount the pages, with somebody in front of them."""
    try:
        with override_settings(**SETTINGS):
            yield Pages()
    finally:
        FRONT.__init__()  # type: ignore[misc]


def _filled(random: Random, pattern: str, package: QuotePackage, row: Any) -> str:
    """Return the address `pattern` with what belongs to `package` in its places."""
    values = {
        "quote_id": random.choice([quote.quote_id for quote in package.quotes.all()] or ["none"]),
        "kind": random.choice(KINDS),
        "pk": str(row.pk if row else 0),
        "object_id": str(row.pk if row else 0),
        "reference": package.order_reference or "none",
    }
    for name, value in values.items():
        pattern = pattern.replace(f"<{name}>", value)
    return pattern


def _row(pattern: str, package: QuotePackage) -> Any:
    """Return the newest row of `package` that `pattern`, such as `…/renewals/<pk>/`, is about."""
    name = re.search(r"(\w+)/<(pk|object_id)>", pattern)
    if name is None:
        return None
    # A guest's link names a package, and then a cancellation.
    kind = "cancellation" if "/withdraw/" in pattern else name[1]
    model = apps.get_model("xcover", ROWS.get(kind, kind))
    rows = model._default_manager.order_by("pk")
    known = {one.name for one in model._meta.get_fields()}
    for owner in ("package", "quote__package"):
        if owner.partition("__")[0] in known:
            return rows.filter(**{owner: package}).last()
    return package if model is QuotePackage else rows.last()
