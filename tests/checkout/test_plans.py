"""Paying a cover in parts: what is offered, what is chosen, and what is charged today."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpRequest
from django.utils.translation import override

from django_xcover.clients import factory
from django_xcover.cover import current_cover, freeze_cover
from django_xcover.models import Decision, Quote
from django_xcover.offers import choices
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests import completion
from tests.checkout.conftest import Visitor, vendor_says
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.shop import Shop, ticket

pytestmark = pytest.mark.django_db

MONTHLY = {
    "name": "1year-monthly",
    "label": "1Year-Monthly",
    "amount": 7.89,
    "first_instalment_amount": 0.66,
}
QUARTERLY = {**MONTHLY, "name": "1year-quarterly", "first_instalment_amount": 1.98}


@pytest.fixture
def planned(visitor: Visitor) -> Visitor:
    """Return a visitor to whom XCover offers two ways to pay in parts."""
    visitor.is_offered()
    offer_plans(MONTHLY, QUARTERLY)
    return visitor


def offer_plans(*plans: dict[str, Any]) -> None:
    """Let XCover's answer have these plans, its amounts as they are stored."""
    vendor_says(
        instalment_plans=[
            {key: str(value) if isinstance(value, float) else value for key, value in plan.items()}
            for plan in plans
        ]
    )


def says_yes(visitor: Visitor, **fields: str) -> Any:
    return visitor.posts(quote=Quote.objects.get().quote_id, choice="yes", **fields)


def cover_of(visitor: Visitor) -> Any:
    request = HttpRequest()
    request.cart = visitor.shopper.cart  # type: ignore[attr-defined]
    return current_cover(request)


def test_a_plan_that_is_not_offered_is_refused_with_a_sentence(planned: Visitor) -> None:
    response = says_yes(planned, plan="10year-free")

    assert response.status_code == 409
    assert "This way to pay is not offered any more." in Page(response.content).errors[0]
    assert Quote.objects.get().choice == ""


def test_a_plan_that_went_away_takes_the_yes_with_it(planned: Visitor) -> None:
    says_yes(planned, plan="1year-monthly")
    planned.shopper.cart = planned.front.cart = planned.shopper.cart.but(items=(ticket(count=3),))
    planned.is_offered()

    quote = Quote.objects.get()
    assert (quote.choice, quote.instalment_plan) == ("", "")
    assert cover_of(planned).premium is None


def test_a_plan_is_of_no_use_without_a_yes(planned: Visitor) -> None:
    quote_id = Quote.objects.get().quote_id

    unanswered = planned.posts(quote=quote_id, plan="1year-monthly")
    planned.posts(quote=quote_id, choice="no", plan="1year-monthly")

    assert unanswered.status_code == 400
    assert Quote.objects.get().choice == "declined"
    assert Quote.objects.get().instalment_plan == ""


def test_a_plan_of_a_page_that_showed_other_prices_is_refused(planned: Visitor) -> None:
    page = planned.opens("/xcover/offer/page/")
    mark = page.one("input", name="shown")["value"]
    offer_plans({**MONTHLY, "first_instalment_amount": 0.70})

    response = says_yes(planned, plan="1year-monthly", shown=mark)

    assert response.status_code == 409


@pytest.mark.parametrize("missing", ["name", "amount", "first_instalment_amount"])
def test_a_plan_nobody_could_charge_for_is_not_shown(visitor: Visitor, missing: str) -> None:
    visitor.is_offered()
    offer_plans({key: value for key, value in MONTHLY.items() if key != missing})

    page = visitor.opens("/xcover/offer/page/")

    assert page.all("input", name="plan") == []


@pytest.mark.parametrize("odd", [None, "monthly", [None, 3, {"name": {}}], {"name": "x"}])
def test_odd_plans_harm_no_offer(visitor: Visitor, odd: Any) -> None:
    visitor.is_offered()
    vendor_says(instalment_plans=odd)

    assert visitor.opens("/xcover/offer/page/").all("input", name="plan") == []


