"""Whatever else is sent along is used for nothing: amounts, states and owners are the server's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_xcover.models import Cancellation, Quote
from tests.api.conftest import Program, front, insured, policy_path, program
from tests.security.smuggling import SMUGGLED, facts

pytestmark = pytest.mark.django_db
__all__ = ["front", "insured", "program"]


def test_an_answer_over_the_api_takes_no_other_field(program: Program) -> None:
    program.gets("offer/")
    quote = Quote.objects.get()
    before, price = facts(quote), quote.price

    response = program.posts("choice/", quote=quote.quote_id, choice="yes", **SMUGGLED)

    assert response.status_code == 200
    quote = Quote.objects.get()
    assert facts(quote) == before
    assert quote.chosen_price == price


def test_a_cancellation_over_the_api_takes_no_other_field(insured: Program) -> None:
    response = insured.posts(policy_path("cancellations/"), **SMUGGLED)

    assert response.status_code == 201
    cancellation = Cancellation.objects.get()
    assert cancellation.package.package_id != SMUGGLED["package_id"]
    assert cancellation.total_refund == Decimal("7.89")
    assert (cancellation.state, cancellation.origin) == ("previewed", "shopper")
    assert cancellation.refunded is None
    assert cancellation.confirm_before is not None
    assert cancellation.confirm_before.year < 2099
