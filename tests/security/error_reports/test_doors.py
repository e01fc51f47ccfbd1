"""No error that leaves an entry point carries a customer's data into an error report.

The database goes away at each of their queries in turn.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.test import Client
from django.views.debug import get_exception_reporter_filter
from rest_framework.test import APIClient

from django_xcover import cover, policies, signals, tasks
from django_xcover.models import (
    Operation,
    Quote,
    QuotePackage,
    Withdrawal,
)
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.testing.factories import WebhookDeliveryFactory
from django_xcover.testing.webhooks import sign_delivery
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest
from tests import completion
from tests.admin.conftest import VIEWS
from tests.admin.factories import make_staff
from tests.conftest import Shopper, the_package, work
from tests.security.error_reports.support import EMAIL, SECRETS, ZOE
from tests.security.reporting import MARK, MARKER, errors_at_every_query, leaks
from tests.shop import Adapter, Cart, Shop, ticket
from tests.sync.webhooks.conftest import KEY, SECRET, body_of, xcover

pytestmark = pytest.mark.django_db


class MarkedAdapter(Adapter):
    """A shop whose customer is Zoë, and whose session is named after her."""

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        found = super().get_quote_request(cart)
        return found and replace(found, customer_postcode=MARKER)

    def get_shopper_reference(self, request: Any) -> str:
        return MARKER

    def get_visitor(self, request: Any) -> str:
        return MARKER


def marked_ticket() -> PolicyRequest:
    plain = ticket()
    return replace(plain, fields={**plain.fields, "event_name": MARKER})


@pytest.fixture
def zoe(shopper: Shopper, shop: Shop, settings: Any) -> Shopper:
    """Return a shopper whose cart, order and answers hold the marker everywhere."""
    settings.XCOVER = xcover("tests.security.error_reports.test_doors.MarkedAdapter")
    settings.DEBUG = False
    shopper.cart = shopper.cart.but(items=(marked_ticket(),))
    shop.order(policyholder=Policyholder(**ZOE))
    return shopper


@pytest.fixture
def offered(zoe: Shopper) -> Shopper:
    zoe.says(yes=True)
    return zoe


@pytest.fixture
def booked(offered: Shopper, shop: Shop) -> QuotePackage:
    completion.complete(shop.orders["ORD-1"], offered.cart, paid=True)
    work()
    package = the_package()
    assert package.booked_at
    return package


def tokens() -> list[str]:
    """Return what opens XCover's pages and documents."""
    found = (package.payload.get("security_token") for package in QuotePackage.objects.all())
    return [token for token in found if token]


def check(act: Callable[[], object], *, least: int = 1, atomic: bool = True) -> None:
    """Fail for each error of `act` that shows something; expect `least` errors."""
    secrets = (*SECRETS, *tokens())
    errors = list(errors_at_every_query(act, atomic=atomic))

    assert len(errors) >= least
    assert not {place for error in errors for place in leaks(error, *secrets)}


@pytest.fixture
def front(settings: Any) -> Any:
    """Return a shop that has mounted everything."""
    from tests.checkout.shopfront import FRONT

    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "tests.checkout.shopfront.with_cart",
    ]
    FRONT.__init__()  # type: ignore[misc]
    yield FRONT
    FRONT.__init__()  # type: ignore[misc]


@pytest.fixture
def browser(front: Any, zoe: Shopper) -> Client:
    """Return the browser of Zoë."""
    front.cart, front.shopper = zoe.cart, "ana"
    return Client()


BOTH = [signals.order_completed, signals.payment_completed]


@pytest.mark.parametrize("signal", BOTH)
def test_a_receiver_in_a_broken_transaction(signal: Any, offered: Shopper, shop: Shop) -> None:
    order = shop.orders["ORD-1"]

    check(lambda: signal.send(sender=object, order=order, cart=offered.cart), least=5)


def test_the_cancellation_of_an_order(booked: QuotePackage, shop: Shop) -> None:
    order = shop.orders["ORD-1"]

    check(lambda: signals.order_cancelled.send(sender=object, order=order, reason=MARKER), least=2)


def test_freezing_and_reading_cover(offered: Shopper, request_for: Any) -> None:
    check(lambda: cover.freeze_cover(request_for(offered.cart)), least=3)
    check(lambda: cover.current_cover(request_for(offered.cart)))


@pytest.mark.django_db(transaction=True)
def test_holding_cover(offered: Shopper, request_for: Any) -> None:
    check(lambda: cover.hold_cover(request_for(offered.cart)), least=3, atomic=False)


def test_what_became_of_an_order(booked: QuotePackage, shop: Shop) -> None:
    check(lambda: cover.order_cover(shop.orders["ORD-1"]))


def test_the_offer_and_the_choice_over_http(browser: Client, offered: Shopper) -> None:
    quote_id = Quote.objects.get().quote_id
    answer = {"quote": quote_id, "choice": "no", "shown": MARKER, "name": MARKER}

    check(lambda: browser.get("/xcover/offer/"))
    check(lambda: browser.get("/xcover/offer/page/"))
    check(lambda: browser.post("/xcover/choose/", {**answer, "shown": ""}), least=2)


def test_the_pages_of_a_policy(browser: Client, booked: QuotePackage) -> None:
    policy = f"/xcover/mycover/policies/{Quote.objects.get().quote_id}/"

    check(lambda: browser.get("/xcover/mycover/"))
    check(lambda: browser.get(policy))
    check(lambda: browser.post(f"{policy}email/"))
    check(lambda: browser.post(f"{policy}details/", {"first_name": MARKER, "email": EMAIL}))


def test_the_way_to_a_document(browser: Client, booked: QuotePackage) -> None:
    quote_id = Quote.objects.get().quote_id

    check(lambda: browser.get(f"/xcover/documents/{quote_id}/certificate/"))


