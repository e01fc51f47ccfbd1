"""Webhooks in the admin: who sees them, who has one looked into again, and what nobody sees."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_xcover import signals
from django_xcover.models import WebhookDelivery
from django_xcover.testing.factories import QuotePackageFactory, WebhookDeliveryFactory
from django_xcover.testing.factories.answers import SECURITY_TOKEN
from tests.admin.factories import make_staff
from tests.admin.pressing import action_url, do, messages_of, page_of, text_at

LIST = "/admin/xcover/webhookdelivery/"
PACKAGE = "KXR4W-9PJTC-INS"
State = WebhookDelivery.State


@pytest.fixture
def failed() -> WebhookDelivery:
    """Return a webhook that was given up, with everything in it that nobody should see."""
    policyholder = {"first_name": "Ana", "email": "ana@example.com", "phone": "+44 7700 900123"}
    payload = {
        "id": PACKAGE,
        "status": "CANCELLED",
        "security_token": SECURITY_TOKEN,
        "policyholder": policyholder,
        "email": "ana@example.com",
    }
    return WebhookDeliveryFactory.create(
        package=None,
        failed=True,
        package_id=PACKAGE,
        body={"event": "BOOKING_UPDATED", "payload": payload, "note": "Ana rang"},
        error=f"server_fault: https://xcover.example/account?token={SECURITY_TOKEN}",
    )


def staff(*permissions: str) -> Client:
    """Return the browser of a member of staff with these permissions."""
    client = Client()
    client.force_login(make_staff(*permissions))
    return client


def test_without_permission_nothing_is_seen(failed: WebhookDelivery) -> None:
    client = staff("replay_webhookdelivery")

    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}{failed.pk}/change/").status_code == 403
    assert do(client, failed, "replay").status_code == 403


def test_who_may_only_look_replays_nothing(failed: WebhookDelivery) -> None:
    client = staff("view_webhookdelivery")

    answer = do(client, failed, "replay")

    assert answer.status_code == 403
    assert WebhookDelivery.objects.get().state == State.FAILED
    assert action_url(failed, "replay") not in page_of(client, failed)
    assert "replay_now" not in client.get(LIST).content.decode()


def test_a_get_replays_nothing(failed: WebhookDelivery) -> None:
    client = staff("view_webhookdelivery", "replay_webhookdelivery")

    assert client.get(action_url(failed, "replay")).status_code == 405
    assert WebhookDelivery.objects.get().state == State.FAILED


def test_a_superuser_neither_adds_nor_changes_nor_deletes_one(
    root: Client, failed: WebhookDelivery
) -> None:
    for action in ("change", "delete"):
        answer = root.post(f"{LIST}{failed.pk}/{action}/", {"state": State.PROCESSED})
        assert answer.status_code == 403
    assert root.post(f"{LIST}add/", {"event": "BOOKING_UPDATED"}).status_code == 403
    assert WebhookDelivery.objects.get().state == State.FAILED


def test_a_webhook_that_is_gone_is_a_404() -> None:
    client = staff("view_webhookdelivery", "replay_webhookdelivery")

    assert client.post(f"{LIST}4711/replay/").status_code == 404


def test_no_person_no_token_and_no_link_is_shown(failed: WebhookDelivery) -> None:
    client = staff("view_webhookdelivery", "replay_webhookdelivery")

    for page in (page_of(client, failed), text_at(client, LIST)):
        for secret in ("Ana", "ana@example.com", "900123", SECURITY_TOKEN):
            assert secret not in page


@pytest.mark.parametrize(
    "body",
    [{}, {"event": ["Ana"]}, {"payload": "Ana"}, {"payload": {"id": {"Key": "Ana"}}}],
    ids=["empty", "event", "payload", "id"],
)
def test_of_a_body_like_no_other_no_value_is_shown(failed: WebhookDelivery, body: Any) -> None:
    WebhookDelivery.objects.update(body=body)

    assert "Ana" not in page_of(staff("view_webhookdelivery"), failed)


def test_the_list_and_the_page_say_what_came_and_what_became_of_it(
    failed: WebhookDelivery,
) -> None:
    client = staff("view_webhookdelivery", "view_personal_data")

    listed = client.get(LIST).content.decode()
    page = page_of(client, failed)

    for shown in ("BOOKING_UPDATED", PACKAGE, "failed", "server_fault"):
        assert shown in listed
        assert shown in page
    assert "CANCELLED" in page


def test_without_the_permission_the_kind_of_error_is_shown_and_neither_sentence_nor_body(
    failed: WebhookDelivery,
) -> None:
    client = staff("view_webhookdelivery")

    listed = client.get(LIST).content.decode()
    page = page_of(client, failed)

    for shown in ("BOOKING_UPDATED", PACKAGE, "failed", "server_fault"):
        assert shown in listed
        assert shown in page
    assert "xcover.example" not in listed + page
    assert "CANCELLED" not in page


def test_a_replay_hands_it_over_once_more_and_leaves_a_name(
    failed: WebhookDelivery, django_capture_on_commit_callbacks: Any
) -> None:
    client = staff("view_webhookdelivery", "replay_webhookdelivery")
    handed_over: list[int] = []

    def ready(pk: int, **kwargs: Any) -> None:
        handed_over.append(pk)

    signals.delivery_ready.connect(ready)
    with django_capture_on_commit_callbacks(execute=True):
        answer = do(client, failed, "replay")
    signals.delivery_ready.disconnect(ready)

    row = WebhookDelivery.objects.get()
    assert (row.state, row.failures) == (State.RECEIVED, 0)
    assert handed_over == [row.pk]
    assert messages_of(answer) == [f"Processing BOOKING_UPDATED {PACKAGE} again."]
    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_id) == ("sam", str(row.pk))


def test_several_are_replayed_from_the_list(failed: WebhookDelivery) -> None:
    client = staff("view_webhookdelivery", "replay_webhookdelivery")

    client.post(LIST, {"action": "replay_now", "_selected_action": [failed.pk]})

    assert WebhookDelivery.objects.get().state == State.RECEIVED
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("text", [PACKAGE, PACKAGE.lower(), "SH-1001", "SH-10"])
def test_it_is_found_by_package_and_by_order(failed: WebhookDelivery, text: str) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    package.package_id = PACKAGE
    package.save()

    page = staff("view_webhookdelivery").get(LIST, {"q": text}).content.decode()

    assert "BOOKING_UPDATED" in page


def test_one_of_an_unknown_package_is_found_and_others_are_not(failed: WebhookDelivery) -> None:
    client = staff("view_webhookdelivery")

    assert "BOOKING_UPDATED" in client.get(LIST, {"q": PACKAGE}).content.decode()
    assert "BOOKING_UPDATED" not in client.get(LIST, {"q": "AAAAA-BBBBB-INS"}).content.decode()


def test_failed_ones_are_filtered(failed: WebhookDelivery) -> None:
    client = staff("view_webhookdelivery")

    assert PACKAGE in client.get(LIST, {"state": State.FAILED}).content.decode()
    assert PACKAGE not in client.get(LIST, {"state": State.PROCESSED}).content.decode()


def test_a_page_leads_to_our_package(failed: WebhookDelivery) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    package.package_id = PACKAGE
    package.save()

    page = page_of(staff("view_webhookdelivery"), failed)

    assert f"/admin/xcover/quotepackage/{package.pk}/change/" in page
