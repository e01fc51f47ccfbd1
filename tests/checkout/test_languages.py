"""The offer in each language that is shipped."""

from __future__ import annotations

import pytest
from django.utils import translation

from django_xcover.formats import format_amount
from tests.checkout.conftest import Visitor
from tests.shop import Cart, laptop, ticket
from tests.test_translations import LANGUAGES

pytestmark = pytest.mark.django_db

CODES = sorted(name.replace("_", "-").lower() for name in LANGUAGES)
# What the package itself says in English; the rest is the vendor's or the shop's.
ENGLISH = (
    "Protect th",
    "Protect yo",
    "Yes, add",
    "No, continue",
    "Optional",
    "Full cover",
    "Choose for",
    "Saved",
)


@pytest.mark.parametrize("code", CODES)
def test_the_offer_speaks_the_shoppers_language(visitor: Visitor, code: str) -> None:
    quote = visitor.is_offered().quotes[0]

    with translation.override(code):
        page = visitor.opens("/xcover/offer/")
        price = format_amount(quote.price)

    # The page reader folds every kind of space.
    assert " ".join(price.split()) in page.one("legend").text
    assert not [words for words in ENGLISH if words in page.html]


@pytest.mark.parametrize("code", CODES)
def test_so_does_a_card_with_several_items_and_the_page_around_it(
    visitor: Visitor, code: str
) -> None:
    visitor.front.cart = visitor.shopper.cart = Cart(items=(ticket(), laptop()))
    visitor.is_offered()

    with translation.override(code):
        page = visitor.opens("/xcover/offer/page/")

    assert page.one("html")["lang"] == code
    assert page.one("html")["dir"] == ("rtl" if code == "ar" else "ltr")
    assert not [words for words in ENGLISH if words in page.html]


@pytest.mark.parametrize("code", CODES)
def test_an_answer_is_confirmed_in_that_language_and_counts_in_every_other(
    visitor: Visitor, code: str
) -> None:
    visitor.is_offered()
    with translation.override(code):
        page = visitor.opens("/xcover/offer/")
    sent = {name: page.one("input", name=name)["value"] for name in ("quote", "shown")}

    with translation.override("en"):
        english = visitor.sends(choice="yes", **sent)
    with translation.override(code):
        answer = visitor.sends(choice="no", **sent)

    assert (english.status_code, answer.status_code) == (200, 200)
    assert answer.json()["message"] != "Saved: no cover is added to your order."
