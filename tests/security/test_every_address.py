"""Every address is about a policy, which is asked for its owner, or about whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.walking import addresses

POLICY = "the-policy"
# What these show or do is found by the session, the adapter or a signature, never by an id. A
# price is that of a product on sale, for everybody.
OWN_PAGES = {
    "/xcover/offer/",
    "/xcover/price/",
    "/xcover/offer/page/",
    "/xcover/after-sale/1/",
    "/xcover/after-sale/1/offer/",
    "/xcover/choose/",
    "/xcover/element/",
    "/xcover/mycover/",
    "/xcover/webhooks/",
    "/xcover/webhooks/1/",
    "/xcover/mycover/withdraw/1/",
    "/xcover/mycover/withdraw/1/1/",
    "/xcover/mycover/withdraw/1/1/confirm/",
}
# The order's cover has an id: `test_an_order_that_is_not_the_shoppers_is_not_there`. So has its
# offer: `test_another_shoppers_order_is_not_found`.
OWN_ENDPOINTS = {
    "/xcover/api/v1/offer/",
    "/xcover/api/v1/price/",
    "/xcover/api/v1/choice/",
    "/xcover/api/v1/orders/1/cover/",
    "/xcover/api/v1/orders/1/offer/",
    "/xcover/api/v1/policies/",
    "/xcover/api/v1/",  # every other path, of which there is nothing
}


@pytest.mark.parametrize(
    ("urls", "own"),
    [("tests.checkout.shopfront", OWN_PAGES), ("tests.api.shopfront", OWN_ENDPOINTS)],
)
def test_no_address_is_left_out_of_the_walks_for_strangers(
    settings: Any, urls: str, own: set[str]
) -> None:
    settings.ROOT_URLCONF = urls

    found = set(addresses({"quote_id": POLICY}, below="/xcover/"))

    assert {path for path in found if POLICY not in path} == own
    assert len(found) > 2 * len(own)
