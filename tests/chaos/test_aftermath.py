"""The comparison itself: it has to see what a storm must never show."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
)
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.chaos.aftermath import Aftermath
from tests.chaos.explaining import Reasons
from tests.chaos.findings import Findings
from tests.chaos.history import History
from tests.chaos.shoppers import Purchase
from tests.chaos.truth import Truth
from tests.chaos.wishes import AfterSale, Wish
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db
NUMBER = "EN-1"


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking in force."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()


def truth_of(sandbox: Sandbox) -> Truth:
    packages = {package["id"]: package for package in sandbox.packages()}
    return Truth(packages, {}, defaultdict(set))


def found(truth: Truth, wish: Wish, *flags: Attention, **told: Any) -> set[str]:
    """Return what is found out about a shopper who was told so, of a package with these flags."""
    history = History()
    history.flags[the_package().pk] |= set(flags)
    later = AfterSale(wish, asked=True, done=True, **told)
    findings = Findings()
    reasons = Reasons(truth, history, lies=0)
    purchase = Purchase(1, order_number=NUMBER, later=later)
    Aftermath(truth, reasons, findings).check(purchase, the_package())
    return {name for name, numbers in vars(findings).items() if numbers}


def cancel(package: QuotePackage) -> tuple[tuple[str, ...], Decimal]:
    """Cancel as a shopper does; return the policies and the refund."""
    shown = cancellation.preview(package, origin=Cancellation.Origin.SHOPPER)
    cancellation.request(shown)
    work()
    assert shown.total_refund is not None
    return tuple(shown.quotes.values_list("quote_id", flat=True)), shown.total_refund


def test_a_cancellation_that_all_agree_on_is_one(booked: QuotePackage, sandbox: Sandbox) -> None:
    policies, refund = cancel(booked)

    told = {"policies": policies, "amount": refund}

    assert found(truth_of(sandbox), Wish.CANCEL, **told) == {"cancelled"}


def test_a_cancellation_that_xcover_does_not_have_is_lost(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    before = truth_of(sandbox)
    policies, refund = cancel(booked)

    told = {"policies": policies, "amount": refund}

    assert found(before, Wish.CANCEL, **told) == {"cancel_lost"}


def test_another_refund_than_the_one_shown_is_seen(booked: QuotePackage, sandbox: Sandbox) -> None:
    policies, refund = cancel(booked)

    told = {"policies": policies, "amount": refund + 1}

    assert found(truth_of(sandbox), Wish.CANCEL, **told) == {"cancelled", "refund_differs"}


def test_a_cancellation_posted_under_two_keys_is_one_too_many(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    policies, refund = cancel(booked)
    truth = truth_of(sandbox)
    truth.posted_twice["confirm_cancellation"].add(booked.package_id)

    told = {"policies": policies, "amount": refund}

    assert found(truth, Wish.CANCEL, **told) == {"cancelled", "cancel_duplicated"}


def test_a_refund_whose_cancellation_waits_for_a_person_is_not_another_refund(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    policies, refund = cancel(booked)
    Cancellation.objects.update(state=Cancellation.State.REQUESTED)

    def seen(amount: Decimal) -> set[str]:
        return found(truth_of(sandbox), Wish.CANCEL, policies=policies, amount=amount)

    recorded_nowhere = seen(refund)
    Operation.objects.filter(kind=OperationKind.CANCEL).update(state=OperationState.NEEDS_PERSON)

    assert recorded_nowhere == {"cancelled", "refund_differs"}
    assert seen(refund) == {"cancelled"}
    assert seen(refund + 1) == {"cancelled", "refund_differs"}


def telephone(package: QuotePackage, sandbox: Sandbox, *, policy: str) -> Truth:
    """Return what XCover holds of a booking cancelled there, with its policy in this status."""
    QuotePackage.objects.update(status="CANCELLED")
    truth = truth_of(sandbox)
    truth.packages[package.package_id]["quotes"][0]["status"] = policy
    return truth


def test_a_cancellation_by_telephone_needs_its_own_flag(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    truth = telephone(booked, sandbox, policy="CANCELLED")

    assert found(truth, Wish.TELEPHONE, Attention.REFUND_UNCLEAR) == {"telephoned"}
    for flags in ([], [Attention.POLICY_MISSING]):
        assert found(truth, Wish.TELEPHONE, *flags) == {"telephoned", "telephone_lost"}


def test_of_a_booking_without_its_policy_a_person_must_know_another_way(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    truth = telephone(booked, sandbox, policy="FAILED")

    assert found(truth, Wish.TELEPHONE, Attention.POLICY_MISSING) == {"telephoned"}
    assert found(truth, Wish.TELEPHONE) == {"telephoned", "telephone_lost"}


def test_a_change_that_xcover_took_no_money_for_is_lost(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    assert found(truth_of(sandbox), Wish.CHANGE, amount=Decimal(3)) == {"change_lost"}


def test_a_paid_renewal_without_a_new_period_is_lost(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    assert found(truth_of(sandbox), Wish.RENEW, amount=Decimal(3)) == {"renewal_lost"}


def test_a_new_period_at_another_price_is_seen_and_so_is_a_second_one(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    truth = truth_of(sandbox)
    package = truth.packages[booked.package_id]
    package["quotes"].append({**package["quotes"][0], "renewed_times": 1})
    package["renewals"] = {one: {"confirmed_at": "then"} for one in ("first", "second")}

    seen = found(truth, Wish.RENEW, amount=Decimal(3))

    assert seen == {"renewed", "wrong_price", "renewal_duplicated"}
