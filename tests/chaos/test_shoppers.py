"""What a shopper of the storm believes to have bought: what the page showed, and no more."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from django_xcover.checkout import tags
from tests.chaos.browser import Browser, Record
from tests.chaos.outages import Outages
from tests.chaos.shoppers import Purchase, Shopper


def summary(total: str, base: str) -> str:
    """Return the hidden field of the summary, as the shop's page has it."""
    return str(tags.SHOWN.format("xcover_total", f"{total} GBP", "checkout", base, "GBP"))


@pytest.fixture
def shopper() -> Shopper:
    """Return one who has said yes to cover at 9.56 and at 3.21."""
    browser = Browser("http://127.0.0.1", Outages(), Record())
    shopper = Shopper(browser, random.Random(1), Purchase(1))
    # A yes to a line whose earlier yes still stands adds nothing.
    shopper._said_yes_to |= {Decimal("9.56"), Decimal("3.21"), Decimal(0)}
    return shopper


def test_a_yes_that_stands_is_in_the_total_also_without_an_offer(shopper: Shopper) -> None:
    assert shopper._standing_premium(summary("99.56", "90.00")) == Decimal("9.56")


@pytest.mark.parametrize("total", ["90.00", "101.00"], ids=["no premium", "another premium"])
def test_what_was_never_agreed_to_is_not_believed_to_be_bought(
    shopper: Shopper, total: str
) -> None:
    assert shopper._standing_premium(summary(total, "90.00")) is None
