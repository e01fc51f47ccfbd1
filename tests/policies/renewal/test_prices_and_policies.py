"""What a renewal brought is compared with what was paid for: price by price, policy by policy."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.mirror import packages
from django_xcover.models import (
    Attention,
    OperationState,
    Quote,
    QuotePackage,
    Renewal,
)
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox, ids
from django_xcover.sandbox import renewing as their_renewing
from django_xcover.types import Money
from tests.conftest import work
from tests.policies.renewal.conftest import ENDS, Buy, renewals_at, yearly
from tests.policies.renewal.support import cancelled, renewed_by_itself, the_confirmation

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_a_renewal_whose_outcome_could_not_be_looked_at_is_not_given_up(
    quoted: Renewal, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing.record_payment(quoted)
    confirm = XCoverClient.renewal_confirmation

    def look_is_refused_from_now_on(self: XCoverClient, *args: Any, **options: Any) -> Any:
        answer = confirm(self, *args, **options)
        sandbox.faults.add("get_booking", "status", status=401)
        return answer

    monkeypatch.setattr(XCoverClient, "renewal_confirmation", look_is_refused_from_now_on)
    work()
    assert renewals_at(sandbox, quoted.package) == ["RENEWED", "CONFIRMED"]
    assert the_confirmation().state == OperationState.NEEDS_PERSON

    with pytest.raises(exceptions.RenewalNotStuck):
        renewing.abandon(quoted, reason="Refunded.")


def test_a_price_that_differs_from_the_one_paid_is_flagged(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", "wrong_price")

    work()

    package = QuotePackage.objects.get()
    policy = package.quotes.get(status="CONFIRMED")
    assert package.attention == Attention.PRICE_DIFFERS
    assert policy.chosen_price == Decimal("46.20") != policy.price


@pytest.fixture
def other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let XCover give a policy of the next period another id than its quote had."""
    honest = their_renewing._replace

    def replace(inquiry: Any, package: Any, earlier_id: str, new: Any) -> None:
        new.id = ids.new_uuid()
        honest(inquiry, package, earlier_id, new)

    monkeypatch.setattr(their_renewing, "_replace", replace)


def test_a_price_that_differs_is_flagged_also_under_another_id(
    quoted: Renewal, sandbox: Sandbox, other_ids: None
) -> None:
    renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", "wrong_price")

    work()

    package = QuotePackage.objects.get()
    policy = package.quotes.get(status="CONFIRMED")
    assert package.attention == Attention.PRICE_DIFFERS
    assert policy.chosen_price == Decimal("46.20") != policy.price


def test_policies_under_other_ids_are_told_by_type_and_order(
    buy: Buy, clock: Any, other_ids: None
) -> None:
    package = buy(yearly("one", price="1200"), yearly("two", price="900"))
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    renewing.record_payment(renewing.quote(renewal))
    work()

    package.refresh_from_db()
    policies = package.quotes.filter(status="CONFIRMED")
    assert package.attention == ""
    assert [policy.chosen_price for policy in policies] == [policy.price for policy in policies]
    assert {policy.line_reference for policy in policies} == {"one", "two"}


def test_a_policy_that_was_paid_for_and_does_not_appear_is_flagged(
    quoted: Renewal, other_ids: None
) -> None:
    renewing.record_payment(quoted)
    [read] = quoted.payload["quotes"]
    two = {**quoted.payload, "quotes": [read, {**read, "id": ids.new_uuid()}]}
    Renewal.objects.update(payload=two, price=Decimal("92.40"))

    work()

    assert QuotePackage.objects.get().attention == Attention.PRICE_DIFFERS


def test_the_new_period_stands_beside_the_renewed_policy(quoted: Renewal, sandbox: Sandbox) -> None:
    renewing.record_payment(quoted, amount=Money(Decimal("46.20"), "GBP"))
    work()

    earlier, later = QuotePackage.objects.get().quotes.order_by("position")
    assert (earlier.status, later.status) == ("RENEWED", "CONFIRMED")
    assert (later.label, later.line_reference) == ("Aero 14", "laptop")
    assert later.choice == "accepted"
    assert later.policy_start_date == earlier.policy_end_date == ENDS
    assert later.policy_end_date == ENDS.replace(year=2028)
    assert QuotePackage.objects.get().total_price == Decimal("46.20")


def test_each_of_two_policies_is_followed_by_its_own(buy: Buy, clock: Any) -> None:
    package = buy(yearly("one", price="1200"), yearly("two", price="900"))
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    renewing.record_payment(renewing.quote(renewal))
    work()

    now = dict(package.quotes.filter(status="CONFIRMED").values_list("line_reference", "price"))
    before = dict(package.quotes.filter(status="RENEWED").values_list("line_reference", "price"))
    assert now == before
    assert sorted(now) == ["one", "two"]


def mirror_another(package: QuotePackage, quote_id: str, price: str) -> Quote:
    """Let XCover show one policy more, like the newest but for its price, and return it."""
    rows = [quote.payload for quote in package.quotes.order_by("position")]
    extra = {**rows[-1], "id": quote_id, "price": price}
    answer = package_from_wire({**package.payload, "quotes": [*rows, extra]})
    packages.apply_answer(package, answer)
    return package.quotes.get(quote_id=quote_id)


@pytest.mark.parametrize("since", ["in force", "cancelled"])
def test_a_policy_is_followed_by_one_and_an_extra_one_is_nobodys_yes(
    quoted: Renewal, sandbox: Sandbox, since: str
) -> None:
    renewing.record_payment(quoted)
    work()
    if since == "cancelled":
        cancelled(quoted, sandbox)

    extra = mirror_another(QuotePackage.objects.get(), ids.new_uuid(), "500.00")

    assert (extra.choice, extra.chosen_price, extra.line_reference) == ("", None, "")


def test_what_follows_a_policy_that_nobody_said_yes_to_is_nobodys_yes(
    quoted: Renewal, sandbox: Sandbox, clock: Any
) -> None:
    Quote.objects.update(choice="", chosen_price=None)

    renewed_by_itself(quoted, sandbox)

    assert {quote.choice for quote in Quote.objects.all()} == {""}
