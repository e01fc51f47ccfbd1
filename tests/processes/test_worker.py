"""Real workers on each transport, killed at the worst moment."""

from __future__ import annotations

import pytest

from django_xcover.sandbox import Sandbox
from tests.processes.brokers import TRANSPORTS, Broker
from tests.processes.conftest import Open
from tests.processes.crew import PATIENCE, kill, until

pytestmark = [pytest.mark.processes, pytest.mark.parametrize("transport", TRANSPORTS)]


def test_a_paid_order_is_booked_through_a_real_broker(
    open_shop: Open, broker: Broker, sandbox: Sandbox
) -> None:
    shop = open_shop(broker)

    with shop.worker():
        shop.step("sell")
        until(lambda: shop.states() == ["done"], shop.log)

    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    assert "ana@example.com" not in shop.log()
    assert len(sandbox.calls("create_booking")) == 1


@pytest.mark.parametrize("fault", ["hang", "process_then_hang"])
def test_a_worker_killed_between_claim_and_answer_leaves_one_policy(
    open_shop: Open, broker: Broker, sandbox: Sandbox, fault: str
) -> None:
    """`hang`: the booking never reached XCover. `process_then_hang`: only its answer is missing."""
    shop = open_shop(broker)
    hanging = sandbox.faults.add("create_booking", fault, seconds=PATIENCE)

    with shop.worker() as process:
        shop.step("sell")
        assert hanging.entered.wait(PATIENCE), shop.log()
        assert shop.states() == ["running"]
        kill(process)
    hanging.release()
    shop.let_leases_run_out()
    with shop.worker():
        until(lambda: shop.states() == ["done"], shop.log)

    assert shop.operations() == [("book", "done", 2, "CONFIRMED")]
    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    booked = [call for call in sandbox.calls("create_booking") if call.status == 200]
    assert len(booked) == 1


def test_of_two_operations_on_a_package_the_second_waits_for_the_first(
    open_shop: Open, broker: Broker, sandbox: Sandbox
) -> None:
    """The booking's answer hangs until another process of the worker has tried the payment."""
    shop = open_shop(broker)
    hanging = sandbox.faults.add("create_booking", "process_then_hang", seconds=PATIENCE)

    with shop.worker(processes=2):
        shop.step("sell_on_account")
        assert hanging.entered.wait(PATIENCE), shop.log()
        until(lambda: tried_in_vain(shop.log()), shop.log)
        assert shop.states() == ["running", "pending"]
        assert sandbox.calls("confirm_booking") == []
        hanging.release()
        until(lambda: shop.states() == ["done", "done"], shop.log)

    assert shop.operations() == [
        ("book", "done", 1, "CONFIRMED"),
        ("confirm_payment", "done", 1, "CONFIRMED"),
    ]
    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    assert [len(sandbox.calls(name)) for name in ("create_booking", "confirm_booking")] == [1, 1]


def tried_in_vain(log: str) -> bool:
    """Return whether a worker has taken an operation and found that its turn had not come."""
    return any("run_operation[" in line and "succeeded" in line for line in log.splitlines())