def test_a_withdrawal_by_link_over_http(browser: Client, booked: QuotePackage) -> None:
    page = withdrawing.link_path("ORD-1")
    token = page.rstrip("/").rpartition("/")[2]
    found = policies.prepare_withdrawal(booked, quotes=list(booked.quotes.all()), reason=MARKER)
    statement = {"name": MARKER, "email": EMAIL}

    for act in (
        lambda: browser.get(page),
        lambda: browser.post(page, {"policies": booked.quotes.get().quote_id, "reason": MARKER}),
        lambda: browser.post(f"{page}{found.pk}/confirm/", statement),
    ):
        errors = list(errors_at_every_query(act))
        assert errors
        assert not {p for error in errors for p in leaks(error, *SECRETS, token, *tokens())}


def test_djangos_report_leaves_out_what_was_posted(browser: Client, booked: QuotePackage) -> None:
    requests: list[HttpRequest] = []

    def note(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
        requests.append(request)

    policy = f"/xcover/mycover/policies/{Quote.objects.get().quote_id}/"
    posted = {"first_name": MARKER, "name": MARKER, "email": EMAIL, "quote": MARKER}
    got_request_exception.connect(note)
    try:
        for path in (f"{policy}details/", withdrawing.link_path("ORD-1"), "/xcover/choose/"):
            list(errors_at_every_query(lambda path=path: browser.post(path, posted)))  # type: ignore[misc]
    finally:
        got_request_exception.disconnect(note)

    reported = [get_exception_reporter_filter(one).get_post_parameters(one) for one in requests]
    assert {one.path for one in requests} > {f"{policy}details/", "/xcover/choose/"}
    assert all(set(values.values()) == {"*" * 20} for values in reported)


def test_no_row_prints_what_a_customer_typed(booked: QuotePackage) -> None:
    found = policies.prepare_withdrawal(booked, quotes=list(booked.quotes.all()), reason=MARKER)
    policies.withdraw(found, channel=Withdrawal.Channel.PAGE, name=MARKER, email=EMAIL)
    work()

    kinds: list[Any] = list(apps.get_app_config("xcover").get_models())
    rows = [row for kind in kinds for row in kind.objects.all()]

    assert {type(row) for row in rows} >= {QuotePackage, Quote, Operation, Withdrawal}
    assert not [row for row in rows if any(s in repr(row) for s in (MARK, EMAIL, *tokens()))]


def test_a_withdrawal_from_code(booked: QuotePackage) -> None:
    quotes = list(booked.quotes.all())
    channel = Withdrawal.Channel.PAGE
    found = policies.prepare_withdrawal(booked, quotes=quotes)

    check(lambda: policies.prepare_withdrawal(booked, quotes=quotes, reason=MARKER))
    check(lambda: policies.withdraw(found, channel=channel, name=MARKER, email=EMAIL), least=4)


def test_a_change_from_code(booked: QuotePackage) -> None:
    details = {"first_name": MARKER}

    check(lambda: policies.change_details(booked, details, origin="shopper"), least=2)


def test_the_api(front: Any, booked: QuotePackage, settings: Any, zoe: Shopper) -> None:
    settings.ROOT_URLCONF = "tests.api.shopfront"
    front.cart, front.shopper = zoe.cart, "ana"
    client, root = APIClient(), "/xcover/api/v1/"
    policy = f"{root}policies/{Quote.objects.get().quote_id}/"
    body = {"details": {"first_name": MARKER, "email": EMAIL}, "reason": MARKER}

    check(lambda: client.get(f"{root}offer/"))
    check(lambda: client.get(f"{root}orders/ORD-1/cover/"))
    check(lambda: client.get(policy))
    check(lambda: client.post(f"{policy}modifications/", body, format="json"))
    check(lambda: client.post(f"{policy}cancellations/", body, format="json"))


def test_a_webhook(browser: Client, zoe: Shopper) -> None:
    body = body_of(policyholder=ZOE)
    headers = sign_delivery(body, key_id=KEY, secret=SECRET)

    def act() -> None:
        kind = "application/json"
        browser.post("/xcover/webhooks/", body, content_type=kind, headers=headers)

    check(act)


def test_the_tasks(booked: QuotePackage, offered: Shopper) -> None:
    delivery = WebhookDeliveryFactory.create(package=booked, body=json.dumps(ZOE))
    stated = policies.withdraw(
        policies.prepare_withdrawal(booked, quotes=list(booked.quotes.all())),
        channel=Withdrawal.Channel.PAGE,
        name=MARKER,
        email=EMAIL,
    )

    check(lambda: tasks.process_delivery(delivery.pk))
    check(lambda: tasks.send_withdrawal_email(stated.pk))
    for pk in Operation.objects.values_list("pk", flat=True):
        check(lambda pk=pk: tasks.run_operation(pk))  # type: ignore[misc]
    check(tasks.sweep_operations)
    check(tasks.reconcile, least=0)


def test_a_booking_in_a_worker(offered: Shopper, shop: Shop) -> None:
    completion.complete(shop.orders["ORD-1"], offered.cart, paid=True)
    operation = Operation.objects.get()

    check(lambda: tasks.run_operation(operation.pk), least=2)


def test_the_commands(booked: QuotePackage) -> None:
    check(lambda: call_command("xcover_erase", "ORD-1", "--yes"), least=2)


@pytest.mark.parametrize("path", ["xcover/quotepackage/", "xcover/policy/", "xcover/withdrawal/"])
def test_the_admin(path: str, booked: QuotePackage, client: Client) -> None:
    client.force_login(make_staff(*VIEWS))

    check(lambda: client.get(f"/admin/{path}"))
    check(lambda: client.get(f"/admin/{path}?q={EMAIL}"))
