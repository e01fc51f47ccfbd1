"""Retry now and Refresh from XCover: who may, what happens, what is left on record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client

from django_xcover.client import (
    AuthenticationFailed,
    ConnectionFailed,
    NotFound,
    ServerFault,
    UnexpectedAnswer,
    XCoverError,
)
from django_xcover.client.retry import RetryPolicy
from django_xcover.clients import factory
from django_xcover.mirror import refresh as refreshing
from django_xcover.models import Operation, OperationState, QuotePackage, Status
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import OperationFactory, QuoteFactory, QuotePackageFactory
from django_xcover.testing.factories.answers import SECURITY_TOKEN, SITE
from tests.admin.factories import in_minutes, make_staff
from tests.conftest import Shopper, the_package


def messages_of(answer: Any) -> list[str]:
    """Return the messages that the answer leaves for the user."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def retry(client: Client, operation: Operation, **data: str) -> Any:
    """Press "Retry now" on the page of `operation`."""
    return client.post(f"/admin/xcover/operation/{operation.pk}/retry/", data)


def refresh(client: Client, package: QuotePackage, **data: str) -> Any:
    """Press "Refresh from XCover" on the page of `package`."""
    return client.post(f"/admin/xcover/quotepackage/{package.pk}/refresh/", data)


def choose(client: Client, model: str, action: str, *rows: Any) -> Any:
    """Run a list action on `rows`."""
    chosen = [row.pk for row in rows]
    return client.post(f"/admin/xcover/{model}/", {"action": action, "_selected_action": chosen})


class Failing:
    """Stands in for a refresh; each call takes the next error."""

    def __init__(self, *errors: XCoverError) -> None:
        self.errors = list(errors)
        self.asked: list[QuotePackage] = []

    def __call__(self, package: QuotePackage) -> QuotePackage:
        self.asked.append(package)
        raise self.errors.pop(0)


@pytest.fixture
def stopped() -> Operation:
    """Return a booking that needs a person."""
    return OperationFactory.create(package__order_reference="SH-1001", needs_person=True)


def test_a_get_retries_nothing(agent: Client, stopped: Operation) -> None:
    answer = agent.get(f"/admin/xcover/operation/{stopped.pk}/retry/")

    stopped.refresh_from_db()
    assert (answer.status_code, stopped.state) == (405, OperationState.NEEDS_PERSON)


def test_a_get_refreshes_nothing(agent: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    assert agent.get(f"/admin/xcover/quotepackage/{package.pk}/refresh/").status_code == 405


def test_a_post_from_another_site_is_refused(stopped: Operation) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_staff("view_operation", "retry_operation"))

    answer = retry(strict, stopped)

    stopped.refresh_from_db()
    assert (answer.status_code, stopped.state) == (403, OperationState.NEEDS_PERSON)


def test_a_viewer_may_not_retry(viewer: Client, stopped: Operation) -> None:
    answer = retry(viewer, stopped)

    stopped.refresh_from_db()
    assert (answer.status_code, stopped.state) == (403, OperationState.NEEDS_PERSON)


def test_a_viewer_may_not_retry_from_the_list(viewer: Client, stopped: Operation) -> None:
    choose(viewer, "operation", "retry_now", stopped)

    stopped.refresh_from_db()
    assert stopped.state == OperationState.NEEDS_PERSON


