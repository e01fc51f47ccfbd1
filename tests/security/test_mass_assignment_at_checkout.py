"""Whatever else the form at checkout posts is used for nothing."""

from __future__ import annotations

import pytest

from django_xcover.models import Quote
from tests.checkout.conftest import Visitor, front, visitor
from tests.security.smuggling import SMUGGLED, facts

pytestmark = pytest.mark.django_db
__all__ = ["front", "visitor"]


def test_the_form_at_checkout_takes_no_other_field(visitor: Visitor) -> None:
    offer = visitor.shopper.sees()
    quote = Quote.objects.get()
    before, price = facts(quote), quote.price
    answer = {"quote": offer.quotes[0].quote_id, "choice": "yes"}

    response = visitor.sends(**answer, **{name: str(value) for name, value in SMUGGLED.items()})

    assert response.status_code == 200
    quote = Quote.objects.get()
    assert facts(quote) == before
    assert quote.chosen_price == price
