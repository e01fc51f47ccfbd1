"""Cancelled orders, lines and items, refunds, and what staff see in the dashboard."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import page
import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.test import Client
from oscar.core.loading import get_class, get_model
from oscar.test.factories import SourceFactory, create_order

from django_xcover.exceptions import RefundNotRecorded
from django_xcover.models import Cancellation, Hold, OrderEvent, QuotePackage, Status
from django_xcover.offers import after_sale_quotes
from django_xcover.types import Money
from journeys.customer import Customer

Work = Callable[[], None]
Order = get_model("order", "Order")
Source = get_model("payment", "Source")
ShippingEventType = get_model("order", "ShippingEventType")
EventHandler = get_class("order.processing", "EventHandler")


@pytest.fixture
def buys(guest: Customer, work: Work) -> Callable[..., Any]:
    """Return what buys a laptop and two phones, all with cover, and returns the order."""

    def buy(*, paid: bool = True) -> Any:
        guest.takes("Aero 14")
        guest.takes("Pocket 6", 2)
        guest.goes_to_preview()
        guest.answers(yes=True)
        guest.orders(card="4242" if paid else "later")
        work()
        return Order.objects.get()

    return buy


@pytest.fixture
def each_item(settings: Any) -> None:
    """Insure each item of a line."""
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.EachItem"}


def line(order: Any, title: str) -> Any:
    return order.lines.get(title=title)


def in_force(title: str) -> int:
    [package] = QuotePackage.objects.all()
    return package.quotes.filter(label=title, status=Status.CONFIRMED).count()


def returns(order: Any, title: str, quantity: int, event: str = "Returned") -> None:
    """Record in the dashboard that items came back."""
    kind, _new = ShippingEventType.objects.get_or_create(name=event)
    EventHandler().handle_shipping_event(order, kind, [line(order, title)], [quantity])


def test_an_event_that_takes_nothing_back_cancels_nothing(buys: Any, work: Work) -> None:
    order = buys()

    returns(order, "Pocket 6", 2, event="Shipped")
    line(order, "Aero 14").set_status("Complete")
    order.set_status("Complete")
    work()

    assert (in_force("Aero 14"), in_force("Pocket 6")) == (1, 1)
    assert not Cancellation.objects.exists()


def test_a_status_that_could_not_be_changed_cancels_nothing(
    buys: Any, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = buys()
    monkeypatch.setattr(EventHandler, "create_note", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        EventHandler().handle_order_status_change(order, "Cancelled", "a note")
    work()

    order.refresh_from_db()
    assert order.status == "Pending"
    assert in_force("Aero 14") == 1


def test_a_cancelled_order_ends_all_its_cover_and_names_the_refund(
    buys: Any, work: Work, django_capture_on_commit_callbacks: Any
) -> None:
    order = buys()

    EventHandler().handle_order_status_change(order, "Cancelled")
    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert QuotePackage.objects.get().status == Status.CANCELLED
    [note] = order.notes.all()
    refund = Cancellation.objects.get().total_refund
    assert f"£{refund:.2f} is due to the customer" in note.message


def test_an_order_cancelled_before_it_is_paid_gets_no_cover(buys: Any, work: Work) -> None:
    order = buys(paid=False)

    order.set_status("Cancelled")
    order.sources.get().debit()
    work()

    package = QuotePackage.objects.get()
    assert package.status != Status.CONFIRMED
    assert not package.quotes.filter(status=Status.CONFIRMED).exists()


def test_a_cancelled_line_ends_its_own_cover(buys: Any, work: Work) -> None:
    order = buys()

    line(order, "Pocket 6").set_status("Cancelled")
    work()

    assert (in_force("Aero 14"), in_force("Pocket 6")) == (1, 0)


def test_the_line_of_a_product_that_was_deleted_is_still_cancelled(buys: Any, work: Work) -> None:
    order = buys()
    get_model("catalogue", "Product").objects.filter(title="Pocket 6").delete()

    line(order, "Pocket 6").set_status("Cancelled")
    work()

    assert (in_force("Aero 14"), in_force("Pocket 6")) == (1, 0)


def test_one_of_two_items_of_a_policy_that_insures_both_is_left_to_a_person(
    buys: Any, work: Work
) -> None:
    order = buys()

    returns(order, "Pocket 6", 1)
    work()

    assert in_force("Pocket 6") == 1
    [note] = order.notes.all()
    assert "1 of 2" in note.message
    returns(order, "Pocket 6", 1)
    work()
    assert in_force("Pocket 6") == 0


@pytest.mark.usefixtures("each_item")
def test_items_that_are_insured_each_are_cancelled_each(buys: Any, work: Work) -> None:
    order = buys()
    assert in_force("Pocket 6") == 2

    returns(order, "Pocket 6", 1)
    work()
    assert in_force("Pocket 6") == 1

    returns(order, "Pocket 6", 1)
    returns(order, "Aero 14", 1)
    work()
    assert (in_force("Aero 14"), in_force("Pocket 6")) == (0, 0)
    assert QuotePackage.objects.get().attention == ""


def test_a_line_without_cover_is_cancelled_without_an_alarm(guest: Customer, work: Work) -> None:
    guest.takes("Aero 14")
    guest.takes("Pocket 6")
    guest.goes_to_preview()
    guest.answers(yes=False)
    guest.answers(yes=True, only=0)
    guest.orders(card="4242")
    work()

    line(Order.objects.get(), "Pocket 6").set_status("Cancelled")
    work()

    assert in_force("Aero 14") == 1
    assert QuotePackage.objects.get().attention == ""


def test_a_line_cancelled_after_a_no_is_not_offered_after_the_sale(
    guest: Customer, work: Work, settings: Any, rf: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": 7}
    guest.takes("Aero 14")
    guest.takes("Pocket 6")
    guest.goes_to_preview()
    guest.answers(yes=False)
    guest.orders(card="4242")
    work()
    order = Order.objects.get()
    request = rf.get("/")
    request.session, request.user = guest.client.session, AnonymousUser()

    line(order, "Pocket 6").set_status("Cancelled")

    late = after_sale_quotes.look(request, order).late
    assert late is not None
    assert [quote.label for quote in late.offer.quotes] == ["Aero 14"]
    assert QuotePackage.objects.get().attention == ""


def test_a_refund_is_recorded_once_at_the_source_and_with_the_cancellation(
    buys: Any, work: Work
) -> None:
    order = buys()
    order.set_status("Cancelled")
    work()
    names: dict[str, Any] = {"Source": Source}
    exec(page.block("def refund_made"), names)
    cancellation = Cancellation.objects.get()

    names["refund_made"](cancellation, "re_1")
    names["refund_made"](cancellation, "re_1")

    cancellation.refresh_from_db()
    source = order.sources.get()
    assert cancellation.refund == Money(source.amount_refunded, "GBP")
    assert source.amount_refunded > 0
    assert source.transactions.filter(txn_type="Refund").count() == 1
    with pytest.raises(RefundNotRecorded):
        names["refund_made"](cancellation, "re_2")
    assert order.sources.get().amount_refunded == source.amount_refunded


def test_a_refund_without_an_amount_is_refused(buys: Any, work: Work) -> None:
    order = buys()
    order.set_status("Cancelled")
    work()
    Cancellation.objects.update(total_refund=None)
    names: dict[str, Any] = {"Source": Source}
    exec(page.block("def refund_made"), names)

    with pytest.raises(RefundNotRecorded, match="no refund"):
        names["refund_made"](Cancellation.objects.get(), "re_1")

    assert order.sources.get().amount_refunded == Decimal(0)


def test_the_dashboard_and_the_admin_link_to_each_other(buys: Any, django_user_model: Any) -> None:
    order = buys()
    admin_page = f"/admin/xcover/quotepackage/order/{order.number}/"
    dashboard_page = f"/dashboard/orders/{order.number}/"
    staff = Client()
    staff.force_login(
        django_user_model.objects.create_superuser("boss", "boss@example.com", "secret"),
        "django.contrib.auth.backends.ModelBackend",
    )

    assert admin_page in staff.get(dashboard_page).content.decode()
    assert dashboard_page in staff.get(admin_page).content.decode()


def test_staff_without_the_right_get_no_link_to_the_admin(
    buys: Any, django_user_model: Any
) -> None:
    order = buys()
    staff = Client()
    user = django_user_model.objects.create_user("clerk", "clerk@example.com", "x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    staff.force_login(user, "django.contrib.auth.backends.ModelBackend")

    response = staff.get(f"/dashboard/orders/{order.number}/")

    assert response.status_code == 200
    assert "quotepackage" not in response.content.decode()


def test_an_order_that_was_not_placed_in_the_checkout_alarms_nobody(
    guest: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders()  # and is on the payment page meanwhile

    by_phone = create_order(number="PHONE-1")
    SourceFactory(order=by_phone, amount_debited=by_phone.total_incl_tax)
    by_phone.status = "Pending"
    by_phone.set_status("Cancelled")

    assert [record.message for record in caplog.records if record.levelname == "CRITICAL"] == []
    assert not OrderEvent.objects.exists()
    assert Hold.objects.get().order_reference == ""
