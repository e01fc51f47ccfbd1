"""Text that no database keeps: it comes by every door a stranger has, and none answers 500."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest
from django.db import connection

from django_xcover.models import Decision, QuotePackage
from tests.checkout.conftest import AS_FORM, AS_SCRIPT, Visitor
from tests.security.walking import addresses
from tests.shop import Adapter

UNSTORABLE = {
    "a NUL": "a\x00b",
    "half a character": "a\ud800b",
    "a long text": "x" * 5000,
    "an emoji": "\U0001f600" * 40,
    "a newline": "a\nb",
}
PLACES = ("quote_id", "kind", "account", "token", "pk")
FIELDS = ("quote", "shown", "plan", "choice", "next")

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
unstorable = pytest.mark.parametrize("text", UNSTORABLE.values(), ids=UNSTORABLE)


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def form(fields: Mapping[str, str]) -> str:
    """Return a form as a browser never writes it: with bytes that are no UTF-8."""
    return "&".join(f"{name}={encoded(value)}" for name, value in fields.items())


@unstorable
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_answers_500_for_a_text_in_its_path_query_or_body(
    visitor: Visitor, text: str, method: str
) -> None:
    visitor.is_offered()
    odd = encoded(text)
    asked = 0

    for path in addresses(dict.fromkeys(PLACES, odd), below="/xcover/"):
        response = visitor.client.generic(
            method,
            path,
            form(dict.fromkeys(FIELDS, text)),
            content_type="application/x-www-form-urlencoded",
            QUERY_STRING=f"next={odd}&page={odd}",
        )
        asked += 1
        assert response.status_code < 500, path

    assert asked > 10


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_a_reference_that_cannot_be_kept_costs_the_offer_and_no_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(Adapter, "get_cart_reference", lambda self, cart: text)

    assert visitor.client.get("/xcover/offer/").status_code == 204
    assert visitor.client.get("/checkout/").status_code == 200
    assert not QuotePackage.objects.exists()


@unstorable
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("headers", [AS_FORM, AS_SCRIPT], ids=["form", "script"])
def test_an_answer_with_such_a_text_is_refused_or_saved_without_it(
    visitor: Visitor, text: str, field: str, headers: dict[str, str]
) -> None:
    (offered,) = visitor.is_offered().quotes
    fields = {"quote": offered.quote_id, "choice": "yes", "next": "/checkout/"}

    response = visitor.client.post(
        "/xcover/choose/",
        form({**fields, field: text}),
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )

    assert response.status_code in {200, 303, 400, 409}
    saved = Decision.objects.filter(choice="accepted").count()
    assert saved == (response.status_code in {200, 303})
    assert connection.is_usable()
