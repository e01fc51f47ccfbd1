"""Whether everything is well: one judgement, repeated by the command, the admin and the checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from django_xcover import tasks
from django_xcover.checks import HEALTH_IDS, check_health
from django_xcover.models import (
    AccountPause,
    Attention,
    Heartbeat,
    OfferCount,
    OfferOutcome,
    Operation,
    OperationState,
    QuotePackage,
    WebhookRefusal,
)
from django_xcover.outbox import account_pause, lease
from django_xcover.sandbox import Sandbox
from django_xcover.support.health import State, health
from django_xcover.sync import reconciliation
from django_xcover.testing.factories import (
    FlagFactory,
    HoldFactory,
    OfferCountFactory,
    OrderEventFactory,
    ReconciliationFactory,
    WebhookDeliveryFactory,
)
from tests import completion
from tests.admin.factories import make_staff
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop
from tests.sync.webhooks.conftest import URL, Post, body_of, post, xcover

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
__all__ = ["post"]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def booked(shopper: Shopper, shop: Shop, settings: Any) -> QuotePackage:
    """Let there be a booking in order, a worker that sweeps, and a receiver of webhooks."""
    settings.XCOVER = xcover()
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    lease.record_sweep()
    # Each test says itself how quoting went.
    OfferCount.objects.all().delete()
    return the_package()


def states(account: str = "default") -> dict[str, State]:
    """Return what is not well, by subject."""
    return {one.name: one.state for one in health().problems() if one.account in {"", account}}


def command(*words: str) -> tuple[int, str]:
    """Return the exit code of xcover_status and what it prints."""
    out = StringIO()
    try:
        call_command("xcover_status", *words, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def lost(outcome: OfferOutcome, count: int = 3, *, ago: timedelta = timedelta()) -> None:
    """Let `outcome` have been counted `count` times, the last time `ago`."""
    at = timezone.now() - ago
    hour = at.replace(minute=0, second=0, microsecond=0)
    OfferCountFactory.create(hour=hour, outcome=outcome, count=count, last_at=at)


# What each subject calls ill


def no_sweep() -> None:
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=6))


def never_swept() -> None:
    Heartbeat.objects.all().delete()


def a_sweep_in_the_future() -> None:
    Heartbeat.objects.update(at=timezone.now() + timedelta(days=30))


def an_overdue_operation() -> None:
    Operation.objects.update(state=OperationState.PENDING, next_attempt_at=timezone.now() - HOUR)


def a_dead_workers_operation() -> None:
    Operation.objects.update(state=OperationState.RUNNING, lease_until=timezone.now() - HOUR)


def a_stopped_operation() -> None:
    Operation.objects.update(state=OperationState.NEEDS_PERSON)


def a_flag() -> None:
    FlagFactory.create(package=the_package(), reason=Attention.PRICE_DIFFERS)


def a_failed_webhook() -> None:
    WebhookDeliveryFactory.create(package=the_package(), failed=True)


def a_pause() -> None:
    account_pause.pause("default", by="ana")


def a_key_refused_at_checkout() -> None:
    lost(OfferOutcome.NOT_AUTHORISED, 1)


def a_key_refused_to_the_worker() -> None:
    error = {"type": "authentication_failed"}
    Operation.objects.update(
        state=OperationState.NEEDS_PERSON, error=error, updated_at=timezone.now()
    )


def a_key_refused_to_a_webhook() -> None:
    WebhookDeliveryFactory.create(
        package=the_package(), failed=True, error="authentication_failed: 401"
    )


def a_key_refused_to_reconciliation() -> None:
    facts = {"error": "authentication_failed", "finished_at": timezone.now() - HOUR}
    ReconciliationFactory.create(account="default", failed=True, **facts)


def no_offer_for_an_hour() -> None:
    lost(OfferOutcome.OFFERED, 9, ago=HOUR)
    lost(OfferOutcome.NO_ANSWER)


def never_an_offer() -> None:
    lost(OfferOutcome.FAULT)


def a_failed_comparison() -> None:
    ReconciliationFactory.create(account="default", failed=True, finished_at=timezone.now())


def an_old_comparison() -> None:
    ReconciliationFactory.create(account="default", finished_at=timezone.now() - 7 * HOUR)


def one_under_way_for_ever() -> None:
    long_ago = timezone.now() - 9 * HOUR
    facts = {"started_at": long_ago, "finished_at": long_ago, "lease_until": None}
    ReconciliationFactory.create(account="default", under_way=True, **facts)


def never_compared() -> None:
    QuotePackage.objects.update(booked_at=timezone.now() - 7 * HOUR)
    WebhookDeliveryFactory.create(package=None)


def silent_webhooks() -> None:
    QuotePackage.objects.update(booked_at=timezone.now() - 2 * HOUR)


def a_hold_without_an_order() -> None:
    HoldFactory.create(package=the_package(), no_order=True, cart_reference="CART-9")


def an_unsettled_order() -> None:
    OrderEventFactory.create(needs_person=True, order_reference="")


ILL: dict[Callable[[], None], tuple[str, State]] = {
    no_sweep: ("workers", State.ALARM),
    never_swept: ("workers", State.ALARM),
    a_sweep_in_the_future: ("workers", State.ALARM),
    an_overdue_operation: ("operations", State.ALARM),
    a_dead_workers_operation: ("operations", State.ALARM),
    a_stopped_operation: ("people", State.ATTENTION),
    a_flag: ("people", State.ATTENTION),
    a_failed_webhook: ("people", State.ATTENTION),
    a_hold_without_an_order: ("holds", State.ATTENTION),
    an_unsettled_order: ("orders", State.ATTENTION),
    a_pause: ("pause", State.ATTENTION),
    a_key_refused_at_checkout: ("credentials", State.ALARM),
    a_key_refused_to_the_worker: ("credentials", State.ALARM),
    a_key_refused_to_a_webhook: ("credentials", State.ALARM),
    a_key_refused_to_reconciliation: ("credentials", State.ALARM),
    no_offer_for_an_hour: ("offers", State.ALARM),
    never_an_offer: ("offers", State.ALARM),
    a_failed_comparison: ("reconciliation", State.ATTENTION),
    an_old_comparison: ("reconciliation", State.ATTENTION),
    one_under_way_for_ever: ("reconciliation", State.ATTENTION),
    never_compared: ("reconciliation", State.ATTENTION),
    silent_webhooks: ("webhooks", State.ATTENTION),
}


@pytest.mark.parametrize("happens", ILL, ids=lambda one: one.__name__)
def test_the_command_the_admin_and_the_checks_say_the_same(happens: Callable[[], None]) -> None:
    happens()
    subject, state = ILL[happens]
    [found] = [one for one in health().problems() if one.name == subject]
    assert found.state == state

    code, text = command("--json")
    told = json.loads(text)
    assert code == told["exit_code"] == max(one.state for one in health().subjects)
    assert code >= state
    [row] = [one for one in told["health"] if one["subject"] == subject and one["exit_code"]]
    assert (row["sentence"], row["exit_code"]) == (found.sentence, int(state))
    assert found.sentence in command()[1]
    assert found.sentence in command("--check")[1]

    messages = {message.id: message.msg for message in check_health(databases=["default"])}
    assert messages[HEALTH_IDS[subject]] == found.sentence

    admin = Client()
    admin.force_login(make_staff("view_operation"))
    page = admin.get("/admin/xcover/operation/status/").content.decode()
    assert found.sentence in page.replace("&#x27;", "'")


def test_all_well_is_nought_and_says_so_in_each_form() -> None:
    assert states() == {}
    assert command() == (0, command()[1])
    assert "All is well." in command()[1]
    assert command("--check")[1].startswith("XCOVER OK - All is well. | ")
    told = json.loads(command("--json")[1])
    assert (told["state"], told["exit_code"]) == ("well", 0)
    assert {one["subject"] for one in told["health"]} == set(HEALTH_IDS)


def test_what_cannot_be_found_out_is_three_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("password=secret")

    monkeypatch.setattr(AccountPause.objects, "all", away)

    for words in ([], ["--check"], ["--json"]):
        code, text = command(*words)
        assert code == 3
        assert "OperationalError" in text
        assert "secret" not in text


@pytest.mark.parametrize(
    ("setting", "value", "happens"),
    [
        ("ALARM_SWEEP", 600, no_sweep),
        ("ALARM_OPERATION", 7200, an_overdue_operation),
        ("ALARM_OFFERS", 7200, no_offer_for_an_hour),
        ("ALARM_OFFERS_LOST", 4, never_an_offer),
        ("ALARM_RECONCILIATION", 30_000, an_old_comparison),
        ("ALARM_WEBHOOKS", 60, silent_webhooks),
    ],
)
def test_the_thresholds_are_settings(
    settings: Any, setting: str, value: float, happens: Callable[[], None]
) -> None:
    happens()
    assert ILL[happens][0] in states()

    settings.XCOVER = {**settings.XCOVER, setting: value}

    assert ILL[happens][0] not in states()


# What is no reason for an alarm


def test_a_shop_that_has_sold_nothing_needs_no_worker_yet() -> None:
    never_swept()
    Operation.objects.all().delete()

    assert "workers" not in states()


def test_a_key_that_is_accepted_again_is_well() -> None:
    Operation.objects.update(next_attempt_at=timezone.now() - HOUR)
    lost(OfferOutcome.NOT_AUTHORISED, 9, ago=timedelta(minutes=5))
    assert states()["credentials"] == State.ALARM

    lost(OfferOutcome.OFFERED, 1)

    assert "credentials" not in states()


def test_a_key_that_the_worker_gets_through_with_again_is_well() -> None:
    Operation.objects.update(next_attempt_at=timezone.now() - HOUR)
    lost(OfferOutcome.NOT_AUTHORISED, 9, ago=timedelta(minutes=5))
    assert states()["credentials"] == State.ALARM

    Operation.objects.update(state=OperationState.DONE, next_attempt_at=timezone.now())

    assert "credentials" not in states()


def test_carts_that_xcover_does_not_insure_are_no_lost_offers() -> None:
    lost(OfferOutcome.NOTHING_TO_SELL, 99)

    assert states() == {}


def test_lost_offers_among_others_are_no_alarm() -> None:
    lost(OfferOutcome.NO_ANSWER, 99)
    lost(OfferOutcome.OFFERED, 1, ago=timedelta(minutes=1))

    assert "offers" not in states()


def test_webhooks_that_come_are_not_silent() -> None:
    silent_webhooks()
    WebhookDeliveryFactory.create(package=None)

    assert "webhooks" not in states()


def test_an_account_without_secrets_expects_no_webhooks() -> None:
    QuotePackage.objects.update(account="deaf", booked_at=timezone.now() - 2 * HOUR)

    assert "webhooks" not in states("deaf")


# What is learned from doing


def test_a_wrong_key_alarms_whatever_call_meets_it(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, booked: QuotePackage
) -> None:
    sandbox.faults.add("list_bookings", "status", status=401, times=None)
    tasks.reconcile()

    assert states()["credentials"] == State.ALARM
    assert states()["reconciliation"] == State.ATTENTION
    assert "reconciling" not in command()[1]

    sandbox.faults.clear()
    tasks.reconcile()
    assert states() == {}


def test_a_comparison_that_fails_is_not_shown_as_under_way(sandbox: Sandbox) -> None:
    sandbox.faults.add("list_bookings", "reset", times=None)
    reconciliation.reconcile("default")

    [account] = [one for one in health().status.accounts if one.name == "default"]

    assert not account.reconciling
    assert account.reconciliation_error == "connection_failed"
    assert "last reconciliation failed" in command()[1]


def test_the_sweep_is_the_heartbeat() -> None:
    never_swept()
    assert states()["workers"] == State.ALARM

    tasks.sweep_operations()

    assert states() == {}


# Refused webhooks


def test_six_refused_webhooks_are_six_lines_and_one_count(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        assert post(secret="another secret").status_code == 400

    assert len(caplog.records) == 6
    assert not any(record.exc_info for record in caplog.records)
    assert WebhookRefusal.objects.get().count == 6
    [found] = [one for one in health().problems() if one.name == "refused_webhooks"]
    assert "6 webhooks were refused" in found.sentence
    assert "6 signed with none of WEBHOOK_SECRETS" in found.sentence
    assert command()[0] == 1


@pytest.mark.parametrize(
    ("sent", "reason", "status"),
    [
        ({"secret": "another secret"}, "signature", 400),
        ({"headers": {"Authorization": None}}, "unsigned", 400),
        ({"date": datetime(2001, 1, 1, tzinfo=UTC)}, "date", 400),
        ({"body": b"{"}, "body", 400),
        ({"url": f"{URL}nowhere/"}, "no_receiver", 404),
        ({"url": f"{URL}deaf/"}, "no_receiver", 404),
    ],
)
def test_every_refusal_is_counted_by_its_reason_and_is_one_line(
    post: Post,
    caplog: pytest.LogCaptureFixture,
    sent: dict[str, Any],
    reason: str,
    status: int,
) -> None:
    assert post(sent.pop("body", body_of()), **sent).status_code == status

    [record] = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert WebhookRefusal.objects.get().reason == reason


def test_what_anybody_can_send_is_counted_and_is_no_alarm(
    post: Post, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.get(URL)
    client.post(f"{URL}made-up-name/", b"{}", content_type="application/json")
    post(headers={"Authorization": None})

    assert len(caplog.records) == 3
    counted = WebhookRefusal.objects.values_list("account", "reason", "count")
    assert set(counted) == {("", "method", 1), ("", "unsigned", 1), ("default", "unsigned", 1)}
    assert states() == {}


def test_a_database_that_counts_nothing_refuses_all_the_same(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(WebhookRefusal.objects, "filter", away)

    assert post(secret="another secret").status_code == 400


def test_old_refusals_are_forgotten_and_are_no_alarm(post: Post) -> None:
    post(secret="another secret")
    WebhookRefusal.objects.update(last_at=timezone.now() - timedelta(days=2))
    assert states() == {}
    WebhookRefusal.objects.update(last_at=timezone.now() - timedelta(days=91))

    tasks.forget_webhooks()

    assert not WebhookRefusal.objects.exists()