def test_a_viewer_may_not_refresh(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    asked = Failing()
    monkeypatch.setattr(refreshing, "refresh", asked)

    by_button = refresh(viewer, package)
    choose(viewer, "quotepackage", "refresh", package)

    assert (by_button.status_code, asked.asked) == (403, [])


def test_the_right_to_retry_without_the_right_to_look_is_none(
    client: Client, stopped: Operation
) -> None:
    client.force_login(make_staff("retry_operation"))

    assert retry(client, stopped).status_code == 403


def test_a_viewer_sees_no_buttons(viewer: Client, stopped: Operation) -> None:
    pages = [
        f"/admin/xcover/operation/{stopped.pk}/change/",
        f"/admin/xcover/quotepackage/{stopped.package_id}/change/",
        "/admin/xcover/quotepackage/order/SH-1001/",
    ]

    for page in pages:
        assert "xcover-act" not in viewer.get(page).content.decode()


def test_an_operation_that_does_not_exist_is_not_retried(agent: Client) -> None:
    assert agent.post("/admin/xcover/operation/4711/retry/").status_code == 404


@pytest.mark.parametrize("state", ["done", "discarded", "running"])
def test_an_operation_that_waits_for_nothing_is_left_alone(agent: Client, state: str) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001", state=state)

    answer = retry(agent, operation)

    operation.refresh_from_db()
    assert operation.state == state
    assert "wasn't retried" in messages_of(answer)[0]
    assert not LogEntry.objects.exists()


def test_a_done_operation_offers_no_button(agent: Client) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001", done=True)

    page = agent.get(f"/admin/xcover/operation/{operation.pk}/change/").content.decode()

    assert "xcover-act" not in page


def test_a_retry_makes_the_operation_due_and_is_on_record(
    agent: Client, stopped: Operation
) -> None:
    answer = retry(agent, stopped)

    stopped.refresh_from_db()
    entry = LogEntry.objects.get()
    assert stopped.state == OperationState.PENDING
    assert stopped.next_attempt_at <= in_minutes(0)
    assert (entry.user.get_username(), entry.object_id) == ("agent", str(stopped.pk))
    assert messages_of(answer) == [entry.change_message]
    assert stopped.package.package_id in entry.change_message


def test_a_retry_goes_back_to_the_page_of_the_operation(agent: Client, stopped: Operation) -> None:
    assert retry(agent, stopped).url == f"/admin/xcover/operation/{stopped.pk}/change/"


def test_a_retry_goes_back_to_the_story_it_came_from(agent: Client, stopped: Operation) -> None:
    story = "/admin/xcover/quotepackage/order/SH-1001/"

    assert retry(agent, stopped, next=story).url == story


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_a_retry_sends_nobody_to_another_site(
    agent: Client, stopped: Operation, next_: str
) -> None:
    assert retry(agent, stopped, next=next_).url.startswith("/admin/")


def test_a_list_retry_tells_of_each_row_what_happened(agent: Client, stopped: Operation) -> None:
    waiting = OperationFactory.create(
        package__order_reference="SH-2", next_attempt_at=in_minutes(30)
    )
    done = OperationFactory.create(package__order_reference="SH-3", done=True)

    messages = messages_of(choose(agent, "operation", "retry_now", stopped, waiting, done))

    waiting.refresh_from_db()
    assert waiting.next_attempt_at <= in_minutes(0)
    by_package = {
        row.package.package_id: next(m for m in messages if row.package.package_id in m)
        for row in (stopped, waiting, done)
    }
    assert "is being retried now" in by_package[stopped.package.package_id]
    assert "is being retried now" in by_package[waiting.package.package_id]
    assert "wasn't retried" in by_package[done.package.package_id]
    assert LogEntry.objects.count() == 2


OUTAGES = [
    (ServerFault(status=503), "503 server_fault"),
    (ConnectionFailed("no answer"), "connection_failed"),
    (UnexpectedAnswer("no JSON"), "unexpected_answer"),
    (NotFound(status=404, body={"type": "api_error", "message": "gone"}), "404 api_error"),
]


@pytest.mark.parametrize(("error", "facts"), OUTAGES)
def test_a_failed_refresh_is_a_sentence_with_status_and_type(
    agent: Client, monkeypatch: pytest.MonkeyPatch, error: XCoverError, facts: str
) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    monkeypatch.setattr(refreshing, "refresh", Failing(error))

    answer = refresh(agent, package)

    message = messages_of(answer)[0]
    assert answer.status_code == 302
    assert message.startswith(f"{package.package_id} wasn't refreshed. ")
    assert facts in message
    assert "Traceback" not in message
    logged = LogEntry.objects.get().change_message
    assert facts in logged
    # Without XCover's words, which can repeat what a customer typed.
    assert message.startswith(logged)
    assert "gone" not in logged


def test_a_failed_refresh_repeats_no_token_of_the_vendors(
    agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    link = f"See {SITE}/coi/X?security_token={SECURITY_TOKEN}"
    error = NotFound(status=404, body={"type": "api_error", "message": link})
    monkeypatch.setattr(refreshing, "refresh", Failing(error))

    refresh(agent, package)

    assert SECURITY_TOKEN not in LogEntry.objects.get().change_message


def test_nothing_listens_at_xcovers_address(agent: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetryPolicy, "wait", lambda *_: 0.0)
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    answer = refresh(agent, package)

    assert answer.status_code == 302
    assert "XCover could not be reached" in messages_of(answer)[0]


def test_a_package_of_a_removed_account_says_so(agent: Client) -> None:
    package = QuotePackageFactory.create(account="closed")

    assert "'closed'" in messages_of(refresh(agent, package))[0]


@pytest.mark.parametrize("error", [ServerFault(status=502), AuthenticationFailed(status=403)])
def test_an_outage_ends_a_list_refresh_after_the_first_row(
    agent: Client, monkeypatch: pytest.MonkeyPatch, error: XCoverError
) -> None:
    failing = Failing(error)
    monkeypatch.setattr(refreshing, "refresh", failing)

    answer = choose(
        agent, "quotepackage", "refresh", *(QuotePackageFactory.create() for _ in range(3))
    )

    assert len(failing.asked) == 1
    assert messages_of(answer)[-1] == "2 more were not tried."


def test_one_unknown_package_does_not_end_a_list_refresh(
    agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(NotFound(status=404), NotFound(status=404))
    monkeypatch.setattr(refreshing, "refresh", failing)

    choose(
        agent, "quotepackage", "refresh", QuotePackageFactory.create(), QuotePackageFactory.create()
    )

    assert len(failing.asked) == 2


def test_too_many_packages_at_once_are_refused(
    agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing()
    monkeypatch.setattr(refreshing, "refresh", failing)

    answer = choose(
        agent, "quotepackage", "refresh", *(QuotePackageFactory.create() for _ in range(21))
    )

    assert failing.asked == []
    assert messages_of(answer) == ["Nothing was done: choose at most 20 at a time."]


@pytest.mark.usefixtures("shopper")
def test_a_package_that_xcover_never_knew_stays_as_it_is(agent: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    QuoteFactory.create(package=package)

    answer = refresh(agent, package)

    package.refresh_from_db()
    assert package.total_price == Decimal("6.80")
    assert "XCover does not know this package (404" in messages_of(answer)[0]


def test_a_refresh_brings_in_what_xcover_holds(
    agent: Client, shopper: Shopper, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    package = the_package()
    factory.client_for("default").opt_out(package.package_id, idempotency_key="by-hand")

    answer = refresh(agent, package)

    package.refresh_from_db()
    assert package.status == Status.OPTED_OUT
    assert messages_of(answer) == [LogEntry.objects.get().change_message]
    assert "OPTED_OUT" in messages_of(answer)[0]
