"""A fast quote's price: asked for once, stored nowhere, and missed without harm."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_xcover import exceptions
from django_xcover.booking import instant_booking
from django_xcover.client import XCoverClient
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker
from django_xcover.models import OfferOutcome
from django_xcover.offers import fast_quote
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money, QuoteRequest
from tests.offers.fast_quotes.support import asked
from tests.shop import Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
TOO_DEAR = laptop("yacht", price="900000")


@pytest.mark.parametrize("fault", ["status", "reset", "garbage", "throttle"])
def test_a_fault_of_xcovers_costs_the_price_and_nothing_else(sandbox: Sandbox, fault: str) -> None:
    sandbox.faults.add("fast_quote", fault, times=9)

    assert instant_booking.price(asked()) is None


def test_while_xcover_is_away_not_every_page_asks(sandbox: Sandbox) -> None:
    sandbox.faults.add("fast_quote", "status", times=9)

    for _ in range(3):
        instant_booking.price(asked())

    assert len(sandbox.calls("fast_quote")) == 1


def test_a_missing_answer_does_not_replace_a_price_that_came_meanwhile(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = fast_quote.ask

    def another_process_is_faster(
        account: str, request: QuoteRequest, seconds: float
    ) -> tuple[None, OfferOutcome]:
        monkeypatch.setattr(fast_quote, "ask", ask)
        assert instant_booking.price(request) is not None
        return None, OfferOutcome.NO_ANSWER

    monkeypatch.setattr(fast_quote, "ask", another_process_is_faster)
    instant_booking.price(asked())

    assert instant_booking.price(asked()) is not None


def test_while_the_circuit_is_open_xcover_is_not_asked(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_open(account: str, **how: Any) -> None:
        raise exceptions.CircuitOpen

    monkeypatch.setattr(circuit_breaker, "guard", is_open)

    assert instant_booking.price(asked()) is None
    assert sandbox.calls("fast_quote") == []


def test_a_cache_that_fails_costs_no_price(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache, "attempt", lambda do, otherwise: otherwise)

    assert instant_booking.price(asked()) is not None


@pytest.mark.parametrize(
    "answer", [{}, {"currency": "GBP", "quotes": 3}, {"currency": "GBP", "quotes": {"0": {}}}]
)
def test_an_answer_that_cannot_be_read_is_no_price(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(XCoverClient, "fast_quote", lambda *args, **options: answer)

    assert instant_booking.price(asked()) is None


def test_what_is_not_insured_has_no_price(sandbox: Sandbox) -> None:
    assert instant_booking.price(asked(TOO_DEAR)) is None

    offer = instant_booking.price(asked(TOO_DEAR, laptop()))

    assert offer is not None
    assert list(offer.prices) == ["laptop"]
    assert [quote.label for quote in offer.quotes] == ["Aero 14"]


def test_an_unknown_account_is_a_mistake_of_the_shops(shop: Shop) -> None:
    with pytest.raises(ImproperlyConfigured, match="no account"):
        instant_booking.price(asked(), account="elsewhere")


def test_xcover_gets_a_little_less_than_the_shoppers_patience(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 1.0}
    waits: list[float] = []

    def note(self: XCoverClient, payload: Any, *, deadline: float) -> Any:
        waits.append(deadline)
        return {}

    monkeypatch.setattr(XCoverClient, "fast_quote", note)

    instant_booking.price(asked())

    assert waits == [0.95]


def test_a_price_is_stored_nowhere_and_asked_for_once(
    sandbox: Sandbox, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        first = instant_booking.price(asked(laptop(), ticket()))
        second = instant_booking.price(asked(laptop(), ticket()))

    assert first is not None
    assert first == second
    assert len(sandbox.calls("fast_quote")) == 1
    assert sandbox.packages() == []
    assert first.premium == first.prices["laptop"] + first.prices["ticket"]
    assert first.quotes[0].pds_url.startswith("https://")


def test_items_in_another_order_keep_their_own_prices(sandbox: Sandbox) -> None:
    one, other = asked(laptop(), ticket()), asked(ticket(), laptop())

    first, second = instant_booking.price(one), instant_booking.price(other)

    assert first is not None
    assert second is not None
    assert first.prices == second.prices
    assert [quote.label for quote in second.quotes] == ["Harbour Lights Festival", "Aero 14"]


def test_a_quote_without_id_and_status_is_a_price_all_the_same(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"currency": "GBP", "quotes": [None, {"price": Decimal("1.10"), "id": None}]}
    monkeypatch.setattr(XCoverClient, "fast_quote", lambda *args, **options: answer)

    offer = instant_booking.price(asked(TOO_DEAR, laptop()))

    assert offer is not None
    assert offer.prices == {"laptop": Money(Decimal("1.10"), "GBP")}
    assert offer.fast_quote_id == ""
    assert instant_booking.opt_out(offer, asked()) is None
