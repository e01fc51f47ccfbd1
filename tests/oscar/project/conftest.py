"""Fixtures of the Oscar shop. Those of the suite belong to another shop and aren't loaded here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation
from journeys.customer import Customer

from django_xcover import worker
from django_xcover.models import Operation
from django_xcover.sandbox import Sandbox


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Leave no language active and nothing cached."""
    yield
    translation.deactivate()
    cache.clear()


def stock() -> None:
    """Put two products on the shelves, and let the shop send to two countries."""
    from oscar.core.loading import get_model
    from oscar.test.factories import create_product

    country = get_model("address", "Country").objects.create
    for code, name in (("GB", "United Kingdom"), ("FR", "France")):
        country(iso_3166_1_a2=code, printable_name=name, is_shipping_country=True)
    for title, price in (("Aero 14", "1200.00"), ("Pocket 6", "400.00")):
        create_product(
            title=title, product_class="laptop", price=Decimal(price), num_in_stock=20, upc=title
        )


@pytest.fixture
def shelves(db: None) -> None:
    """Fill the shop."""
    stock()


@pytest.fixture
def guest(shelves: None, xcover_sandbox: Sandbox) -> Customer:
    """Return a customer without an account."""
    return Customer(Client())


@pytest.fixture
def member(shelves: None, xcover_sandbox: Sandbox, django_user_model: Any) -> Customer:
    """Return a customer who is logged in."""
    user = django_user_model.objects.create_user("ana", "ana@example.com", "secret")
    client = Client()
    client.force_login(user, "oscar.apps.customer.auth_backends.EmailBackend")
    return Customer(client)


@pytest.fixture
def work() -> Callable[[], None]:
    """Return what lets a worker make one attempt at each operation, in order."""

    def attempt() -> None:
        for pk in Operation.objects.order_by("pk").values_list("pk", flat=True):
            worker.run(pk)

    return attempt