def test_no_way_to_pay_is_ticked_for_the_shopper(planned: Visitor) -> None:
    page = planned.opens("/xcover/offer/page/")

    assert page.ticked == []
    assert [radio["value"] for radio in page.all("input", name="plan")] == [
        "",
        "1year-monthly",
        "1year-quarterly",
    ]


def test_each_plan_shows_what_is_due_today_and_what_all_parts_come_to(planned: Visitor) -> None:
    labels = [label.text for label in planned.opens("/xcover/offer/page/").all("label")]

    price = "price of the cover £7.89, each part rounded up"
    monthly = "£0.66 today; 12 payments of £0.66, £7.92 in total"
    quarterly = "£1.98 today; 4 payments of £1.98, £7.92 in total"
    assert "All at once: £7.89 today" in labels
    assert f"Every month for one year: {monthly} ({price})" in labels
    assert f"Every three months for one year: {quarterly} ({price})" in labels


def test_a_german_reads_what_all_parts_come_to(planned: Visitor) -> None:
    with override("de"):
        labels = [label.text for label in planned.opens("/xcover/offer/page/").all("label")]

    assert any("12 Zahlungen zu je 0,66 £, insgesamt 7,92 £" in label for label in labels)


def test_the_parts_come_to_what_xcovers_schedule_asks_for(planned: Visitor, shop: Shop) -> None:
    says_yes(planned, plan="1year-monthly")
    total = cover_of(planned).lines[0].total
    completion.complete(shop.order(), planned.shopper.cart, paid=True)
    work()

    schedule = factory.client_for("default").get_instalments(the_package().package_id)
    parts = [part["total_amount"] for part in schedule["quotes"][0]["payment_schedule"]]
    assert sum(parts) == total.amount


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "2year-weekly", "label": "Two years"},  # nobody knows how many parts that is
        {"first_instalment_amount": 0.65},  # twelve of it do not pay for the cover
        {"first_instalment_amount": 2.00},  # the others must be smaller
    ],
)
def test_no_total_is_made_up_for_parts_that_are_not_known(
    visitor: Visitor, odd: dict[str, Any]
) -> None:
    visitor.is_offered()
    offer_plans({**MONTHLY, **odd})
    says_yes(visitor, plan=odd.get("name", MONTHLY["name"]))

    page = visitor.opens("/xcover/offer/page/")

    assert "today; price of the cover £7.89, each part rounded up" in page.all("label")[-1].text
    assert (cover_of(visitor).lines[0].parts, cover_of(visitor).lines[0].total) == (None, None)


def test_a_plan_of_another_name_is_shown_under_xcovers_label(visitor: Visitor) -> None:
    visitor.is_offered()
    offer_plans({**MONTHLY, "name": "2year-weekly", "label": "<b>Two  years</b>"})

    page = visitor.opens("/xcover/offer/page/")

    assert "&lt;b&gt;Two years&lt;/b&gt;: <strong" in page.html


def test_the_chosen_plan_is_on_record_and_its_first_instalment_is_charged(
    planned: Visitor,
) -> None:
    says_yes(planned, plan="1year-monthly")

    line = cover_of(planned).lines[0]
    decision = Decision.objects.get()
    assert line.price == Money(Decimal("0.66"), "GBP")
    assert line.whole.amount == Decimal("7.89")
    assert line.plan == "Every month for one year"
    assert (line.parts, line.total) == (12, Money(Decimal("7.92"), "GBP"))
    assert cover_of(planned).premium == line.price
    assert decision.instalment_plan == "1year-monthly"
    assert decision.shown["plans"][0]["first"] == "0.66"
    assert decision.shown["plans"][0]["total"] == "7.92"
    assert planned.opens("/xcover/offer/page/").ticked == ["yes", "1year-monthly"]


