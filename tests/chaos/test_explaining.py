"""Why something waits for a person: five misfortunes are XCover's weather, our errors are not."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.models import Attention, Operation, OperationState
from django_xcover.orders import cancellation
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.chaos.explaining import Reasons, is_tried_out
from tests.chaos.history import History
from tests.chaos.test_aftermath import truth_of
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop


def stopped(**error: Any) -> Operation:
    return Operation(
        kind="book", state=OperationState.NEEDS_PERSON, failures=5, attempts=5, error=error
    )


@pytest.mark.parametrize("name", ["KeyError", "outcome_unknown", "worker_died", "cannot_perform"])
def test_an_error_of_ours_is_no_weather(name: str) -> None:
    assert not is_tried_out(stopped(type=name, permanent=False))


def test_what_gave_up_before_its_last_attempt_was_not_tried_out() -> None:
    operation = stopped(type="server_fault", permanent=False)
    operation.failures = 4

    assert not is_tried_out(operation)


@pytest.mark.parametrize("name", ["server_fault", "deadline_exceeded", "connection_failed"])
def test_five_misfortunes_in_a_row_are_the_weather(name: str) -> None:
    assert is_tried_out(stopped(type=name, permanent=False))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fault", "flag"),
    [("wrong_price", Attention.PRICE_DIFFERS), ("missing_policy", Attention.POLICY_MISSING)],
)
def test_a_flag_is_explained_also_after_the_shop_has_cancelled_its_unpaid_order(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, fault: str, flag: Attention
) -> None:
    shopper.says(yes=True)
    sandbox.faults.add("create_booking", fault)
    completion.complete(shop.order(pays_later=True), shopper.cart, paid=False)
    work()

    cancellation.cancel_by_reference(the_package().order_reference)

    assert the_package().quotes.withdrawn().exists()
    assert is_explained(sandbox, flag)


@pytest.mark.django_db
@pytest.mark.parametrize("flag", [Attention.PRICE_DIFFERS, Attention.POLICY_MISSING])
def test_a_flag_for_nothing_stays_unexplained_when_the_shop_cancels_its_unpaid_order(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, flag: Attention
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(pays_later=True), shopper.cart, paid=False)
    work()

    cancellation.cancel_by_reference(the_package().order_reference)

    assert not is_explained(sandbox, flag)


def is_explained(sandbox: Sandbox, flag: Attention) -> bool:
    history = History()
    history.flags[the_package().pk].add(flag)
    return Reasons(truth_of(sandbox), history, lies=0).explain(the_package(), [])
