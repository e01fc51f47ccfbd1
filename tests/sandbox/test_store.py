"""The store keeps all of a call or none of it, and the clock never repeats itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.packages import Package
from tests.sandbox.support import Caller


def _save_and_break(sandbox: Sandbox, package: Package) -> None:
    with sandbox.store.transaction():
        sandbox.store.save_package(package)
        raise RuntimeError


def test_a_call_that_breaks_halfway_leaves_nothing(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    before = sandbox.package(package["id"])
    changed = sandbox.store.find_package(package["id"])
    assert changed is not None
    changed.status = "CONFIRMED"

    with pytest.raises(RuntimeError):
        _save_and_break(sandbox, changed)

    assert sandbox.package(package["id"]) == before


def test_two_stamps_of_one_moment_differ_and_keep_their_order(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(Clock, "now", lambda _: moment)

    first, second, third = (sandbox.clock.stamp() for _ in range(3))

    assert first < second < third


def test_the_clock_can_go_back(sandbox: Sandbox) -> None:
    ahead = sandbox.clock.stamp()

    sandbox.clock.travel_to(datetime(2021, 9, 30, tzinfo=UTC))

    assert ahead - sandbox.clock.stamp() > timedelta(days=365)
