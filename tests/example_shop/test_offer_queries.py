"""What the offer costs a shop's pages in queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_xcover.offers import background
from django_xcover.sandbox import Sandbox
from tests.example_shop.conftest import CAMERA, FESTIVAL, Shopper

BOOKKEEPING = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")


def queries_of(shopper: Shopper, path: str) -> int:
    """Return how often opening `path` asks the database."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shopper.client.get(path)
    asked = [query["sql"] for query in captured]
    return sum(not sql.startswith(BOOKKEEPING) for sql in asked)


@pytest.mark.django_db(transaction=True)
def test_a_first_offer_costs_at_most_six_queries_and_a_repeat_at_most_three(
    xcover_sandbox: Sandbox, shopper: Shopper, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_THREADS": 2}
    shopper.takes(CAMERA)
    shopper.takes(FESTIVAL)

    first = queries_of(shopper, "/xcover/offer/")
    for thread in list(background._running):
        thread.join(30)
    repeat = queries_of(shopper, "/xcover/offer/")

    assert len(xcover_sandbox.calls("create_quote")) == 1
    assert first <= 6
    assert repeat <= 3


def test_a_checkout_with_an_offer_costs_at_most_one_query_more(
    xcover_sandbox: Sandbox, shopper: Shopper, monkeypatch: Any
) -> None:
    shopper.takes(CAMERA)
    with_place = queries_of(shopper, "/checkout/")
    shopper.client.get("/xcover/offer/")
    with_offer = queries_of(shopper, "/checkout/")
    monkeypatch.setattr("example_shop.cover.ConcertShopAdapter.get_quote_request", lambda *_: None)
    without_cover = queries_of(shopper, "/checkout/")

    assert with_place - without_cover <= 1
    assert with_offer - without_cover <= 1
