"""The adapter of the page about adapters prices a product."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from django_xcover import adapters
from django_xcover.adapters import ShopAdapter
from django_xcover.sandbox import Sandbox
from tests.docs.pages import DOCS, blocks
from tests.docs.shop import Product, namespace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def product(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the only product of a shop with the page's adapter."""
    product = SimpleNamespace(pk=7, price=Decimal(60), **vars(Product()))
    found = {"7": product}
    objects = SimpleNamespace(
        filter=lambda pk, is_on_sale: SimpleNamespace(first=lambda: found.get(pk))
    )
    names = {**namespace(), "Product": SimpleNamespace(objects=objects)}
    for block in blocks(DOCS / "adapter.md"):
        if "MyShopAdapter(ShopAdapter" in block.text or "class WithPrices" in block.text:
            exec(block.code(), names)  # noqa: S102 - the page is what is tested
    monkeypatch.setattr(adapters, "import_string", lambda path: names["WithPrices"])
    return product


def test_a_product_has_a_price(product: Any, xcover_sandbox: Sandbox) -> None:
    text = Client().get(f"/xcover/price/?product={product.pk}").json()["text"]

    assert text.startswith("Add cover from £")


def test_an_unknown_product_has_none(product: Any, xcover_sandbox: Sandbox) -> None:
    assert Client().get("/xcover/price/?product=8").status_code == 204


def test_one_to_three_classes_may_be_named() -> None:
    class Named(ShopAdapter[str]): ...

    class More(ShopAdapter[str, int]): ...

    class All(ShopAdapter[str, int, Product]): ...

    assert all(issubclass(cls, ShopAdapter) for cls in (Named, More, All))
