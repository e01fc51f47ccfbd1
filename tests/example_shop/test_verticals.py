"""Everything the shop sells is bought, changed, cancelled and, where it renews, renewed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_xcover.models import Cancellation, Modification, Quote
from django_xcover.policies import renewal as renewing
from django_xcover.policies.modification.texts import worth_of
from django_xcover.sandbox import Sandbox
from example_shop.demo import data
from example_shop.models import Order, OrderLine
from tests.conftest import the_package, work
from tests.example_shop.conftest import (
    CARD,
    DETAILS,
    FESTIVAL,
    FLAT,
    FLIGHT,
    LAPTOP,
    PARCEL,
    STAY,
    Shopper,
    in_days,
    last_message,
    typed,
)


def takes(shopper: Shopper, slug: str, **changes: str) -> Any:
    return shopper.client.post(f"/cart/{slug}/add/", typed(slug, **changes))


@pytest.fixture
def guest(goods: None) -> Shopper:
    """Return a shopper with an empty cart."""
    return Shopper()


@pytest.fixture
def member(goods: None) -> Shopper:
    """Return a shopper with an account and an empty cart."""
    member = Shopper()
    logs_in(member)
    return member


def logs_in(shopper: Shopper) -> None:
    shopper.client.login(username=data.SHOPPER.username, password=data.SHOPPER.password)


def buys(shopper: Shopper, slug: str) -> Quote:
    """Return the policy of a paid order of this product."""
    takes(shopper, slug)
    shopper.answers("yes")
    order = shopper.orders()
    assert order.premium
    shopper.pays(order)
    work()
    return Quote.objects.get()


def page_of(policy: Quote, name: str = "") -> str:
    return f"/xcover/mycover/policies/{policy.quote_id}/{name}"


# What is typed wrongly, and what is no longer possible


@pytest.mark.parametrize(
    ("slug", "changes", "text"),
    [
        (FLIGHT, {"starts": "yesterday"}, "Enter a valid date"),
        (FLIGHT, {"starts": ""}, "This field is required"),
        (FLIGHT, {"ends": in_days(20)}, "a date after the first one"),
        (FLIGHT, {"starts": in_days(0)}, "from tomorrow on"),
        (FLIGHT, {"ends": in_days(900)}, "next eleven months"),
        (FLIGHT, {"adults": "0"}, "greater than or equal to 1"),
        (STAY, {"children": "-1"}, "greater than or equal to 0"),
        (PARCEL, {"to_country": "XX"}, "Select a valid choice"),
        (PARCEL, {"worth": "-5"}, "greater than or equal to 1"),
        (PARCEL, {"worth": "1.005"}, "no more than 2 decimal places"),
        (PARCEL, {"contents": ""}, "This field is required"),
        (FLAT, {"contents": "NaN"}, "Enter a number"),
        (FLAT, {"residents": "0"}, "greater than or equal to 1"),
    ],
)
def test_wrong_details_are_explained_and_nothing_goes_into_the_cart(
    guest: Shopper, slug: str, changes: dict[str, str], text: str
) -> None:
    page = takes(guest, slug, **changes)

    assert page.status_code == 422
    assert text in page.content.decode()
    assert guest.opens("/cart/").context["cart"].is_empty


def test_what_costs_by_its_details_has_no_other_quantity(guest: Shopper) -> None:
    takes(guest, STAY)

    answer = guest.client.post(f"/cart/{STAY}/", {"quantity": "3"})

    assert "choose a quantity" in last_message(answer)
    (line,) = guest.opens("/cart/").context["cart"].lines
    assert line.quantity == 7


def test_a_trip_whose_day_has_come_is_no_longer_in_the_cart(guest: Shopper) -> None:
    takes(guest, FLIGHT)
    takes(guest, LAPTOP)

    with time_machine.travel(timezone.now() + timedelta(days=12)):
        assert len(guest.opens("/cart/").context["cart"].lines) == 2
    with time_machine.travel(timezone.now() + timedelta(days=13, hours=20)):
        lines = guest.opens("/cart/").context["cart"].lines
    assert [line.reference for line in lines] in ([FLIGHT, LAPTOP], [LAPTOP])


def test_what_is_worth_more_than_xcover_insures_is_sold_without_an_offer(
    xcover_sandbox: Sandbox, guest: Shopper
) -> None:
    takes(guest, PARCEL, worth="9000")
    takes(guest, LAPTOP)
    guest.answers("yes")

    order = guest.orders()

    assert order.lines.count() == 2
    assert [quote.label for quote in Quote.objects.exclude(status="FAILED")] == ["Lumen 14"]


# The way through the shop


@pytest.mark.parametrize(
    ("slug", "quantity", "price", "words"),
    [
        (FLIGHT, 3, "444.00", "2 adults, 1 child"),
        (STAY, 7, "672.00", "2 adults, 1 child"),
        (PARCEL, 1, "6.90", "A stoneware vase, 10115 Germany"),
        (FLAT, 1, "890.00", "2 residents"),
    ],
)
def test_the_price_follows_the_details_and_the_order_shows_them(
    guest: Shopper, slug: str, quantity: int, price: str, words: str
) -> None:
    takes(guest, slug)
    (line,) = guest.opens("/cart/").context["cart"].lines

    order = guest.orders()

    assert (line.quantity, line.total.amount) == (quantity, Decimal(price))
    assert order.goods_total == Decimal(price)
    assert words in guest.opens(f"/orders/{order.number}/").content.decode()


def test_details_can_be_given_again(guest: Shopper) -> None:
    takes(guest, FLIGHT)
    known = guest.opens(f"/products/{FLIGHT}/").context["form"]
    assert known["children"].value() == "1"

    takes(guest, FLIGHT, adults="1", children="0")

    (line,) = guest.opens("/cart/").context["cart"].lines

    assert line.quantity == 1


def test_the_wallets_order_keeps_the_details(guest: Shopper) -> None:
    takes(guest, PARCEL)
    form = {**guest.sees_the_checkout(), **DETAILS, "payment": "wallet"}
    address = guest.sends(form).url

    guest.client.post(f"{address}approve/")

    assert "A stoneware vase" in OrderLine.objects.get().location


# What XCover gets


@pytest.mark.parametrize(
    ("slug", "policy_type", "fields"),
    [
        (FESTIVAL, "event_ticket_protection", {"number_of_tickets": 2}),
        (
            FLIGHT,
            "comprehensive_travel_insurance",
            {
                "departure_country": "GB",
                "destination_country": "PT",
                "number_of_adults": 2,
                "number_of_children": 1,
                "total_tickets_price": Decimal("444.00"),
            },
        ),
        (STAY, "comprehensive_travel_insurance", {"total_tickets_price": Decimal("672.00")}),
        (
            PARCEL,
            "parcel_insurance",
            {"to_country": "DE", "to_zipcode": "10115", "cover_amount": Decimal(240)},
        ),
        (
            FLAT,
            "renters_insurance",
            {"address1": "Orchard Lane 7", "contents_value": Decimal(18000)},
        ),
        (LAPTOP, "product_insurance", {"category": "laptop", "price": Decimal("1249.00")}),
    ],
)
def test_each_is_insured_by_its_own_policy_with_its_own_fields(
    xcover_sandbox: Sandbox, guest: Shopper, slug: str, policy_type: str, fields: dict[str, Any]
) -> None:
    policy = buys(guest, slug)

    assert policy.status == "CONFIRMED"
    assert policy.policy_type == policy_type
    (package,) = xcover_sandbox.packages()
    (quote,) = package["quotes"]
    assert quote["status"] == "CONFIRMED"
    stored = policy.request
    for name, value in fields.items():
        assert str(stored[name]) == str(value) or Decimal(str(stored[name])) == value


# After the sale


@pytest.mark.parametrize("slug", [FESTIVAL, FLIGHT, STAY, PARCEL, FLAT, LAPTOP])
def test_the_customers_details_can_be_changed(
    xcover_sandbox: Sandbox, member: Shopper, slug: str
) -> None:
    policy = buys(member, slug)
    page = member.opens(page_of(policy, "details/"))
    form = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}

    answer = member.client.post(page_of(policy, "details/"), {**form, "last_name": "Okafor"})
    work()

    assert answer.status_code in {302, 303}
    assert "Okafor" in member.opens(page_of(policy, "details/")).content.decode()


@pytest.mark.parametrize(("slug", "value"), [(PARCEL, "300"), (FLAT, "20000"), (LAPTOP, "1400")])
def test_the_insured_value_is_raised_paid_and_in_force(
    xcover_sandbox: Sandbox, member: Shopper, slug: str, value: str
) -> None:
    policy = buys(member, slug)
    priced = member.client.post(page_of(policy, "value/"), {"amount": value})
    change = Modification.objects.get()

    assert change.price_diff is not None
    assert change.price_diff > 0
    paid = member.client.post(f"/cover/pay/modification/{change.pk}/", CARD)
    work()

    assert paid["Location"] == priced["Location"]
    change.refresh_from_db()
    assert change.state == Modification.State.CONFIRMED
    (package,) = xcover_sandbox.packages()
    assert package["quotes"][0]["fields"][worth_of(policy.policy_type)] == Decimal(value)


@pytest.mark.parametrize("slug", [FESTIVAL, FLIGHT, STAY, PARCEL, FLAT, LAPTOP])
def test_cover_is_cancelled_with_a_full_refund(
    xcover_sandbox: Sandbox, member: Shopper, slug: str
) -> None:
    policy = buys(member, slug)

    cancellation = cancels(member, policy)

    policy.refresh_from_db()
    assert policy.status == "CANCELLED"
    assert cancellation.refund is not None
    assert cancellation.refund.amount == Order.objects.get().premium


def cancels(shopper: Shopper, policy: Quote) -> Cancellation:
    """Return the cancellation after both steps and the worker's."""
    asked = shopper.client.post(page_of(policy, "cancel/"), {"policies": policy.quote_id})
    assert asked.status_code in {302, 303}, asked.content.decode()
    cancellation = the_package().cancellations.get()
    shopper.client.post(page_of(policy, f"cancellations/{cancellation.pk}/confirm/"))
    work()
    cancellation.refresh_from_db()
    return cancellation


