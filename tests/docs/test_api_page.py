"""The page about the API: its examples run, and its answers are shaped like real ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from django_xcover import exceptions
from django_xcover.api import urls
from django_xcover.cover import order_cover
from django_xcover.models import Cancellation, Modification, Renewal
from django_xcover.overview.documents import MailState
from django_xcover.overview.instalments import PartState
from django_xcover.overview.policies import PolicyState
from django_xcover.policies import instalments
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests import completion
from tests.api.conftest import ROOT, Program, front, policy_path, program
from tests.conftest import the_package, work
from tests.docs.pages import DOCS, blocks, code_in, table
from tests.shop import ANA, SHOP, Adapter, Order, laptop

__all__ = ["front", "program"]

pytestmark = pytest.mark.django_db
PAGE = DOCS / "api.md"
SAMPLES = [json.loads(block.text) for block in blocks(PAGE) if block.language == "json"]
(
    OFFER,
    PRICE,
    COVER,
    AFTER_SALE,
    POLICIES,
    POLICY,
    EMAIL,
    CANCELLATION,
    MODIFICATION,
    RENEWAL,
    SCHEDULE,
    PROBLEM,
) = SAMPLES


@pytest.fixture
def page() -> dict[str, Any]:
    """Return what the page defines."""
    names: dict[str, Any] = {"__name__": "storefront"}
    for block in blocks(PAGE):
        if block.language == "python":
            exec(block.code(), names)  # noqa: S102 - the page is what is tested
    return names


@pytest.fixture
def browser(program: Program) -> Program:
    """Return a shopper with a laptop in the cart, to be insured for a year."""
    item = laptop()
    yearly = replace(item, fields={**item.fields, "term": 12})
    program.shopper.cart = program.front.cart = program.shopper.cart.but(items=(yearly,))
    return program


def buy(browser: Program) -> Order:
    order = SHOP.order("ORD-1", owner=browser.front.shopper)
    completion.complete(order, browser.shopper.cart, paid=True)
    work()
    return order


@pytest.fixture
def insured(browser: Program, page: dict[str, Any]) -> Program:
    """Let the laptop be insured by the page's own code, and paid every month."""
    page["answer_offer"](Client(), "yes", "1year-monthly")
    buy(browser)
    instalments.mirror(the_package())
    return browser


@pytest.fixture
def renewal(insured: Program) -> Iterator[Renewal]:
    with time_machine.travel(timezone.now() + timedelta(days=350)):
        [found] = renewing.find_due()
        yield found


def test_a_plan_that_is_chosen_is_charged_and_booked(
    browser: Program, page: dict[str, Any]
) -> None:
    premium = page["answer_offer"](Client(), "yes", "1year-monthly")
    order = buy(browser)

    assert premium == OFFER["quotes"][0]["plans"][0]["first"]
    assert order_cover(order).state == "booked"


def test_a_cart_without_an_offer_is_sold_without(page: dict[str, Any], program: Program) -> None:
    program.front.cart = None

    assert page["answer_offer"](Client(), "yes") is None


def test_the_token_of_a_card_is_passed_on_or_refused_with_a_sentence(
    browser: Program,
    page: dict[str, Any],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Adapter, "charged_by_xcover", lambda self, order: True)
    sandbox.xpay.add_token("tok-1", ANA.email)
    page["answer_offer"](Client(), "yes")
    order = SHOP.order("ORD-1", owner=browser.front.shopper)
    completion.complete(order, browser.shopper.cart, paid=False)

    refused = page["pay_cover"](Client(), "ORD-1", "no token", ANA.email)
    assert refused == "The card could not be used. Please enter it again."
    assert page["pay_cover"](Client(), "ORD-1", "tok-1", ANA.email) == ""

    completion.complete(order, paid=True)
    work()
    assert [charge.token for charge in sandbox.xpay.charges] == ["tok-1"]


