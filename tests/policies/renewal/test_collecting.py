"""The shop has the money for the next period: confirmed once, at the price that was paid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_xcover import exceptions
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.clients import factory
from django_xcover.exceptions import ActionRefused
from django_xcover.mirror import packages, refresh
from django_xcover.models import (
    Attention,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Renewal,
)
from django_xcover.outbox import operations
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox, ids
from django_xcover.sandbox import renewing as their_renewing
from django_xcover.types import Money
from tests.conftest import work
from tests.policies.renewal.conftest import ENDS, Buy, Heard, renewals_at, required, yearly

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = Renewal.State


def the_confirmation() -> Operation:
    """Return the only operation about a renewal."""
    return Operation.objects.get(kind="renew")


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


def declined(renewal: Renewal, sandbox: Sandbox) -> None:
    renewing.opt_out(renewal)


def unpaid_for_too_long(renewal: Renewal, sandbox: Sandbox) -> None:
    Renewal.objects.update(due_on=timezone.now() - timedelta(days=61))
    renewing.find_due()


def cancelled(renewal: Renewal, sandbox: Sandbox) -> None:
    factory.client_for("default").cancel_booking(renewal.package.package_id, idempotency_key="x")
    refresh.refresh(renewal.package)


def renewed_by_itself(renewal: Renewal, sandbox: Sandbox) -> None:
    client = factory.client_for("default")
    client.renewal_confirmation(
        renewal.package.package_id, renewal.renewal_id, required(renewal.payload)
    )
    renewing.on_event("RENEWAL_DUE", renewal.package.package_id, "default")


@pytest.mark.parametrize(
    ("meanwhile", "refusal", "sentence"),
    [
        (
            declined,
            exceptions.RenewalDeclined,
            "This renewal has been declined. The cover ends with its present period.",
        ),
        (unpaid_for_too_long, exceptions.RenewalLapsed, "This cover can no longer be renewed."),
        (cancelled, exceptions.RenewalLapsed, "This cover can no longer be renewed."),
        (
            renewed_by_itself,
            exceptions.AlreadyRenewed,
            "XCover has renewed this cover already, so there is no payment to record.",
        ),
    ],
)
def test_what_is_over_cannot_be_paid(
    quoted: Renewal,
    sandbox: Sandbox,
    meanwhile: Callable[[Renewal, Sandbox], None],
    refusal: type[ActionRefused],
    sentence: str,
) -> None:
    meanwhile(quoted, sandbox)

    with pytest.raises(refusal) as refused:
        renewing.record_payment(quoted)

    assert str(refused.value) == sentence
    assert not Operation.objects.filter(kind="renew").exists()


def test_what_has_no_price_cannot_be_paid(due: Renewal) -> None:
    with pytest.raises(exceptions.RenewalNotQuoted, match="not known yet"):
        renewing.record_payment(due)


@pytest.mark.parametrize("paid", [Money(Decimal("46.19"), "GBP"), Money(Decimal("46.20"), "EUR")])
def test_another_amount_than_the_premium_is_refused(quoted: Renewal, paid: Money) -> None:
    with pytest.raises(exceptions.RenewalPriceChanged) as refused:
        renewing.record_payment(quoted, amount=paid)

    assert "£46.20" in str(refused.value)
    quoted.refresh_from_db()
    assert quoted.state == State.QUOTED


def test_a_payment_reported_again_and_again_is_confirmed_once(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    first = renewing.record_payment(quoted, reference="PAY-1")
    again = renewing.record_payment(quoted, reference="PAY-1")
    work()
    afterwards = renewing.record_payment(quoted, reference="PAY-1")

    assert first == again == afterwards
    assert len(sandbox.calls("confirm_renewal")) == 1
    quoted.refresh_from_db()
    assert (quoted.state, quoted.payment_reference) == (State.CONFIRMED, "PAY-1")


@pytest.mark.parametrize("fault", ["process_then_reset", "process_then_status"])
def test_an_answer_that_is_lost_is_found_and_not_confirmed_twice(
    quoted: Renewal, sandbox: Sandbox, fault: str
) -> None:
    renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", fault, times=5, status=500)
    work()
    posts = len(sandbox.calls("confirm_renewal"))
    let_time_pass()
    work()

    assert the_confirmation().state == OperationState.DONE
    assert len(sandbox.calls("confirm_renewal")) == posts
    assert renewals_at(sandbox, quoted.package) == ["RENEWED", "CONFIRMED"]


def test_a_busy_vendor_is_asked_again_with_the_same_key_and_body(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    key = renewing.record_payment(quoted).idempotency_key
    sandbox.faults.add("confirm_renewal", "status", status=503, times=5)
    work()
    quoted.refresh_from_db()
    assert quoted.state == State.PAID
    let_time_pass()
    work()

    assert {call.idempotency_key for call in sandbox.calls("confirm_renewal")} == {key}
    quoted.refresh_from_db()
    assert quoted.state == State.CONFIRMED


def test_a_confirmation_that_does_not_show_in_the_booking_is_not_taken_for_done(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", "status", status=202)

    work()

    assert the_confirmation().state == OperationState.PENDING
    assert not the_confirmation().outcome_known
    quoted.refresh_from_db()
    assert quoted.state == State.PAID


def test_a_payment_for_what_xcover_renewed_meanwhile_confirms_nothing_again(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    client = factory.client_for("default")
    client.renewal_confirmation(
        quoted.package.package_id, quoted.renewal_id, required(quoted.payload)
    )
    confirmations = len(sandbox.calls("confirm_renewal"))

    work()

    assert the_confirmation().state == OperationState.DONE
    assert len(sandbox.calls("confirm_renewal")) == confirmations


@pytest.fixture
def refused(quoted: Renewal, sandbox: Sandbox) -> Operation:
    """Return the confirmation of a paid renewal that XCover refused."""
    operation = renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", "status", status=422, body={"errors": ["No."]})
    work()
    operation.refresh_from_db()
    return operation


def test_a_refused_renewal_that_is_paid_waits_for_a_person(
    quoted: Renewal, refused: Operation
) -> None:
    quoted.refresh_from_db()

    assert refused.state == OperationState.NEEDS_PERSON
    assert quoted.state == State.PAID


def test_a_persons_retry_asks_for_the_price_again_and_confirms_at_the_same(
    quoted: Renewal, refused: Operation, sandbox: Sandbox
) -> None:
    quotes = len(sandbox.calls("quote_for_renewal"))

    operations.retry(refused)
    work()

    assert len(sandbox.calls("quote_for_renewal")) == quotes + 1
    assert the_confirmation().state == OperationState.DONE
    assert quoted.package.quotes.get(status="CONFIRMED").price == Decimal("46.20")


def test_a_persons_retry_never_confirms_another_price_than_was_paid(
    quoted: Renewal, refused: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_for_renewal", "wrong_price")

    operations.retry(refused)
    work()

    assert the_confirmation().state == OperationState.NEEDS_PERSON
    assert "£46.20 was paid" in the_confirmation().error["message"]
    assert renewals_at(sandbox, quoted.package) == ["CONFIRMED"]


def test_a_refused_renewal_can_be_given_up_and_holds_up_nothing(
    quoted: Renewal, refused: Operation
) -> None:
    renewing.abandon(quoted, reason="Refunded.")

    assert quoted.state == State.EXPIRED
    assert the_confirmation().state == OperationState.DISCARDED
    assert not Operation.objects.unfinished().exists()


def test_a_renewal_that_may_still_come_about_is_not_given_up(quoted: Renewal) -> None:
    renewing.record_payment(quoted)

    with pytest.raises(exceptions.RenewalNotStuck, match="not waiting for a person"):
        renewing.abandon(quoted, reason="Impatience.")

    assert the_confirmation().state == OperationState.PENDING


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


@pytest.mark.parametrize(
    ("price", "where"),
    [
        ("230000", {"currency": "JPY", "country": "JP"}),
        ("471.250", {"currency": "KWD", "country": "KW"}),
    ],
)
def test_the_premium_is_exact_with_no_and_with_three_decimals(
    buy: Buy, clock: Any, sandbox: Sandbox, price: str, where: dict[str, str]
) -> None:
    package = buy(yearly(price=price), **where)
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    premium = renewing.quote(renewal).premium
    assert premium is not None
    renewing.record_payment(renewal, amount=premium)
    work()

    truth = sandbox.package(package.package_id)
    package.refresh_from_db()
    assert premium == Money(truth["total_price"], where["currency"])
    assert package.total_price == truth["total_price"]
    assert package.attention == ""


def test_renewed_is_announced_once_after_the_commit(
    quoted: Renewal, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    renewing.record_payment(quoted)
    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert heard["policy_renewed"] == []
    work()

    [told] = heard["policy_renewed"]
    assert told["renewal"] == quoted
    assert told["package"] == quoted.package


def test_a_second_year_follows_the_first(quoted: Renewal, clock: Any, sandbox: Sandbox) -> None:
    renewing.record_payment(quoted)
    work()
    quoted.package.quotes.filter(status="CONFIRMED").update(label="Aero 14, engraved")
    clock.move_to(ENDS.replace(year=2028) - timedelta(days=20))
    [second] = renewing.find_due()
    renewing.record_payment(renewing.quote(second))
    work()

    assert renewals_at(sandbox, quoted.package) == ["RENEWED", "RENEWED", "CONFIRMED"]
    labels = quoted.package.quotes.order_by("position").values_list("label", flat=True)
    assert list(labels) == ["Aero 14", "Aero 14, engraved", "Aero 14, engraved"]


def test_without_an_id_there_is_nothing_to_confirm_in_the_older_flow(due: Renewal) -> None:
    with pytest.raises(exceptions.RenewalNotAnnounced, match="no id yet"):
        renewing.confirm_legacy(due)


@pytest.fixture
def announced(due: Renewal, sandbox: Sandbox) -> Renewal:
    """Return a renewal that XCover has announced by webhook, in the older flow."""
    client = factory.client_for("default")
    answer = client.quote_for_renewal(due.package.package_id)
    package_id = due.package.package_id
    found = renewing.on_event("RENEWAL_CREATED", package_id, "default", answer["renewal_id"])
    assert found == due
    return due


def test_the_older_flow_confirms_by_the_announced_id_alone(
    announced: Renewal, sandbox: Sandbox
) -> None:
    paid_on = datetime(2027, 4, 12, 2, 42, 12, tzinfo=UTC)

    operation = renewing.confirm_legacy(announced, paid_on=paid_on)
    again = renewing.confirm_legacy(announced, paid_on=paid_on)

    assert operation == again
    assert operation.request["paid_on"] == "2027-04-12 02:42:12Z"
    work()
    announced.refresh_from_db()
    assert announced.state == State.CONFIRMED
    assert len(sandbox.calls("confirm_renewal_legacy")) == 1
    assert renewals_at(sandbox, announced.package) == ["RENEWED", "CONFIRMED"]


def test_the_older_flow_takes_the_id_xcover_gave_before_one_that_was_announced(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.on_event("RENEWAL_DUE", quoted.package.package_id, "default", "forge-forge-REN")

    operation = renewing.confirm_legacy(quoted)
    work()

    assert operation.request["renewal_id"] == quoted.renewal_id
    quoted.refresh_from_db()
    assert quoted.state == State.CONFIRMED


def test_the_older_flow_waits_until_the_booking_shows_the_new_period(
    announced: Renewal, sandbox: Sandbox
) -> None:
    renewing.confirm_legacy(announced)
    sandbox.faults.add("confirm_renewal_legacy", "status", status=202)
    work()
    assert the_confirmation().state == OperationState.PENDING

    let_time_pass()
    work()

    announced.refresh_from_db()
    assert announced.state == State.CONFIRMED


def test_the_clock_of_these_tests_is_the_sandboxes_too(
    clock: time_machine.Traveller, sandbox: Sandbox
) -> None:
    assert sandbox.clock.now() == timezone.now()


def test_a_second_payment_is_not_taken_for_the_first(quoted: Renewal) -> None:
    renewing.record_payment(quoted, reference="PAY-1")

    with pytest.raises(exceptions.RenewalPaid):
        renewing.record_payment(quoted, reference="PAY-2")
    work()
    with pytest.raises(exceptions.AlreadyRenewed):
        renewing.record_payment(quoted, reference="PAY-2")

    quoted.refresh_from_db()
    assert quoted.payment_reference == "PAY-1"


def test_a_payment_for_what_was_given_up_is_refused(quoted: Renewal, sandbox: Sandbox) -> None:
    sandbox.faults.add("confirm_renewal", "status", status=422)
    renewing.record_payment(quoted, reference="PAY-1")
    work()
    renewing.abandon(quoted, reason="Given back.")

    with pytest.raises(exceptions.RenewalLapsed):
        renewing.record_payment(quoted, reference="PAY-2")