def test_parts_that_come_to_the_price_itself_are_not_called_rounded(planned: Visitor) -> None:
    vendor_says(instalment_plans=[{**MONTHLY, "amount": "7.92", "first_instalment_amount": "0.66"}])

    page = planned.opens("/xcover/offer/page/")

    assert "12 payments of £0.66, £7.92 in total" in page.html
    assert "rounded up" not in page.html


def test_another_way_to_pay_is_another_decision(planned: Visitor) -> None:
    says_yes(planned, plan="1year-monthly")
    says_yes(planned, plan="1year-monthly")
    says_yes(planned, plan="")

    plans = Decision.objects.order_by("pk").values_list("instalment_plan", flat=True)
    assert list(plans) == ["1year-monthly", ""]
    assert cover_of(planned).premium == Money(Quote.objects.get().price, "GBP")


def test_saving_a_yes_again_without_a_way_to_pay_keeps_the_one_chosen(planned: Visitor) -> None:
    says_yes(planned, plan="1year-monthly")
    says_yes(planned)

    assert Quote.objects.get().instalment_plan == "1year-monthly"
    assert Decision.objects.count() == 1


def test_a_yes_after_a_no_is_paid_at_once_unless_the_shopper_says_otherwise(
    planned: Visitor,
) -> None:
    says_yes(planned, plan="1year-monthly")
    planned.posts(quote=Quote.objects.get().quote_id, choice="no")
    says_yes(planned)

    assert Quote.objects.get().instalment_plan == ""


def test_a_kept_way_to_pay_that_is_no_longer_offered_is_dropped_as_the_page_says(
    planned: Visitor, settings: Any
) -> None:
    says_yes(planned, plan="1year-monthly")
    settings.XCOVER = {**settings.XCOVER, "OFFER_INSTALMENTS": False}

    says_yes(planned)

    assert Quote.objects.get().instalment_plan == ""


def test_the_script_learns_the_plan_and_what_is_due_today(planned: Visitor) -> None:
    answer = planned.sends(
        quote=Quote.objects.get().quote_id, choice="yes", plan="1year-monthly"
    ).json()

    assert (answer["plan"], answer["premium"]) == ("1year-monthly", "0.66")
    assert answer["premiumFormatted"] == "£0.66"


def test_the_plan_is_booked_and_the_first_instalment_frozen(
    planned: Visitor, shop: Shop, sandbox: Sandbox
) -> None:
    says_yes(planned, plan="1year-monthly")
    request = HttpRequest()
    request.cart = planned.shopper.cart  # type: ignore[attr-defined]

    charged = freeze_cover(request).premium
    completion.complete(shop.order(), planned.shopper.cart, paid=True)
    work()

    assert charged == Money(Decimal("0.66"), "GBP")
    schedule = factory.client_for("default").get_instalments(the_package().package_id)
    assert len(schedule["quotes"][0]["payment_schedule"]) == 12
    assert Quote.objects.get().status == "CONFIRMED"


@pytest.mark.parametrize(
    ("currency", "price", "first"),
    [("JPY", "308", "26"), ("KWD", "30.801", "2.567"), ("GBP", "308", "25.67")],
)
def test_instalments_are_exact_in_every_currency(
    visitor: Visitor, currency: str, price: str, first: str
) -> None:
    visitor.shopper.cart = visitor.front.cart = visitor.shopper.cart.but(currency=currency)
    visitor.is_offered()
    vendor_says(instalment_plans=[{**MONTHLY, "amount": price, "first_instalment_amount": first}])

    says_yes(visitor, plan="1year-monthly")

    assert cover_of(visitor).premium == Money(Decimal(first), currency)
    assert cover_of(visitor).lines[0].total == Money(Decimal(first) * 12, currency)


def test_without_a_plan_choosing_is_as_before(visitor: Visitor) -> None:
    offer = visitor.is_offered()

    chosen = choices.choose(
        visitor.shopper._read(visitor.shopper.cart),
        quote_id=offer.quotes[0].quote_id,
        accepted=True,
        template_version="1",
    )

    assert chosen.premium == offer.quotes[0].price
