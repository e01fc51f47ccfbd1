"""The answers that the factories store have the keys and types of the local XCover's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import Model

from django_xcover.models import Cancellation, Modification, QuotePackage, Renewal
from django_xcover.policies import cancellation, instalments, renewal
from django_xcover.testing.factories import (
    CancellationFactory,
    InstalmentFactory,
    ModificationFactory,
    PolicyFactory,
    QuotePackageFactory,
    RenewalFactory,
)
from django_xcover.testing.factories.answers import PLAN
from django_xcover.types import Money
from tests import completion
from tests.buying import buys
from tests.conftest import Shopper, the_package, work
from tests.policies.modification.support import price
from tests.policies.renewal.conftest import yearly
from tests.shop import Shop, laptop, ticket

BOUGHT = datetime(2026, 5, 1, 9, tzinfo=UTC)
STAFF = Cancellation.Origin.STAFF
pytestmark = pytest.mark.django_db


def differences(made: Any, answered: Any, path: str = "") -> Iterator[str]:
    """Yield where `made` has another key or type than `answered`. Null may stand for any type."""
    if made is None or answered is None:
        return
    if type(made) is not type(answered):
        yield f"{path}: {type(made).__name__} instead of {type(answered).__name__}"
    elif isinstance(made, dict):
        for key in made.keys() ^ answered.keys():
            yield f"{path}.{key}: only in {'the factory' if key in made else 'the sandbox'}"
        for key in made.keys() & answered.keys():
            yield from differences(made[key], answered[key], f"{path}.{key}")
    elif isinstance(made, list) and answered:
        # Entries differ in what they leave out, so each has to be like one of the sandbox's.
        for number, entry in enumerate(made):
            yield from min(
                (list(differences(entry, other, f"{path}[{number}]")) for other in answered),
                key=len,
            )


def payloads(row: Model) -> dict[str, Any]:
    """Return the answer that `row` stores, as read from the database, with those of its quotes."""
    row.refresh_from_db()
    found = {"payload": row.payload}  # type: ignore[attr-defined]
    if isinstance(row, Modification):
        found["price_diffs"] = list(row.payload.pop("price_diffs").values())  # keyed by policy
    if isinstance(row, QuotePackage):
        quotes = row.quotes.order_by("position")
        found["quotes"] = [{"status": quote.status, **quote.payload} for quote in quotes]
    return found


def assert_alike(made: Model, answered: Model) -> None:
    assert payloads(answered)["payload"]
    found = sorted(differences(payloads(made), payloads(answered)))
    assert found == [], "\n".join(found)


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    return buys(shopper, shop, ticket())


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BOUGHT, tick=False) as clock:
        yield clock


@pytest.fixture
def due(clock: time_machine.Traveller, shopper: Shopper, shop: Shop) -> Renewal:
    """Return the renewal of a laptop's cover that ends in twenty days, with its price."""
    buys(shopper, shop, yearly())
    clock.move_to(BOUGHT.replace(year=2027) - timedelta(days=20))
    [found] = renewal.find_due()
    return renewal.quote(found)


def test_a_quoted_package(shopper: Shopper) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.sees()
    answered = the_package()

    assert_alike(QuotePackageFactory.create(), answered)


def test_a_booked_package(booked: QuotePackage) -> None:
    assert_alike(QuotePackageFactory.create(booked=True), booked)


def test_an_opted_out_package(shopper: Shopper, shop: Shop) -> None:
    shopper.cart = shopper.cart.but(items=(laptop(),))
    shopper.says(yes=False)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    answered = the_package()

    assert answered.status == "OPTED_OUT"
    assert_alike(QuotePackageFactory.create(opted_out=True), answered)


def test_a_cancelled_package_and_its_cancellation(booked: QuotePackage) -> None:
    preview = cancellation.preview(booked, origin=STAFF)
    assert_alike(CancellationFactory.create(), preview)

    cancellation.request(preview)
    work()

    assert_alike(QuotePackageFactory.create(cancelled=True), booked)
    assert_alike(CancellationFactory.create(confirmed=True), preview)


def test_a_renewed_package_and_its_renewal(due: Renewal) -> None:
    assert due.price is not None
    assert_alike(RenewalFactory.create(), due)

    renewal.record_payment(due, amount=Money(due.price, "GBP"))
    work()

    package = due.package
    made = QuotePackageFactory.create(renewed=True)
    assert_alike(made, package)
    package.refresh_from_db()
    assert made.status == package.status
    quotes = [each.quotes.order_by("position") for each in (made, package)]
    ours, theirs = (list(rows.values_list("status", flat=True)) for rows in quotes)
    assert ours == theirs == ["RENEWED", "CONFIRMED"]


def test_a_change(shopper: Shopper, shop: Shop) -> None:
    package = buys(shopper, shop, laptop())
    changed = price(package)

    assert_alike(ModificationFactory.create(), changed)


def test_an_instalment(clock: time_machine.Traveller, shopper: Shopper, shop: Shop) -> None:
    shopper.cart = shopper.cart.but(items=(laptop(),))
    shopper.says(yes=True, plan=PLAN)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    paid, unpaid = instalments.mirror(the_package())[:2]

    assert_alike(PolicyFactory.create(in_parts=True).package, paid.quote.package)
    assert_alike(InstalmentFactory.create(paid=True), paid)
    assert_alike(InstalmentFactory.create(), unpaid)
