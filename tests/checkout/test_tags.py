"""The template tags, on the shop's own pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from django_xcover.checkout import tags
from django_xcover.client import ConnectionFailed, XCoverError
from django_xcover.clients import circuit_breaker
from django_xcover.clients.cache import Memory
from django_xcover.conf import get_config
from django_xcover.cover import OrderCover, PolicyView
from django_xcover.models import OfferOutcome
from django_xcover.offers import carts
from django_xcover.overview.policies import PolicyState
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.checkout.conftest import Visitor, calls
from tests.checkout.page import Page
from tests.checkout.shopfront import Front, render
from tests.conftest import ReadCart, Shopper
from tests.shop import Cart, laptop, ticket

pytestmark = pytest.mark.django_db

RequestFor = Callable[[Cart | None], HttpRequest]
OFFER = "{% xcover_offer cart %}"
POLICY = PolicyView(
    quote_id="03c6a538-f9db-4426-b88c-0e30f6988b0d",
    label="Harbour Lights Festival",
    name="Ticket Protection",
    status="CONFIRMED",
    state=PolicyState.ACTIVE,
    price=Money(Decimal("7.90"), "GBP"),
    agreed=None,
    is_looked_into=False,
    starts=datetime(2026, 11, 21, tzinfo=UTC),
    ends=datetime(2027, 6, 12, tzinfo=UTC),
    documents=("certificate", "certificate-pdf", "wording"),
)


def test_a_page_rendered_without_its_request_says_what_to_do(front: Front) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"context_processors\.request"):
        render(OFFER, {"cart": Cart()}, None)


def test_a_shopper_without_a_cart_is_shown_nothing(
    front: Front, shopper: Shopper, request_for: RequestFor
) -> None:
    assert render("{% xcover_offer %}", {}, request_for(None)).strip() == ""


def test_the_checkout_page_never_calls_xcover(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.opens("/checkout/")

    assert calls(sandbox) == 0


def test_a_stored_offer_takes_one_query(
    front: Front, shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.sees()
    request = request_for(shopper.cart)

    with CaptureQueriesContext(connection) as queries:
        html = render(OFFER, {"cart": shopper.cart}, request)

    assert len(queries) == 1
    assert len(Page(html).all("fieldset")) == 1


def test_an_offer_for_an_earlier_cart_is_not_shown(visitor: Visitor) -> None:
    visitor.is_offered()
    visitor.front.cart = visitor.shopper.cart.but(currency="EUR")

    page = visitor.opens("/checkout/")

    assert page.all("fieldset") == []
    assert page.all("div", class_="xcover-waiting")


def test_without_javascript_a_link_leads_to_the_offer_and_back(visitor: Visitor) -> None:
    page = visitor.opens("/checkout/?step=2")

    link = page.one("a")
    assert [element.tag for element in link.inside][-2:] == ["div", "p"]
    assert link["href"] == "/xcover/offer/page/?next=%2Fcheckout%2F%3Fstep%3D2"
    form = visitor.opens(link["href"]).one("input", name="next")
    assert form["value"] == "/checkout/?step=2"


def test_no_place_is_kept_while_the_circuit_is_open(
    front: Front, shopper: Shopper, request_for: RequestFor, memory: Memory
) -> None:
    for _fault in range(get_config().breaker_faults):
        with suppress(XCoverError), circuit_breaker.guard("default"):
            raise ConnectionFailed("x")
    assert circuit_breaker.is_open("default")

    assert render(OFFER, {"cart": shopper.cart}, request_for(shopper.cart)) == ""


def test_no_place_is_kept_for_a_cart_that_xcover_has_just_refused(
    front: Front, shopper: Shopper, read: ReadCart, request_for: RequestFor, memory: Memory
) -> None:
    carts.remember_no_offer(read(shopper.cart), OfferOutcome.REFUSED)

    assert render(OFFER, {"cart": shopper.cart}, request_for(shopper.cart)) == ""
    other = shopper.cart.but(items=(ticket(count=3),))
    assert "xcover-waiting" in render(OFFER, {"cart": other}, request_for(other))


def test_cover_that_is_lost_with_the_refused_cart_is_named_at_once(
    front: Front, shopper: Shopper, read: ReadCart, request_for: RequestFor, memory: Memory
) -> None:
    shopper.says(yes=True)
    cart = shopper.cart.but(items=(ticket("another"),))
    carts.remember_no_offer(read(cart), OfferOutcome.REFUSED)

    page = Page(render(OFFER, {"cart": cart}, request_for(cart)))

    assert page.all("div", class_="xcover-waiting") == []
    assert len(page.all("p", class_="xcover-lapsed")) == 1


def test_the_place_is_kept_for_one_card_with_a_line_for_each_item(visitor: Visitor) -> None:
    page = visitor.opens("/checkout/")
    place = page.one("div", class_="xcover-waiting")
    lines = len([e for e in page.all("span") if place in e.inside])
    visitor.front.cart = Cart(items=(ticket(), laptop()))

    page = visitor.opens("/checkout/")

    place = page.one("div", class_="xcover-waiting")
    assert place["aria-hidden"] == "true"
    assert len([e for e in page.all("span") if place in e.inside]) == lines + 2


def test_the_script_is_told_everything_by_attributes(visitor: Visitor, settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 1.0}

    place = visitor.opens("/checkout/").one("div", id="xcover-offer")

    assert place["data-src"] == "/xcover/offer/?next=%2Fcheckout%2F"
    assert int(place["data-timeout"]) == 2500
    assert place["data-failed"] == "We couldn't save your answer. Please try again."


def test_an_unanswered_question_can_be_asked_again(
    front: Front, shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.sees()
    asking = "{% xcover_offer cart ask=True %}"

    def refused() -> HttpRequest:
        request = request_for(shopper.cart)
        request.method = "POST"
        return request

    page = Page(render(asking, {"cart": shopper.cart}, refused()))

    assert page.errors == ["Please choose yes or no."]
    page = Page(render(asking, {"cart": shopper.cart}, request_for(shopper.cart)))
    assert page.errors == []
    assert page.one("div", id="xcover-offer")["data-ask"] == "Please choose yes or no."
    shopper.says(yes=False)
    page = Page(render(asking, {"cart": shopper.cart}, refused()))
    assert page.errors == []


def test_assets_need_no_request(front: Front) -> None:
    page = Page(render("{% xcover_assets %}", {}, None))

    assert "nonce" not in page.one("script")
    assert "defer" in page.one("script")
    assert page.one("link")["href"].endswith("xcover/xcover.css")


class Lazy:
    """A nonce that is false until it is read, like Django's own."""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return 'r4nd"m'


