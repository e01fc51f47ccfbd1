"""Sales in every stage, with the answers XCover gave on the way: what is mutated later.

The answers are the sandbox's own. They are recorded while real sales are made, each step in a
transaction that is rolled back, so that the rows are as they were when the answer was awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import requests
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.db import transaction
from django.http import HttpRequest
from django.test import override_settings
from django.utils import timezone

from django_xcover.client import XCoverClient
from django_xcover.conf import get_config
from django_xcover.models import Cancellation, Modification, Operation, Quote, QuotePackage, Renewal
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.inprocess import InProcessAdapter
from django_xcover.services import (
    cancelling,
    carts,
    choosing,
    gateway,
    instalments,
    modifying,
    orders,
    quoting,
    refreshing,
    renewing,
    running,
    shared_cache,
)
from tests.shop import SHOP, Cart, laptop, ticket

PLAN = "1year-monthly"
Act = Callable[[], object]
Recorded = dict[tuple[str, str], tuple[int, dict[str, str], bytes]]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that talks to XCover, and what XCover answered when all went well."""

    name: str
    act: Act
    answers: Mapping[tuple[str, str], tuple[int, dict[str, str], bytes]]


@dataclass
class Recorder(InProcessAdapter):
    """The sandbox, with its answers written down."""

    sandbox: Sandbox
    answers: Recorded = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.sandbox)

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        """Pass the request on and keep the last answer of each method and path."""
        kw["stream"] = False
        response = super().send(request, *args, **kw)
        key = (str(request.method), request.path_url.partition("?")[0])
        headers = {name: response.headers[name] for name in response.headers}
        self.answers[key] = (response.status_code, headers, response.content)
        return response


@contextmanager
def shop_calling(session: requests.Session) -> Iterator[None]:
    """Let the smallest shop call XCover through `session`, once each time, with a fresh cache."""
    account = get_config().account("default")
    client = XCoverClient(
        base_url=account.base_url,
        partner_code=account.partner_code,
        api_key=account.api_key,
        api_secret=account.api_secret,
        backoff=0,
        max_attempts=1,
        session=session,
    )
    told = {
        "BASE_URL": account.base_url,
        "PARTNER_CODE": account.partner_code,
        "API_KEY": account.api_key,
        "API_SECRET": account.api_secret,
    }
    setting = {"ADAPTER": "tests.shop.Adapter", "ACCOUNTS": {"default": told}}
    cache = LocMemCache("fuzz", {})
    memory = shared_cache.Memory(lambda: cache)
    with (
        override_settings(XCOVER=setting),
        mock.patch.object(gateway, "client_for", return_value=client),
        mock.patch.object(shared_cache, "memory", memory),
    ):
        yield
    SHOP.orders.clear()


def forget() -> None:
    """Empty the shop's cache: no open circuit, no refused cart."""
    shared_cache.attempt(lambda cache: cache.clear(), None)


def read(cart: Cart) -> carts.CartToInsure:
    """Return the cart as a view would read it."""
    request = HttpRequest()
    request.cart = cart  # type: ignore[attr-defined]
    found = carts.read_cart(request)
    assert found is not None
    return found


def steps(recorder: Recorder) -> list[Step]:
    """Make the sales and return every step that can be taken from there."""
    return [
        *_before_the_sale(recorder),
        *_booking(recorder),
        *_booked(recorder),
        *_renewing(recorder),
    ]


def _record(recorder: Recorder, name: str, act: Act) -> Step:
    recorder.answers.clear()
    with transaction.atomic():
        act()
        transaction.set_rollback(True)
    assert recorder.answers, f"{name} asked XCover nothing"
    return Step(name, act, dict(recorder.answers))


def _before_the_sale(recorder: Recorder) -> Iterator[Step]:
    new = read(Cart("new", items=(ticket(), laptop())))
    yield _record(recorder, "quote", lambda: quoting.fresh_offer(new))
    cart = Cart("changing", items=(ticket(), laptop()))
    assert quoting.fresh_offer(read(cart))
    other = read(cart.but(items=(ticket(price="80"), laptop("second"))))
    yield _record(recorder, "update", lambda: quoting.fresh_offer(other))


