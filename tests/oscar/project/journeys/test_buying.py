"""From a basket to a policy, and what goes wrong in between."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from myshop.gateway import PAYMENTS
from oscar.apps.checkout.surcharges import FlatCharge
from oscar.core.loading import get_class, get_model
from oscar.core.prices import Price
from oscar.test.factories import create_order, create_voucher

from django_xcover.contrib.oscar.checkout import CoverSurcharge, CoverSurcharges
from django_xcover.contrib.oscar.templatetags.xcover_oscar import without_cover
from django_xcover.models import Hold, QuotePackage, Status
from django_xcover.offers import holds
from django_xcover.types import Money
from journeys.customer import Customer

Work = Callable[[], None]
Order = get_model("order", "Order")
Basket = get_model("basket", "Basket")


def premium_of(order: Any) -> Decimal:
    [surcharge] = order.surcharges.all()
    assert (surcharge.code, surcharge.name) == ("xcover", "Insurance")
    assert surcharge.incl_tax == surcharge.excl_tax
    return surcharge.incl_tax


def test_a_declined_card_charges_nothing_and_lets_the_shopper_choose_again(guest: Customer) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)

    page = guest.orders(card="declined")

    assert "Your card was declined." in page
    assert not Order.objects.exists()
    assert Hold.objects.get().state == Hold.State.RELEASED
    guest.answers(yes=False)
    guest.orders(card="4242")
    assert not Order.objects.get().surcharges.exists()


def test_a_declined_card_and_another_one_buys_the_cover_once(guest: Customer, work: Work) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders(card="declined")

    guest.orders(card="4242")
    work()

    assert QuotePackage.objects.get().status == Status.CONFIRMED
    assert Order.objects.get().total_incl_tax == 1200 + premium_of(Order.objects.get())
    assert QuotePackage.objects.get().attention == ""


def take_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another order have the number that the next one would get."""
    create_order(number=str(100_000 + Basket.objects.get().pk))


def fail_within_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the order's transaction roll back after the cover was taken over."""
    creator = get_class("order.utils", "OrderCreator")
    monkeypatch.setattr(creator, "update_stock_records", lambda *_: 1 / 0)


@pytest.mark.parametrize("fail", [take_its_number, fail_within_the_order])
def test_a_premium_that_was_charged_without_an_order_is_an_alarm(
    guest: Customer, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    fail(monkeypatch)

    page = guest.orders(card="4242")

    assert "Please contact customer services." in page
    assert Basket.objects.filter(status=Basket.OPEN).exists()
    assert Hold.objects.filter(amount__gt=0).get().state == Hold.State.LIVE
    Hold.objects.update(expires_at=timezone.now())
    assert len(holds.sweep()) == 1
    assert QuotePackage.objects.get().attention == "held_without_order"


def test_a_total_that_was_not_shown_is_not_charged(guest: Customer) -> None:
    guest.takes("Aero 14")
    page = guest.goes_to_preview()
    guest.answers(yes=True)

    refused = guest.sends(page, card="4242")

    assert "The total of your order has changed." in refused
    assert not Order.objects.exists()
    assert Hold.objects.get().state == Hold.State.RELEASED
    assert guest.total() > 1200
    guest.orders(card="4242")
    assert Order.objects.get().total_incl_tax > 1200


def test_a_no_is_an_order_without_cover(guest: Customer, work: Work) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=False)

    guest.orders(card="4242")
    work()

    assert Order.objects.get().total_incl_tax == 1200
    assert QuotePackage.objects.get().status == Status.OPTED_OUT


def test_the_cover_of_a_guest_is_booked_for_the_person_of_the_address(
    guest: Customer, work: Work, xcover_sandbox: Any
) -> None:
    guest.takes("Aero 14")
    guest.takes("Pocket 6", 2)
    guest.goes_to_preview()
    guest.answers(yes=True)

    guest.orders(card="4242")
    work()

    order, package = Order.objects.get(), QuotePackage.objects.get()
    assert package.order_reference == str(order.number)
    assert package.status == Status.CONFIRMED
    assert order.total_incl_tax == 2000 + premium_of(order)
    assert {quote.status for quote in package.quotes.all()} == {Status.CONFIRMED}
    assert "Aero 14" in guest.sees("/checkout/thank-you/")
    assert "xcover-policies" in guest.page


