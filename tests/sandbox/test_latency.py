"""How long answers take: not at all, always the same, at random, or as staging took."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from django_xcover.client import DeadlineExceeded
from django_xcover.clients import factory
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.faults import Latency
from django_xcover.sandbox.http.server import serve


@pytest.mark.parametrize("spec", ["", "fast", "-1", "2-1", "nan", "inf", "601", "1-2-3"])
def test_a_latency_that_nobody_understands_is_refused_with_what_may_be_said(spec: str) -> None:
    with pytest.raises(ValueError, match='Use "none"'):
        Latency(spec)


def test_the_command_refuses_it_too() -> None:
    with pytest.raises(CommandError, match="There is no latency 'slow'"):
        call_command("xcover_sandbox", "--port", "0", "--latency", "slow")


def test_answers_take_no_time_unless_asked_to() -> None:
    assert Latency().next() == 0


def test_a_fixed_time_and_a_range() -> None:
    assert Latency("0.5").next() == 0.5
    assert all(0.2 <= Latency("0.2-1.5", seed).next() <= 1.5 for seed in range(50))


def test_forty_answers_have_the_quantiles_of_staging_in_any_order() -> None:
    latency = Latency("recorded", seed=1)
    times = [latency.next() for _ in range(40)]
    again = [latency.next() for _ in range(40)]

    assert min(times) == 0.351
    assert max(times) == 2.815
    assert statistics.median(times) == pytest.approx(0.911, abs=0.02)
    assert statistics.quantiles(times, n=4, method="inclusive")[2] == pytest.approx(1.712, abs=0.02)
    assert times != again
    assert sorted(times) == sorted(again)


def test_the_same_seed_gives_the_same_times() -> None:
    first, second = Latency("recorded", seed=7), Latency("recorded", seed=7)

    assert [first.next() for _ in range(90)] == [second.next() for _ in range(90)]


def test_a_call_in_process_takes_no_longer_than_it_waits(xcover_sandbox: Sandbox) -> None:
    xcover_sandbox.latency.set("5")
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        factory.client_for("default").create_quote({}, deadline=0.1)

    assert time.monotonic() - began < 3
    assert xcover_sandbox.calls() == []


def test_the_control_page_changes_it(sandbox: Sandbox) -> None:
    with serve(sandbox) as url:

        def control(**asked: Any) -> requests.Response:
            return requests.post(f"{url}/_sandbox/latency", json=asked, timeout=10)

        assert control(latency="soon").status_code == 400
        assert control(latency="0.3").json() == {"latency": "0.3"}
        assert requests.get(f"{url}/_sandbox/latency", timeout=10).json() == {"latency": "0.3"}
        began = time.monotonic()
        requests.get(f"{url}/x/partners/SHOP1/bookings/", timeout=10)
        assert time.monotonic() - began >= 0.3
