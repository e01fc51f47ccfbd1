"""Run with a Python that has the built wheel and not this checkout: a sale from quote to policy.

Whatever the wheel forgot (a template, a static file, a migration, the sandbox) shows here.
"""

from __future__ import annotations

import importlib.metadata
import pathlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import django
from django.conf import settings

ACCOUNT = {
    "BASE_URL": "http://127.0.0.1:9/x",
    "PARTNER_CODE": "SHOP1",
    "API_KEY": "key",
    "API_SECRET": "secret",
}
settings.configure(
    SECRET_KEY="for this script only",
    USE_TZ=True,
    ROOT_URLCONF="django_xcover.urls",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
        "django_xcover",
        "django_xcover.sandbox",
    ],
    STATIC_URL="static/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    XCOVER={
        "ADAPTER": "try_it.Adapter",
        "ACCOUNTS": {"default": ACCOUNT},
        # A thread would have an in-memory database of its own, without tables.
        "OFFER_THREADS": 0,
    },
)
django.setup()

from django.contrib.staticfiles import finders  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.template.loader import get_template  # noqa: E402

from django_xcover.adapters import ShopAdapter  # noqa: E402
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest  # noqa: E402

ORDER = SimpleNamespace(number="ORD-1")
CART = SimpleNamespace(reference="cart-1")


class Adapter(ShopAdapter):
    def get_cart(self, request: HttpRequest) -> Any:
        return CART

    def get_cart_reference(self, cart: Any) -> str:
        return str(cart.reference)

    def get_quote_request(self, cart: Any) -> QuoteRequest:
        fields = {
            "event_datetime": datetime(2030, 6, 20, tzinfo=UTC),
            "event_name": "Harbour Lights",
            "event_location": "Dover",
            "event_country": "GB",
            "number_of_tickets": 1,
            "tickets": [{"price": Decimal(60)}],
            "resale_ticket": False,
        }
        item = PolicyRequest(reference="1", policy_type="event_ticket_protection", fields=fields)
        return QuoteRequest(
            currency="GBP", customer_country="GB", customer_language="en", items=(item,)
        )

    def get_order_reference(self, order: Any) -> str:
        return str(order.number)

    def get_order(self, reference: str) -> Any:
        return ORDER

    def get_policyholder(self, order: Any) -> Policyholder:
        return Policyholder(
            first_name="Ana", last_name="Rossi", email="ana@example.com", country="GB"
        )


def sell() -> str:
    """Quote, accept, pay and book one ticket; return the status of the package."""
    from django_xcover import worker
    from django_xcover.models import Operation, QuotePackage
    from django_xcover.offers import carts, choices, quoting
    from django_xcover.signals import payment_completed

    cart = carts.read_cart(HttpRequest())
    assert cart is not None
    offer = quoting.fresh_offer(cart)
    assert offer is not None, "no offer"
    quote_id = offer.quotes[0].quote_id
    choices.choose(cart, quote_id=quote_id, accepted=True, template_version="wheel")
    payment_completed.send(sender=object, order=ORDER, cart=CART)
    worker.run(Operation.objects.get().pk)
    return QuotePackage.objects.get().status


def mounted() -> Any:
    """Return a client whose calls a local XCover answers in this process."""
    import requests

    from django_xcover.client import XCoverClient
    from django_xcover.sandbox import Sandbox
    from django_xcover.sandbox.http.adapter import mount

    session = requests.Session()
    mount(
        session,
        ACCOUNT["BASE_URL"],
        Sandbox(partner_code="SHOP1", api_key="key", api_secret="secret"),
    )
    names = {key.lower(): value for key, value in ACCOUNT.items()}
    return XCoverClient(**names, session=session)  # type: ignore[arg-type]


def missing_files() -> Iterator[str]:
    """Return what a wheel has to contain besides Python and does not."""
    package = pathlib.Path(sys.modules["django_xcover"].__file__ or "").parent
    if not (package / "py.typed").exists():
        yield "py.typed"
    if not list((package / "locale").glob("*/LC_MESSAGES/django.mo")):
        yield "locale"
    for asset in ("xcover/xcover.js", "xcover/xcover.css"):
        if finders.find(asset) is None:
            yield asset


def main() -> None:
    """Fail loudly unless the installed wheel sells a policy."""
    from django_xcover.clients import factory

    where = str(sys.modules["django_xcover"].__file__)
    assert "site-packages" in where, f"this is the checkout, not the wheel: {where}"
    assert not list(missing_files()), f"the wheel lacks {list(missing_files())}"
    get_template("xcover/offer.html")
    call_command("migrate", verbosity=0)
    call_command("check")
    client = mounted()
    factory.client_for = lambda account: client
    assert sell() == "CONFIRMED"
    version = importlib.metadata.version("django-xcover")
    sys.stdout.write(f"django-xcover {version}: a policy was sold\n")


if __name__ == "__main__":
    sys.modules["try_it"] = sys.modules["__main__"]
    main()