@pytest.mark.parametrize("nonce", [Lazy(), 'r4nd"m'])
def test_assets_carry_the_nonce_of_the_context(front: Front, nonce: object) -> None:
    page = Page(render("{% xcover_assets %}", {"csp_nonce": nonce}, None))

    assert page.one("script")["nonce"] == page.one("link")["nonce"] == 'r4nd"m'


def test_assets_carry_the_nonce_of_the_request(front: Front, rf: RequestFactory) -> None:
    request: Any = rf.get("/")
    request.csp_nonce = "abc"

    assert Page(render("{% xcover_assets %}", {}, request)).one("script")["nonce"] == "abc"


def policies(
    monkeypatch: pytest.MonkeyPatch, request: HttpRequest, state: str, *of: PolicyView
) -> Page:
    monkeypatch.setattr(tags, "order_cover", lambda order: OrderCover(state=state, policies=of))
    return Page(render("{% xcover_policies order %}", {"order": object()}, request))


def test_an_order_without_an_offer_says_nothing(
    front: Front, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert policies(monkeypatch, rf.get("/"), "none").html.strip() == ""


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("declined", "No insurance was added to this order."),
        ("arranging", "We're arranging your cover. This usually takes a moment."),
        ("awaiting_payment", "We'll book your cover when your payment arrives."),
        ("booked", "Your cover is booked."),
        ("partly_booked", "Not all of your cover is booked."),
        ("partly_cancelled", "Part of your cover has been cancelled."),
        ("cancelled", "Your cover has been cancelled."),
        (
            "unclear",
            (
                "We're checking the status of your cover with the insurer. "
                "You don't need to do anything."
            ),
        ),
        (
            "needs_person",
            "Your cover isn't booked yet. We're looking into it; you don't need to do anything.",
        ),
    ],
)
def test_an_order_says_what_became_of_its_cover(
    front: Front, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch, state: str, sentence: str
) -> None:
    page = policies(monkeypatch, rf.get("/"), state)

    assert [p.text for p in page.all("p")] == [sentence]


def test_a_policy_is_shown_with_its_period_price_and_documents(
    front: Front, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = policies(monkeypatch, rf.get("/"), "booked", POLICY)

    facts = [fact.text for fact in page.all("dd")]
    assert facts == ["Ticket Protection", "Nov. 21, 2026 to June 12, 2027", "£7.90", "Active"]
    assert [(link.text, link["href"]) for link in page.all("a")] == [
        ("Certificate of insurance", f"/xcover/documents/{POLICY.quote_id}/certificate/"),
        ("Certificate of insurance (PDF)", f"/xcover/documents/{POLICY.quote_id}/certificate-pdf/"),
        ("Policy wording", f"/xcover/documents/{POLICY.quote_id}/wording/"),
    ]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            PolicyState.NEEDS_PERSON,
            "Not booked. We're looking into it; you don't need to do anything.",
        ),
        (PolicyState.FAILED, "Not booked, so you aren't insured. Please contact us."),
    ],
)
def test_a_policy_that_was_not_booked_says_so_beside_those_that_were(
    front: Front,
    rf: RequestFactory,
    monkeypatch: pytest.MonkeyPatch,
    state: PolicyState,
    sentence: str,
) -> None:
    lost = replace(POLICY, status="RECEIVED", state=state, label="Aero 14", documents=())

    page = policies(monkeypatch, rf.get("/"), "partly_booked", lost, POLICY)

    texts = [p.text for p in page.all("p")]
    assert texts[1:] == ["Aero 14", sentence, "Harbour Lights Festival"]
    assert "received" not in page.html.lower()


def test_another_price_than_the_one_agreed_on_is_not_shown_without_a_word(
    front: Front, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    dearer = replace(POLICY, agreed=Money(Decimal("5.99"), "GBP"), is_looked_into=True)
    settled = replace(dearer, is_looked_into=False)

    page = policies(monkeypatch, rf.get("/"), "booked", dearer, settled)

    facts = [fact.text for fact in page.all("dt")]
    assert facts.count("Price you agreed to") == 2
    looking = [p.text for p in page.all("p") if "looking into" in p.text]
    assert looking == ["This isn't the price you agreed to. We're looking into it."]


def test_a_page_whose_shop_has_not_mounted_the_addresses_says_so(
    front: Front, settings: Any, request_for: RequestFor
) -> None:
    settings.ROOT_URLCONF = "django.contrib.auth.urls"

    with pytest.raises(ImproperlyConfigured, match=r"django_xcover\.urls"):
        render(OFFER, {"cart": Cart()}, request_for(Cart()))
