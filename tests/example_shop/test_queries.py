"""How often a page asks the database."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from example_shop.models import Product
from tests.example_shop.conftest import CAMERA, FESTIVAL, Shopper

Count = Any
SESSION, PRODUCTS, QUOTES = 1, 1, 1


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", SESSION + PRODUCTS),
        (f"/products/{FESTIVAL}/", SESSION + PRODUCTS),
        ("/cart/", SESSION + PRODUCTS),
    ],
)
def test_a_page_reads_the_session_and_the_products(
    shopper: Shopper, django_assert_num_queries: Count, path: str, queries: int
) -> None:
    shopper.takes(CAMERA)

    with django_assert_num_queries(queries):
        shopper.opens(path)


def test_adapter_and_page_read_the_products_once_for_any_number_of_lines(
    xcover_sandbox: Sandbox, shopper: Shopper, django_assert_num_queries: Count
) -> None:
    shopper.takes(CAMERA)
    shopper.answers("yes")

    with django_assert_num_queries(SESSION + PRODUCTS + QUOTES) as queries:
        shopper.opens("/checkout/summary/")

    assert sum(Product._meta.db_table in query["sql"] for query in queries) == PRODUCTS


def test_the_list_of_orders_does_not_ask_for_each(
    robin: Shopper, django_assert_num_queries: Count
) -> None:
    for slug in (FESTIVAL, CAMERA, FESTIVAL):
        robin.takes(slug)
        robin.orders()

    with django_assert_num_queries(5):  # session, user, orders, lines, their products
        robin.opens("/orders/")
