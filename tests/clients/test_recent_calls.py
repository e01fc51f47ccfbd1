"""When XCover's last answers are bad enough to stop asking."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.clients.circuit_breaker import RecentCalls


def after(*ends: str, every: float = 1.0) -> bool:
    """Return whether calls that ended so ("+" well, "-" not), the last one now, are too bad."""
    calls, now = RecentCalls(), 0.0
    for end in "".join(ends):
        now += every
        calls = calls.plus(now, well=end == "+")
    return calls.are_too_bad(now)


@pytest.fixture(autouse=True)
def configured(shop: Any) -> None:
    """Have settings."""


@pytest.mark.parametrize("every", [0.1, 60.0, 280.0], ids=["busy", "quiet", "very quiet"])
def test_three_faults_in_a_row_are_too_bad_for_a_shop_that_knows_nothing_else(
    every: float,
) -> None:
    assert not after("--", every=every)
    assert after("---", every=every)


def test_three_faults_in_a_row_are_too_bad_however_well_it_went_before() -> None:
    assert after("+" * 20, "---", every=60)


def test_a_success_in_between_starts_the_row_anew() -> None:
    assert not after("--+--", every=60)


def test_three_faults_over_an_hour_are_none_at_all() -> None:
    assert not after("---", every=1200)


def test_a_busy_shop_has_three_faults_in_a_row_by_chance() -> None:
    assert not after("+" * 100, "---", every=0.05)


def test_a_busy_shop_notices_that_nothing_succeeds_any_more() -> None:
    assert after("+" * 100, "-" * 10, every=0.5)


def test_half_of_a_busy_shops_calls_failing_is_too_bad() -> None:
    assert after("+-" * 10, every=0.1)
    assert not after("++-" * 10, every=0.1)


def test_half_of_a_few_calls_failing_is_not() -> None:
    assert not after("+-" * 9, every=0.1)


def test_half_of_the_calls_of_a_long_time_failing_is_not() -> None:
    assert not after("+-" * 10, every=10)


def test_a_shop_may_bear_more_faults(settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "BREAKER_FAULTS": 30}

    assert not after("-" * 19)
    assert after("-" * 30)


def test_what_is_remembered_has_an_end() -> None:
    calls = RecentCalls()
    for moment in range(1000):
        calls = calls.plus(moment, well=True)

    assert len(calls.calls) == 20


@pytest.mark.parametrize("value", [3, "text", [1], [(1, 2, 3)], [("x", True)]])
def test_something_else_in_the_cache_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        RecentCalls.read(value)
