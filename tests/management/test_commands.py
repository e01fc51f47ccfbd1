"""xcover_reconcile, xcover_pause, xcover_resume, xcover_status, and the checks of the database."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.utils import timezone

from django_xcover import tasks
from django_xcover.checks import check_health
from django_xcover.client import ServerFault, Throttled, endpoints
from django_xcover.client.connections import Deadline
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, rate_limits
from django_xcover.conf import get_config
from django_xcover.models import (
    AccountPause,
    Discrepancy,
    Operation,
    OperationState,
    Reconciliation,
)
from django_xcover.outbox import account_pause
from django_xcover.outbox.lease import record_sweep
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import (
    AccountPauseFactory,
    CancellationFactory,
    InstalmentFactory,
    ReconciliationFactory,
)
from tests import completion
from tests.conftest import Shopper, resolve_flags, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> None:
    """Let there be one booking that is in order."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    record_sweep()


@pytest.fixture
def dear(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> None:
    """Let there be one booking at another price than shown."""
    sandbox.faults.add("create_booking", "wrong_price")
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    record_sweep()


def run(name: str, *words: str) -> str:
    """Return what the command prints."""
    out = StringIO()
    call_command(name, *words, stdout=out)
    return out.getvalue()


def status(*words: str) -> tuple[int, str]:
    """Return the exit code of xcover_status and what it prints."""
    out = StringIO()
    try:
        call_command("xcover_status", *words, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_an_xcover_that_is_away_ends_the_command_with_an_error(
    booked: None, sandbox: Sandbox
) -> None:
    sandbox.faults.add("list_bookings", "reset", times=None)

    with pytest.raises(CommandError, match="Calls to XCover failed"):
        run("xcover_reconcile")


@pytest.mark.parametrize(
    "words", [["--account", "nowhere"], ["--since", "soon"], ["--fix", "--dry-run"]]
)
def test_what_makes_no_sense_is_refused(booked: None, words: list[str], settings: Any) -> None:
    with pytest.raises((CommandError, SystemExit)):
        run("xcover_reconcile", *words)


def test_somebody_elses_walk_is_not_disturbed(booked: None) -> None:
    ReconciliationFactory.create(account="default", under_way=True)

    with pytest.raises(CommandError, match="another process"):
        run("xcover_reconcile")


def test_it_prints_counts_and_money(dear: None) -> None:
    quote = the_package().quotes.get()
    difference = abs(quote.price - Decimal("7.89"))

    text = run("xcover_reconcile", "--fix")

    assert "default: finished" in text
    assert "price differs" in text
    assert f"£{difference.normalize():f}" in text
    assert "[#" not in text


def test_it_prints_json_for_machines(dear: None) -> None:
    [report] = json.loads(run("xcover_reconcile", "--dry-run", "--json", "--since", "2020-01-01"))

    assert (report["account"], report["finished"], report["listed"]) == ("default", True, 1)
    [line] = report["discrepancies"]
    assert (line["kind"], line["currency"], line["count"]) == ("price_differs", "GBP", 1)
    assert Decimal(line["at_stake"]) > 0
    assert not Discrepancy.objects.exists()


def test_an_account_is_paused_and_resumed(booked: None) -> None:
    assert "Prices are wrong" in run("xcover_pause", "default", "--reason", "Prices are wrong")
    assert AccountPause.objects.get().paused_by == "the command line"

    assert "was resumed" in run("xcover_resume", "default")
    assert not AccountPause.objects.exists()


@pytest.mark.parametrize("name", ["xcover_pause", "xcover_resume"])
def test_an_account_that_does_not_exist_is_neither_paused_nor_resumed(
    shop: Shop, name: str
) -> None:
    with pytest.raises(CommandError):
        run(name, "nowhere")


def test_all_well_is_zero(booked: None) -> None:
    code, text = status()

    assert code == 0
    assert "1 done" in text
    assert "circuit closed" in text


@pytest.mark.parametrize("what", ["operation", "flag", "discrepancy"])
def test_one_when_a_person_is_needed(dear: None, what: str) -> None:
    if what != "flag":
        resolve_flags(the_package(), note="Refunded")
    if what == "operation":
        Operation.objects.update(state=OperationState.NEEDS_PERSON)
    if what == "discrepancy":
        run("xcover_reconcile")

    code, text = status("--json")

    assert code == 1
    assert json.loads(text)["needs_person"] == 1


def test_money_that_the_shop_has_yet_to_move_is_counted_and_is_no_fault(booked: None) -> None:
    package = the_package()
    CancellationFactory.create(package=package, confirmed=True)
    InstalmentFactory.create(quote=package.quotes.get(), overdue=True)

    code, printed = status()

    assert code == 0
    assert "refunds to record     1" in printed
    assert "overdue instalments   1" in printed


def test_the_status_says_what_is_due_paused_and_reconciled(booked: None) -> None:
    Operation.objects.update(
        state=OperationState.PENDING, next_attempt_at=timezone.now() - timedelta(hours=1)
    )
    account_pause.pause("default", by="ana", reason="Prices are wrong")
    tasks.sweep_operations()
    run("xcover_reconcile")

    _, text = status("--json")

    told = json.loads(text)
    assert told["operations"]["pending"] == 1
    assert told["oldest_due"] is not None
    assert told["last_sweep"] is not None
    [account] = told["accounts"]
    assert account["pause_reason"] == "Prices are wrong"
    assert account["reconciled_at"] is not None


@pytest.fixture
def own_cache(booked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cache of this process have forgotten all calls, the booking among them."""
    cache = LocMemCache("xcover_status", {})
    cache.clear()
    monkeypatch.setattr(shared_cache, "memory", shared_cache.Memory(lambda: cache))


@pytest.fixture
def down(own_cache: None) -> None:
    """Let XCover fail until it is left alone, and ask for a pause."""
    for _ in range(3):
        with suppress(ServerFault), circuit_breaker.guard("default"):
            raise ServerFault(status=503)
    limiter = rate_limits.limiter_of(get_config().account("default"))
    with suppress(Throttled), limiter(endpoints.CREATE_QUOTE, Deadline.after(1)):
        raise Throttled(status=429, retry_after=30)


def test_the_status_says_that_xcover_is_left_alone_and_until_when(down: None) -> None:
    state = circuit_breaker.state("default")
    assert state.open_until is not None

    code, text = status()

    assert code == 1
    assert "circuit open since" in text
    assert f"next probe from {state.open_until:%Y-%m-%d %H:%M:%S} UTC" in text
    assert "50 calls per second, XCover asked for a pause until" in text
    assert "20 calls per second\n" in text
    assert "each process has its own" in text


def test_the_status_tells_machines_the_same(down: None) -> None:
    told = json.loads(status("--json")[1])

    [account] = told["accounts"]
    assert account["circuit"] == "open"
    assert account["opened_at"] < account["open_until"]
    assert [rate["group"] for rate in account["rates"]] == ["sales", "other"]
    assert [rate["paused_until"] is None for rate in account["rates"]] == [False, True]
    assert (told["cache"], told["without_worker"]) == ("process", 0)
    assert "sandbox-secret" not in json.dumps(told)


def test_faults_that_open_nothing_yet_are_told(own_cache: None) -> None:
    with suppress(ServerFault), circuit_breaker.guard("default"):
        raise ServerFault(status=503)

    assert "circuit closed (1 of the last 1 calls failed)" in status()[1]


def test_the_status_of_an_account_that_is_gone_from_the_settings_is_told(booked: None) -> None:
    AccountPauseFactory.create(account="gone")

    told = json.loads(status("--json")[1])

    assert [(one["name"], one["rates"] == []) for one in told["accounts"]] == [
        ("default", False),
        ("gone", True),
    ]


def test_the_checks_say_what_stands_still(booked: None) -> None:
    assert check_health(databases=["default"]) == []
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    account_pause.pause("default", by="ana")

    found = check_health(databases=["default"])

    assert [message.id for message in found] == ["xcover.W004", "xcover.W005"]
    assert check_health(databases=None) == []


def test_a_database_without_our_tables_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_table() -> None:
        raise DatabaseError

    monkeypatch.setattr(AccountPause.objects, "all", no_table)

    assert check_health(databases=["default"]) == []


def test_the_task_reconciles_each_account_and_survives_all_that_xcover_does(
    booked: None, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add("list_bookings", "reset", times=None)
    tasks.reconcile()
    assert "not reconciled yet" in caplog.text

    sandbox.faults.clear()
    tasks.reconcile()

    assert Reconciliation.objects.get().finished_at is not None


def test_a_task_that_comes_while_another_walks_leaves_it_alone(booked: None) -> None:
    lease = timezone.now() + timedelta(minutes=1)
    Reconciliation.objects.create(account="default", lease_until=lease)

    tasks.reconcile()

    assert Reconciliation.objects.get().started_at is None