def test_one_line_of_two_is_covered_for_a_member(member: Customer, work: Work) -> None:
    member.takes("Aero 14")
    member.takes("Pocket 6")
    member.goes_to_preview()
    member.answers(yes=False)
    member.answers(yes=True, only=0)

    member.orders(card="4242")
    work()

    order = Order.objects.get()
    assert order.user.email == "ana@example.com"
    assert QuotePackage.objects.get().quotes.filter(status=Status.CONFIRMED).count() == 1
    assert "xcover-policies" in member.sees(f"/accounts/orders/{order.number}/")
    assert "Aero 14" in member.sees("/xcover/mycover/")


def test_a_voucher_lowers_the_goods_and_not_the_premium(guest: Customer) -> None:
    create_voucher(code="TENNER")
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    before = guest.sees("/checkout/preview/") and guest.total()
    guest.redeems("TENNER")
    after = guest.sees("/checkout/preview/") and guest.total()

    guest.orders(card="4242")

    order = Order.objects.get()
    assert after < before
    assert order.total_incl_tax == after
    assert order.total_incl_tax - premium_of(order) == order.basket_total_incl_tax
    assert before - 1200 == premium_of(order)


def test_who_returns_from_a_payment_page_with_another_basket_pays_the_held_premium(
    guest: Customer, work: Work
) -> None:
    create_voucher(code="TENNER")
    guest.takes("Aero 14")
    guest.redeems("TENNER")
    guest.goes_to_preview()
    guest.answers(yes=True)
    pays = guest.orders()
    [payment] = list(PAYMENTS.values())[-1:]
    assert f"<h1>Pay £{payment.amount:.2f}</h1>" in pays
    charge_page = guest.address
    guest.takes("Pocket 6")  # in another tab, so in a new basket

    guest.client.post(charge_page, {"answer": "paid"}, follow=True)
    work()

    order = Order.objects.get()
    assert order.basket_id == payment.basket
    assert order.total_incl_tax == payment.amount
    assert order.total_incl_tax == order.basket_total_incl_tax + premium_of(order)
    assert Hold.objects.get(reference=payment.hold).order_reference == str(order.number)
    assert QuotePackage.objects.get(order_reference=order.number).status == Status.CONFIRMED
    assert Basket.objects.filter(status=Basket.OPEN).count() == 1


def test_who_returns_after_the_hold_has_expired_gets_what_was_charged(
    guest: Customer, work: Work
) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders()
    Hold.objects.update(expires_at=timezone.now())

    guest.pays()
    work()

    assert QuotePackage.objects.get().status == Status.CONFIRMED
    assert premium_of(Order.objects.get()) == Hold.objects.get().amount


def test_a_payment_that_fails_on_its_page_can_be_repeated(guest: Customer, work: Work) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders()

    page = guest.pays("failed")

    assert "Your payment failed." in page
    assert Hold.objects.get().state == Hold.State.RELEASED
    assert guest.total() > 1200
    guest.orders()
    guest.pays()
    work()
    assert QuotePackage.objects.get().status == Status.CONFIRMED
    assert QuotePackage.objects.get().attention == ""
    assert [hold.state for hold in Hold.objects.order_by("pk")] == ["released", "taken"]


def test_a_payment_that_is_only_allocated_books_nothing_yet(guest: Customer, work: Work) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders(card="later")
    work()
    assert QuotePackage.objects.get().status == Status.RECEIVED

    Order.objects.get().sources.get().debit()
    work()

    assert QuotePackage.objects.get().status == Status.CONFIRMED


def test_a_changed_country_is_offered_cover_of_its_own(guest: Customer) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)

    guest.goes_to_preview(country="FR", postcode="75001")

    assert guest.total() == 1200


def test_a_basket_without_a_country_is_offered_nothing(guest: Customer) -> None:
    guest.takes("Aero 14")

    assert guest.client.get("/xcover/offer/").status_code == 204


def test_a_crash_does_not_undo_the_hold_in_a_shop_with_atomic_requests() -> None:
    """Django reads this mark, and pytest's own transaction would hide what it is for."""
    for path in ("/checkout/preview/", "/checkout/payment-details/"):
        assert resolve(path).func._non_atomic_requests == {"default"}


