"""The price of cover on the shop's product pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from django_xcover.sandbox import Sandbox
from example_shop.models import Product
from tests.checkout.page import Page
from tests.example_shop.conftest import FESTIVAL, FLAT, FLIGHT, LAPTOP, PARCEL, STAY, Shopper


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def shown(shopper: Shopper, slug: str) -> list[str]:
    """Return what the product's page says about the price of cover."""
    page = Page(shopper.opens(f"/products/{slug}/").content)
    return [place.text for place in page.all("p", class_="xcover xcover-product-price")]


@pytest.mark.parametrize("slug", [FLIGHT, STAY, PARCEL, FLAT])
def test_cover_that_depends_on_what_is_typed_has_no_price_yet(
    xcover_sandbox: Sandbox, shopper: Shopper, slug: str
) -> None:
    assert shown(shopper, slug) == []
    assert shopper.opens(f"/xcover/price/?product={slug}").status_code == 204


def test_an_event_that_is_over_has_no_price(xcover_sandbox: Sandbox, shopper: Shopper) -> None:
    Product.objects.filter(slug=FESTIVAL).update(starts_at="2020-01-01T00:00Z")

    assert shopper.opens(f"/xcover/price/?product={FESTIVAL}").status_code == 204


@pytest.mark.parametrize("slug", [FESTIVAL, LAPTOP])
def test_the_page_keeps_a_place_and_shows_the_price_from_then_on(
    xcover_sandbox: Sandbox, shopper: Shopper, slug: str
) -> None:
    assert shown(shopper, slug) == [""]

    text = shopper.opens(f"/xcover/price/?product={slug}").json()["text"]

    assert text.startswith("Add cover from £")
    assert shown(shopper, slug) == [text]


def test_a_shopper_in_japan_sees_yen(xcover_sandbox: Sandbox, shopper: Shopper) -> None:
    shopper.client.post("/preferences/", {"country": "JP", "language": "en"})

    text = shopper.opens(f"/xcover/price/?product={LAPTOP}").json()["text"]

    assert "¥" in text
