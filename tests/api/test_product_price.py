"""The price of cover for a product, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_xcover.sandbox import Sandbox
from tests.api.conftest import Program
from tests.threads import finish, threads

__all__ = ["threads"]

pytestmark = pytest.mark.django_db
PRICE = "price/?product=laptop"


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.mark.parametrize("query", ["", "?product=", "?product=unknown", "?product=a%00b"])
def test_an_unknown_product_has_no_price(program: Program, query: str) -> None:
    assert program.gets(f"price/{query}").status_code == 204


def test_without_an_answer_of_xcovers_there_is_no_price(program: Program, sandbox: Sandbox) -> None:
    sandbox.faults.add("fast_quote", "reset", times=None)

    assert program.gets(PRICE).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_a_program_is_told_to_ask_again_while_xcover_is_asked(
    program: Program, threads: None, sandbox: Sandbox
) -> None:
    first = program.gets(PRICE)
    finish()

    assert (first.status_code, first["Retry-After"]) == (202, "1")
    assert first["Location"].endswith(f"/{PRICE}")
    assert program.gets(PRICE).status_code == 200
    assert len(sandbox.calls("fast_quote")) == 1


def test_a_visitor_with_too_many_new_prices_is_asked_to_wait(
    program: Program, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 1}
    program.gets("price/?product=yacht")

    response = program.gets(PRICE)

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_the_price_comes_with_what_is_insured_and_is_not_cached_by_others(
    program: Program, sandbox: Sandbox
) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = program.gets(PRICE)

    price = response.json()
    [quote] = price["quotes"]
    assert price["premium"] == quote["price"]
    assert price["premium"]["currency"] == "GBP"
    assert quote["label"] == "Aero 14"
    assert quote["pds_url"]
    assert "no-store" in response["Cache-Control"]
    assert len(queries) == 0
    assert len(sandbox.calls("fast_quote")) == 1
