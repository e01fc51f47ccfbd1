"""A line that came back while its booking was in doubt: in the end it is covered by nothing."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover import signals, worker
from django_xcover.client import XCoverClient
from django_xcover.models import Operation, OperationKind, OperationState, Quote
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, work
from tests.shop import Order, Shop, laptop, ticket
from tests.workers import Killed, let_time_pass

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def accepted(shopper: Shopper) -> Shopper:
    """Return a shopper who has said yes to cover of tickets and of a laptop."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    return shopper


@pytest.fixture
def paid(accepted: Shopper, shop: Shop) -> Order:
    """Return a paid order whose booking has not begun."""
    order = shop.order()
    completion.complete(order, accepted.cart, paid=True)
    return order


def give_back(order: Order, *lines: str) -> None:
    signals.order_cancelled.send(sender=Order, order=order, lines=lines or None)


def carry_on(times: int = 4) -> None:
    for _ in range(times):
        let_time_pass()
        work()


def in_force() -> set[str]:
    return set(Quote.objects.filter(status="CONFIRMED").values_list("line_reference", flat=True))


def retry(kind: OperationKind) -> None:
    operation = Operation.objects.get(kind=kind)
    assert operation.state == OperationState.NEEDS_PERSON
    assert operations.retry(operation)


def test_a_person_who_retries_the_booking_insures_no_line_that_came_back(
    paid: Order, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "reset", times=None)
    carry_on(6)
    give_back(paid, "laptop")
    carry_on()
    sandbox.faults.clear()

    retry(OperationKind.BOOK)
    carry_on()

    assert in_force() == {"ticket"}


def test_a_person_who_retries_the_payment_insures_no_line_that_came_back(
    accepted: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    order = shop.order(pays_later=True)
    completion.complete(order, accepted.cart, paid=False)
    work()
    completion.complete(order, accepted.cart, paid=True)
    sandbox.faults.add("confirm_booking", "reset", times=None)
    carry_on(6)
    give_back(order, "laptop")
    carry_on()
    sandbox.faults.clear()

    retry(OperationKind.CONFIRM_PAYMENT)
    carry_on()

    assert in_force() == {"ticket"}


def test_a_line_that_comes_back_during_a_booking_that_has_to_be_confirmed_is_not_insured(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = XCoverClient.create_booking

    def holds_it(self: XCoverClient, package_id: str, payload: Any, **options: Any) -> Any:
        unpaid = {**payload, "require_payment_confirmation": True}
        answer = honest(self, package_id, unpaid, **options)
        give_back(paid, "laptop")
        return answer

    monkeypatch.setattr(XCoverClient, "create_booking", holds_it)

    carry_on()

    assert in_force() == {"ticket"}


def test_what_xcover_did_not_book_does_not_keep_the_rest_from_being_cancelled(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="null")

    def die(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(worker, "_settle", die)
        with pytest.raises(Killed):
            worker.run(the_operation().pk)
    give_back(paid)
    carry_on()

    assert in_force() == set()
    assert {quote["status"] for one in sandbox.packages() for quote in one["quotes"]} == {
        "FAILED",
        "CANCELLED",
    }
