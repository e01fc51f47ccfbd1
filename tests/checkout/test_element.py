"""XCover's own element on the page, and the package that it names to the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import Client

from django_xcover.checkout.presenters import TEMPLATE_VERSION
from django_xcover.models import Choice, Decision, Quote
from django_xcover.sandbox import Sandbox
from tests.checkout.conftest import AS_SCRIPT, Visitor
from tests.checkout.page import Page

pytestmark = pytest.mark.django_db
SCRIPT = "https://cdn.example/elements.js"
PATH = "/xcover/element/"


@pytest.fixture(autouse=True)
def with_element(settings: Any, visitor: Visitor) -> None:
    settings.XCOVER = {**settings.XCOVER, "ELEMENTS_SCRIPT": SCRIPT}
    visitor.front.element = True


def quoted(visitor: Visitor, sandbox: Sandbox, **changes: Any) -> str:
    """Return the id of the package that the element quotes in the browser."""
    place = next(e for e in visitor.opens("/checkout/").elements if "data-request" in e)
    request = {**json.loads(place["data-request"]), **changes}
    response = Client(sandbox.wsgi_app).post("/xce/quotes?partner=SHOP1", json=request)
    package_id: str = response.get_json()["id"]
    return package_id


def names(visitor: Visitor, package: str) -> Any:
    return visitor.client.post(PATH, {"package": package}, headers=AS_SCRIPT)


def test_without_the_setting_the_tag_shows_the_offer(settings: Any, visitor: Visitor) -> None:
    settings.XCOVER = {**settings.XCOVER, "ELEMENTS_SCRIPT": ""}

    page = visitor.opens("/checkout/")

    assert page.all("xce-protection-offer") == []
    assert any("data-xcover-offer" in element for element in page.elements)


def test_the_page_asks_for_the_cart_and_names_no_person(visitor: Visitor) -> None:
    page = visitor.opens("/checkout/")

    (place,) = (element for element in page.elements if "data-xcover-element" in element)
    assert place["data-script"] == SCRIPT
    assert json.loads(place["data-request"])["request"][0]["tickets"] == [{"price": 60}] * 2
    assert "ana@example.com" not in page.html
    assert page.all("script", src=SCRIPT) == []


def test_without_javascript_the_offer_is_one_click_away(visitor: Visitor) -> None:
    page = visitor.opens("/checkout/")

    assert [link for link in page.all("a") if "noscript" in [e.tag for e in link.inside]]


def test_an_answered_offer_is_shown_with_its_answer(visitor: Visitor) -> None:
    visitor.shopper.says(yes=True)

    page = visitor.opens("/checkout/")

    assert page.all("xce-protection-offer") == []
    assert page.ticked == ["yes"]


def test_a_package_that_offers_something_else_shows_the_shops_own_offer(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    response = names(visitor, quoted(visitor, sandbox, customer_country="JP"))

    assert response.status_code == 409
    own = Quote.objects.get()
    assert Page(response.content).one("input", name="quote")["value"] == own.quote_id


def test_a_package_that_does_not_exist_shows_the_shops_own_offer(visitor: Visitor) -> None:
    assert names(visitor, "AAAAA-AAAAA-INS").status_code == 409


def test_without_an_offer_for_the_cart_there_is_nothing_to_answer(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    package = quoted(visitor, sandbox)
    sandbox.faults.add("create_quote", "status", status=422, times=9)

    assert names(visitor, package).status_code == 204


def test_another_site_cannot_name_a_package(visitor: Visitor) -> None:
    visitor.client.handler.enforce_csrf_checks = True

    assert names(visitor, "AAAAA-AAAAA-INS").status_code == 403


def test_a_package_is_not_named_by_reading(visitor: Visitor) -> None:
    assert visitor.client.get(PATH).status_code == 405


def test_the_answer_is_recorded_as_given_to_the_element(visitor: Visitor, sandbox: Sandbox) -> None:
    page = Page(names(visitor, quoted(visitor, sandbox)).content)
    quote, shown = (page.one("input", name=name)["value"] for name in ("quote", "shown"))

    response = visitor.sends(quote=quote, shown=shown, choice="yes", element="on", price="0.01")

    assert response.status_code == 200
    decision = Decision.objects.get()
    assert decision.choice == Choice.ACCEPTED
    assert decision.template_version == f"{TEMPLATE_VERSION}-element"
    assert decision.price == Quote.objects.get(quote_id=quote).price


def test_a_quote_of_another_package_cannot_be_answered(visitor: Visitor, sandbox: Sandbox) -> None:
    strange = sandbox.package(quoted(visitor, sandbox))["quotes"][0]["id"]
    names(visitor, quoted(visitor, sandbox))

    response = visitor.sends(quote=strange, choice="yes", element="on")

    assert response.status_code == 409
    assert not Decision.objects.exists()