def test_a_guest_sees_the_documents_elsewhere_with_the_link_and_the_email_address(
    guest: Customer, work: Work, client: Client
) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders(card="4242")
    work()
    order = Order.objects.get()
    quote = QuotePackage.objects.get().quotes.get()
    policy = f"/xcover/mycover/policies/{quote.quote_id}/"
    assert guest.client.get(policy).status_code == 200

    stranger = Customer(client)
    page = stranger.sees(f"/accounts/order-status/{order.number}/{order.verification_hash()}/")
    assert "xcover-policies" not in page
    assert client.get(policy).status_code == 404

    response = client.post(stranger.address, {"email": "ana@example.com"}, follow=True)
    assert "xcover-policies" in response.content.decode()
    assert client.get(policy).status_code == 200


def test_an_order_without_an_address_is_insured_in_the_country_of_the_shop(
    guest: Customer, settings: Any
) -> None:
    get_model("catalogue", "ProductClass").objects.update(requires_shipping=False)
    guest.takes("Aero 14")
    assert guest.client.get("/xcover/offer/").status_code == 204

    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.AtHome"}
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders(card="4242")

    assert premium_of(Order.objects.get()) > 0


def test_what_the_shop_does_not_insure_is_sold_as_before(guest: Customer, settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.Nothing"}
    guest.takes("Aero 14")
    guest.goes_to_preview()
    assert guest.client.get("/xcover/offer/").status_code == 204

    guest.orders(card="4242")

    assert Order.objects.get().total_incl_tax == 1200
    assert not QuotePackage.objects.exists()


def test_an_adapter_that_fails_costs_the_offer_and_not_the_sale(
    guest: Customer, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.Broken"}
    guest.takes("Aero 14")
    guest.goes_to_preview()

    guest.orders(card="4242")

    assert Order.objects.get().total_incl_tax == 1200


def test_an_adapter_that_fails_after_the_yes_costs_neither_the_sale_nor_the_cover(
    guest: Customer, settings: Any, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.Mistaken"}
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)

    guest.orders(card="4242")
    work()

    assert Order.objects.get().total_incl_tax == 1200 + premium_of(Order.objects.get())
    assert QuotePackage.objects.get().status == Status.CONFIRMED
    assert "The adapter's get_surcharge failed: ValueError" in caplog.text
    assert "The adapter's is_paid failed: ValueError" in caplog.text


def test_a_market_can_tax_the_premium(guest: Customer, settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.Taxed"}
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.sees("/checkout/preview/")
    total = guest.total()

    guest.orders(card="4242")

    order = Order.objects.get()
    assert order.total_incl_tax == total
    assert order.surcharges.get().tax == 1


def test_a_market_without_known_taxes_shows_the_total_without_them(rf: Any) -> None:
    order_total = Price("USD", excl_tax=Decimal(110))
    surcharge = CoverSurcharge(Money(Decimal(10), "USD"))
    surcharges = [SimpleNamespace(surcharge=surcharge, price=surcharge.calculate(None))]

    assert without_cover(order_total, surcharges) == 100
    assert without_cover(order_total, None) == 110


def test_the_shops_own_surcharges_stay(
    guest: Customer, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shops(get_class("checkout.applicator", "SurchargeApplicator").__mro__[2]):  # type: ignore[misc]
        def get_surcharges(self, basket: Any, **kwargs: Any) -> Any:
            return (FlatCharge(excl_tax=Decimal(2), incl_tax=Decimal(2)),)

    loaded = type("Loaded", (CoverSurcharges, Shops), {})
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders()
    frozen = Basket.objects.get(status=Basket.FROZEN)

    # As a payment provider's callback computes it: without a request, and without a session.
    found = loaded(None, {"basket": frozen}).get_applicable_surcharges(Basket())

    assert [one.surcharge.code for one in found] == ["flat-surcharge", "xcover"]
    assert found[1].price.incl_tax == Hold.objects.get().amount
    assert loaded(None, None).get_applicable_surcharges(Basket())[0].price.incl_tax == 2
