"""A preview that is confirmed: once, in time, and at the refund that was shown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import exceptions
from django_xcover.client.schemas.policies import CancellationAnswer, cancellation_from_wire
from django_xcover.models import (
    Attention,
    Cancellation,
    Modification,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
)
from django_xcover.policies import cancellation, modification
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.buying import Buy
from tests.conftest import the_package, work
from tests.policies.cancellation.support import (
    BEING_CANCELLED,
    CANCELLED,
    EXPIRED,
    State,
    cancel,
    preview,
    status_at,
    the_cancellation,
)
from tests.shop import laptop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_an_expired_preview_is_not_confirmed(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = preview(booked)
    Cancellation.objects.update(confirm_before=timezone.now())

    for _attempt in range(2):
        with pytest.raises(exceptions.PreviewExpired, match=f"^{EXPIRED}$"):
            cancellation.request(found)

    assert the_cancellation().state == State.EXPIRED
    assert cancellation.refusal_of(the_cancellation()) == EXPIRED
    assert not Operation.objects.filter(kind=OperationKind.CANCEL).exists()


def test_a_preview_that_expired_at_xcover_before_the_worker_came_is_expired_here(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancellation.request(preview(booked))
    sandbox.clock.advance(hours=25)
    Cancellation.objects.update(confirm_before=timezone.now())

    work()

    assert the_cancellation().state == State.EXPIRED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


def test_a_change_that_nobody_has_settled_leaves_a_preview_as_it_is(buy: Buy) -> None:
    package = buy(laptop())
    found = preview(package)
    priced(package)

    cancellation.request(found)

    assert the_cancellation().state == State.REQUESTED


@pytest.mark.parametrize("made", [True, False])
def test_a_preview_from_before_a_change_of_price_is_expired(buy: Buy, made: bool) -> None:
    package = buy(laptop())
    found = preview(package)
    modification.settle(priced(package))
    if made:
        work()

    with pytest.raises(exceptions.PreviewExpired, match=f"^{EXPIRED}$"):
        cancellation.request(found)

    assert the_cancellation().state == State.EXPIRED


def test_a_preview_from_while_a_change_was_made_is_expired_by_xcovers_refusal(buy: Buy) -> None:
    package = buy(laptop())
    change = priced(package)
    modification.settle(change)
    cancellation.request(preview(package))

    work()

    assert the_package().total_price == change.price_after
    assert cancellation.refusal_of(the_cancellation()) == EXPIRED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


def test_a_change_that_waits_for_a_person_keeps_nobody_from_cancelling(
    buy: Buy, sandbox: Sandbox
) -> None:
    package = buy(laptop())
    modification.settle(priced(package))
    sandbox.faults.add("confirm_modification", "status", status=401)
    work()

    cancellation.request(preview(package))
    work()

    assert the_package().status == "CANCELLED"


def priced(package: QuotePackage) -> Modification:
    """Return a change of the laptop's value, with its price."""
    laptops = package.quotes.get()
    value = {"price": Decimal(1500)}
    return modification.quote_change(package, quote=laptops, update_fields=value, origin="shopper")


def test_confirming_twice_cancels_once(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = preview(booked)
    first = cancellation.request(found)

    assert cancellation.request(found) == first
    work()
    assert cancellation.request(found) == first
    work()

    assert len(sandbox.calls("confirm_cancellation")) == 1


def test_of_two_previews_of_one_policy_only_one_is_confirmed(booked: QuotePackage) -> None:
    first, second = preview(booked), preview(booked)
    cancellation.request(first)

    with pytest.raises(exceptions.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        cancellation.request(second)
    work()
    with pytest.raises(exceptions.AlreadyCancelled, match=f"^{CANCELLED}$"):
        cancellation.request(second)


def test_what_is_cancelled_is_not_previewed_again(booked: QuotePackage) -> None:
    cancellation.request(preview(booked))
    with pytest.raises(exceptions.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        preview(booked)
    work()

    with pytest.raises(exceptions.AlreadyCancelled, match=f"^{CANCELLED}$"):
        preview(booked)


def test_a_confirmed_preview_cancels_here_and_at_xcover(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancellation.request(preview(booked))

    work()

    assert status_at(sandbox) == the_package().status == Quote.objects.get().status == "CANCELLED"
    assert the_package().total_price == 0
    assert Quote.objects.get().price == booked.total_price
    assert Quote.objects.get().can_be_cancelled is False
    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().confirmed_at is not None
    assert the_package().attention == ""


def test_the_shop_is_told_the_refund_once_after_the_commit(
    booked: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    cancellation.request(preview(booked))

    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert announced == []
    work()

    assert [found.refund for found in announced] == [booked.total]


def test_a_refund_that_differs_from_the_one_shown_is_flagged_and_xcovers_counts(
    booked: QuotePackage,
) -> None:
    cancellation.request(preview(booked))
    Cancellation.objects.update(total_refund=Decimal("0.01"))

    work()

    assert the_cancellation().refund == booked.total
    assert the_package().attention == Attention.REFUND_UNCLEAR


@pytest.mark.parametrize("direct", [True, False])
def test_a_refund_in_another_currency_is_flagged_though_its_amount_is_the_same(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    def in_yen(wire: Any) -> CancellationAnswer:
        return replace(cancellation_from_wire(wire), currency="JPY")

    cancel(booked, direct=direct)
    reader = "django_xcover.policies.cancellation.operation.cancellation_from_wire"
    monkeypatch.setattr(reader, in_yen)

    work()

    assert the_cancellation().refund == Money(booked.total_price, "JPY")
    assert the_package().attention == Attention.REFUND_UNCLEAR


def test_a_refund_shown_in_another_currency_than_was_paid_is_flagged(booked: QuotePackage) -> None:
    found = preview(booked)
    QuotePackage.objects.update(currency="JPY")
    cancellation.request(found)

    work()

    assert the_package().attention == Attention.REFUND_UNCLEAR