def _booking(recorder: Recorder) -> Iterator[Step]:
    package = _sold("booking", ticket(), laptop())
    operation = Operation.objects.get(package=package, kind="book")
    booking = _record(recorder, "book", lambda: running.run(operation.pk))
    again = _record(recorder, "book again", lambda: _second_attempt(operation))
    answers = {**again.answers, **booking.answers}
    yield Step("book", booking.act, answers)
    yield Step("book again", again.act, answers)


def _booked(recorder: Recorder) -> Iterator[Step]:
    package = _sold("booked", laptop(), ticket(), plan=PLAN)
    _work(package)
    yield _record(recorder, "refresh", lambda: refreshing.refresh(_fresh(package)))
    yield _record(recorder, "instalments", lambda: instalments.mirror(package))
    yield _record(recorder, "cancellation preview", lambda: _preview(package))
    cancelled = _booking_of("cancelled")
    cancellation = cancelling.request(_preview(cancelled))
    yield _record(recorder, "cancel", lambda: running.run(cancellation.pk))
    priced = _booking_of("priced")
    yield _record(recorder, "modification price", lambda: _price(priced))
    changed = _booking_of("changed")
    settled = modifying.settle(_price(changed), reference="paid")
    yield _record(recorder, "modify", lambda: running.run(settled.pk))


def _renewing(recorder: Recorder) -> Iterator[Step]:
    due, renewed = _due("due"), _due("renewed")
    with time_machine.travel(timezone.now() + timedelta(days=350)):
        yield _record(recorder, "renewal price", lambda: renewing.quote(_fresh(due)))
        priced = renewing.quote(renewed)
        paid = renewing.record_payment(priced, reference="r-1", amount=priced.premium)
        yield _record(recorder, "renew", lambda: running.run(paid.pk))
    Operation.objects.filter(pk=paid.pk).update(next_attempt_at=timezone.now())


def _due(reference: str) -> Renewal:
    item = laptop()
    package = _booking_of(reference, replace(item, fields={**item.fields, "term": 12}))
    due_on = timezone.now() + timedelta(days=360)
    return Renewal.objects.create(package=package, due_on=due_on, currency=package.currency)


def _booking_of(reference: str, *items: Any) -> QuotePackage:
    package = _sold(reference, *(items or (laptop(),)))
    _work(package)
    return package


def _sold(reference: str, *items: Any, plan: str = "") -> QuotePackage:
    """Return a package that was accepted and paid for, its booking still to be carried out."""
    cart = Cart(reference, items=items)
    offer = quoting.fresh_offer(read(cart))
    assert offer is not None
    for quote in offer.quotes:
        choosing.choose(read(cart), quote_id=quote.quote_id, accepted=True, template_version="fuzz")
    if plan:
        planned = Quote.objects.filter(package__cart_reference=reference, line_reference="laptop")
        planned.update(instalment_plan=plan)
    orders.complete(SHOP.order(f"order-{reference}"), cart, paid=True)
    return QuotePackage.objects.get(cart_reference=reference)


def _work(package: QuotePackage) -> None:
    for operation in package.operations.order_by("pk"):
        running.run(operation.pk)
    package.refresh_from_db()
    assert package.status == "CONFIRMED", package.status


def _second_attempt(operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk).update(attempts=1)
    running.run(operation.pk)


def _preview(package: QuotePackage) -> Cancellation:
    return cancelling.preview(_fresh(package), origin=Cancellation.Origin.SHOPPER)


def _price(package: QuotePackage) -> Modification:
    quote, dearer = package.quotes.get(), {"price": Decimal(1500)}
    return modifying.quote_change(
        _fresh(package), quote=quote, update_fields=dearer, origin="shopper"
    )


def _fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)