def later(days: float) -> time_machine.travel:
    """Return a later time, at the shop and at XCover."""
    return time_machine.travel(timezone.now() + timedelta(days=days), tick=True)


@pytest.mark.parametrize(("slug", "days"), [(FESTIVAL, 27), (FLIGHT, 21), (STAY, 21), (PARCEL, 4)])
def test_nothing_is_cancelled_once_it_has_begun(
    xcover_sandbox: Sandbox, member: Shopper, slug: str, days: int
) -> None:
    policy = buys(member, slug)

    with later(days):
        logs_in(member)
        member.client.post(page_of(policy, "cancel/"), {"policies": policy.quote_id})
        for cancellation in Cancellation.objects.all():
            # XCover decides by its own clock. A withdrawal can be stated all the same (2023/2673).
            member.client.post(page_of(policy, f"cancellations/{cancellation.pk}/confirm/"))
            work()
            page = member.opens(page_of(policy, f"cancellations/{cancellation.pk}/"))
            assert "Your cover wasn't cancelled" in page.content.decode()

    (package,) = xcover_sandbox.packages()
    assert package["status"] == "CONFIRMED"
    assert not Cancellation.objects.filter(state=Cancellation.State.CONFIRMED).exists()


@pytest.mark.parametrize(("slug", "days"), [(FESTIVAL, 15), (FLIGHT, 15), (STAY, 15)])
def test_nothing_is_refunded_for_tickets_and_trips_after_two_weeks(
    xcover_sandbox: Sandbox, member: Shopper, slug: str, days: int
) -> None:
    policy = buys(member, slug)

    with later(days):
        logs_in(member)
        cancellation = cancels(member, policy)

    assert cancellation.refund is not None
    assert cancellation.refund.amount == 0