def test_the_example_cancels(
    insured: Program, page: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    policy = the_package().quotes.get()
    answer = page["cancel"](Client(), policy.quote_id, "too dear")
    work()

    assert (answer["state"], answer["waiting"]) == ("requested", True)
    assert "You get back £3.85" in capsys.readouterr().out
    assert the_package().status == "CANCELLED"


def test_every_endpoint_is_documented_and_no_other() -> None:
    names = {pattern.name for pattern in _patterns(urls.urlpatterns)} - {"missing"}

    assert {code_in(row[1])[0] for row in table(PAGE, "| Path |")} == names


def test_a_difference_is_settled_once_and_by_the_backend_only(
    insured: Program, page: dict[str, Any]
) -> None:
    asked = insured.posts(policy_path("modifications/"), update_fields={"price": 2400}).json()
    change = Modification.objects.get(pk=asked["id"])
    settle = page["difference_paid"]

    own_word = {"reference": "pay_0", "state": "confirmed", "settled_at": "2030-01-21T18:30:23Z"}
    confirm = policy_path(f"modifications/{change.pk}/confirm/")
    told = insured.posts(confirm, **own_word)
    assert (told.status_code, told.json()["code"]) == (409, "difference_not_settled")
    assert settle(change.pk, Money(Decimal("0.01"), "GBP"), "pay_1") is False
    change.refresh_from_db()
    assert (change.state, change.settled_at) == ("quoted", None)

    assert settle(change.pk, change.difference, "pay_1") is True
    work()
    assert settle(change.pk, change.difference, "pay_1") is True
    assert settle(change.pk, change.difference, "pay_2") is False
    change.refresh_from_db()
    assert (change.state, change.settlement_reference) == ("confirmed", "pay_1")


def test_a_difference_that_was_paid_back_is_settled(insured: Program, page: dict[str, Any]) -> None:
    asked = insured.posts(policy_path("modifications/"), update_fields={"price": 400}).json()
    change = Modification.objects.get(pk=asked["id"])
    assert change.price_diff < 0

    assert page["difference_paid"](change.pk, change.difference, "re_1") is True
    work()
    change.refresh_from_db()
    assert change.state == "confirmed"


def test_the_api_is_mounted_where_the_page_says(page: dict[str, Any]) -> None:
    described, mounted = page["urlpatterns"]

    assert described.pattern.describe() == mounted.pattern.describe()
    assert f"/{mounted.pattern}" == ROOT == f"{page['API']}/"


@pytest.mark.parametrize(
    ("sample", "path"),
    [
        (OFFER, lambda: "offer/"),
        (PRICE, lambda: "price/?product=laptop"),
        (COVER, lambda: "orders/ORD-1/cover/"),
        (POLICIES, lambda: "policies/"),
        (EMAIL, lambda: policy_path("email/")),
        (SCHEDULE, lambda: policy_path("instalments/")),
    ],
    ids=["offer", "price", "cover", "policies", "email", "instalments"],
)
def test_an_answer_has_the_documented_fields(
    browser: Program, page: dict[str, Any], sample: Any, path: Callable[[], str]
) -> None:
    offer = browser.gets("offer/").json()
    page["answer_offer"](Client(), "yes", "1year-monthly")
    buy(browser)
    instalments.mirror(the_package())

    answer = offer if sample is OFFER else browser.gets(path()).json()

    assert shape(answer) == shape(sample)


def test_cover_after_the_sale_has_the_documented_fields(browser: Program, settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": 7}
    browser.shopper.says(yes=False)
    buy(browser)
    offer = browser.gets("orders/ORD-1/offer/").json()

    answer = browser.posts("orders/ORD-1/offer/", choice="yes", shown=offer["shown"]).json()

    assert shape(answer) == shape(AFTER_SALE)


def test_a_cancellation_and_a_modification_have_the_documented_fields(insured: Program) -> None:
    change = insured.posts(policy_path("modifications/"), update_fields={"price": 2400})
    preview = insured.posts(policy_path("cancellations/"))
    refused = insured.posts(policy_path("cancellations/"), reason="4111 1111 1111 1111")

    assert shape(change.json()) == shape(MODIFICATION)
    assert shape(preview.json()) == shape(CANCELLATION)
    assert (refused.status_code, refused.json()) == (400, PROBLEM)


def test_a_renewal_and_a_policy_have_the_documented_fields(
    insured: Program, renewal: Renewal
) -> None:
    priced = insured.posts(policy_path(f"renewals/{renewal.pk}/price/")).json()
    policy = insured.gets(policy_path()).json()

    assert shape(priced) == shape(RENEWAL)
    assert policy.keys() == POLICY.keys()
    assert shape(policy["policy"]) == shape(POLICIES["policies"][0])
    assert set(policy["wording"]) == set(OFFER["quotes"][0]) - {
        "lapse",
        "quote_id",
        "policy_type",
        "documents",
        "plans",
        "choice",
        "plan",
        "due_today",
        "shown",
    }
    assert policy["policyholder"].keys() == POLICY["policyholder"].keys()
    assert policy["email"].keys() == EMAIL.keys()


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("An e-mail", MailState.values),
        ("Cancellation", Cancellation.State.values),
        ("Modification", Modification.State.values),
        ("Renewal", Renewal.State.values),
        ("Instalments", PartState.values),
    ],
)
def test_every_state_is_documented(heading: str, states: list[str]) -> None:
    section = PAGE.read_text().partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    told = re.search(r"`state`(?: of a part)? is ([^.]+)\.", section)

    assert told is not None
    assert set(code_in(told[1])) == set(states)


