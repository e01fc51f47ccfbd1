"""What a report keeps of an order of which something is true that must not be."""

from __future__ import annotations

from collections import defaultdict

import pytest

from django_xcover.models import QuotePackage
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.chaos import evidence
from tests.chaos.findings import Findings
from tests.chaos.history import History
from tests.chaos.shoppers import Purchase
from tests.chaos.truth import Truth
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking in force."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()


def test_a_wrong_price_is_told_with_what_every_witness_has(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    calls = {booked.package_id: ["create_booking: 201"]}
    truth = Truth({one["id"]: one for one in sandbox.packages()}, {}, defaultdict(set), calls)
    history = History()
    (quote,) = booked.quotes.all()
    history.changes["quote.price", quote.pk].append("1.00 to 2.00")

    number = booked.order_reference
    told = evidence.gather(Findings(wrong_price={number}), truth, history, [Purchase(1, number)])

    assert list(told) == [number]
    assert told[number]["finding"] == ["wrong_price"]
    (package,) = told[number]["packages"]
    assert package["prices"] == {quote.quote_id: ["1.00 to 2.00"]}
    assert package["quotes"][0]["price"] == str(quote.price)
    assert package["at XCover"]["quotes"][0]["status"] == "CONFIRMED"
    assert package["at XCover"]["calls"] == ["create_booking: 201"]


def test_what_was_tried_in_vain_until_a_person_has_it_is_shown(booked: QuotePackage) -> None:
    number = booked.order_reference

    told = evidence.gather(
        Findings(tried_out={number}), Truth({}, {}, defaultdict(set)), History(), []
    )

    assert told[number]["finding"] == ["tried_out"]
    assert [one["kind"] for one in told[number]["packages"][0]["operations"]] == ["book"]


def test_of_an_order_that_is_right_nothing_is_told(booked: QuotePackage) -> None:
    truth = Truth({}, {}, defaultdict(set))

    told = evidence.gather(Findings(booked={booked.order_reference}), truth, History(), [])

    assert told == {}