@pytest.mark.parametrize(("slug", "days"), [(FLAT, 40), (LAPTOP, 40)])
def test_what_is_left_of_the_period_is_refunded_for_homes_and_devices(
    xcover_sandbox: Sandbox, member: Shopper, slug: str, days: int
) -> None:
    policy = buys(member, slug)
    premium = Order.objects.get().premium
    assert premium is not None

    with later(days):
        logs_in(member)
        cancellation = cancels(member, policy)

    assert cancellation.refund is not None
    assert premium * Decimal("0.8") < cancellation.refund.amount < premium


@pytest.mark.parametrize("slug", [FLAT, LAPTOP])
def test_the_cover_of_homes_and_devices_is_renewed_and_paid_at_the_shop(
    xcover_sandbox: Sandbox, member: Shopper, slug: str
) -> None:
    policy = buys(member, slug)
    assert policy.policy_end_date is not None

    with time_machine.travel(policy.policy_end_date - timedelta(days=20), tick=True):
        (renewal,) = renewing.find_due()
        renewing.quote(renewal)
        logs_in(member)
        assert member.opens(page_of(policy, f"renewals/{renewal.pk}/")).status_code == 200
        paid = member.client.post(f"/cover/pay/renewal/{renewal.pk}/", CARD)
        work()
        page = member.client.get(paid["Location"]).content.decode()

    assert "renewed" in page
    (package,) = xcover_sandbox.packages()
    assert sorted(quote["status"] for quote in package["quotes"]) == ["CONFIRMED", "RENEWED"]


@pytest.mark.parametrize("slug", [FESTIVAL, FLIGHT, STAY, PARCEL])
def test_what_happens_once_is_not_renewed(
    xcover_sandbox: Sandbox, member: Shopper, slug: str
) -> None:
    policy = buys(member, slug)
    assert policy.policy_end_date is not None

    with time_machine.travel(policy.policy_end_date - timedelta(days=1), tick=True):
        assert renewing.find_due() == []