def test_every_state_of_a_policy_is_documented_in_the_words_of_the_page() -> None:
    rows = {code_in(row[0])[0]: row[1] for row in table(PAGE, "| `state` |")}

    assert rows == {state.value: str(state.label) for state in PolicyState}


def test_every_refusal_of_a_choice_is_documented() -> None:
    types = [name for row in table(PAGE, "| Status |") for name in code_in(row[1])]
    refusals = [cls.__name__ for cls in exceptions.ChoiceRefused.__subclasses__()]
    own = exceptions.DifferenceNotSettled.__name__

    assert {snake(name) for name in (*refusals, own)} <= set(types)


@pytest.mark.parametrize(
    ("status", "kind", "send"),
    [
        (400, "invalid", lambda p: p.posts("choice/")),
        (400, "parse_error", lambda p: _posts(p, "[]")),
        (404, "not_found", lambda p: p.gets("policies/zzz/")),
        (405, "method_not_allowed", lambda p: p.client.delete(f"{ROOT}offer/")),
        (415, "unsupported_media_type", lambda p: p.client.post(f"{ROOT}choice/", {"a": "b"})),
        (409, "offer_changed", lambda p: p.posts("choice/", quote="x", choice="yes")),
    ],
)
def test_what_is_wrong_is_answered_as_documented(
    browser: Program, status: int, kind: str, send: Callable[[Program], Any]
) -> None:
    answer = send(browser)

    assert (answer.status_code, answer.json()["code"]) == (status, kind)
    rows = table(PAGE, "| Status |")
    assert str(status) in [row[0] for row in rows if kind in code_in(row[1])]


def test_a_post_without_the_csrf_token_is_refused(browser: Program) -> None:
    answer = Client(enforce_csrf_checks=True).post(f"{ROOT}choice/", {}, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def _posts(program: Program, body: str) -> Any:
    return program.client.post(f"{ROOT}choice/", body, content_type="application/json")


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def shape(value: Any) -> Any:
    """Return the names in `value`, and of lists those of the first element."""
    if isinstance(value, dict):
        return {name: shape(below) for name, below in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


def _patterns(found: Any) -> Iterator[Any]:
    for pattern in found:
        yield from (
            _patterns(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern]
        )
