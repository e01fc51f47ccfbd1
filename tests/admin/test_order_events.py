"""Unsettled orders in the admin: tried again, or noted as settled by hand."""

from __future__ import annotations

import pytest
from django.test import Client

from django_xcover.models import OrderEvent
from django_xcover.testing.factories import OrderEventFactory
from tests.admin.factories import make_staff

pytestmark = pytest.mark.django_db

State = OrderEvent.State


@pytest.fixture
def event() -> OrderEvent:
    """Return an order that waits for a person."""
    return OrderEventFactory.create(needs_person=True, order_reference="SH-1001")


def page(event: OrderEvent, action: str) -> str:
    return f"/admin/xcover/orderevent/{event.pk}/{action}/"


def test_staff_try_an_order_again(client: Client, event: OrderEvent) -> None:
    client.force_login(make_staff("view_orderevent", "retry_orderevent"))

    client.post(page(event, "retry"))

    event.refresh_from_db()
    assert (event.state, event.attempts) == (State.PENDING, 0)


def test_staff_note_an_order_as_settled_by_hand(client: Client, event: OrderEvent) -> None:
    client.force_login(make_staff("view_orderevent", "give_up_orderevent"))

    client.post(page(event, "give-up"), {"note": "Booked in XCover's portal"})

    event.refresh_from_db()
    assert (event.state, event.given_up) == (State.GIVEN_UP, "Booked in XCover's portal")


@pytest.mark.parametrize("action", ["retry", "give-up"])
def test_who_may_only_look_changes_nothing(client: Client, event: OrderEvent, action: str) -> None:
    client.force_login(make_staff("view_orderevent"))

    answer = client.post(page(event, action), {"note": "x"})

    event.refresh_from_db()
    assert answer.status_code == 403
    assert event.state == State.NEEDS_PERSON


FAILED = "adapter failed"


def test_a_cancellation_kept_for_an_unknown_order_is_not_called_a_failure(client: Client) -> None:
    kept = OrderEventFactory.create(cancelled=True, error="The order is not known yet.")
    client.force_login(make_staff("view_orderevent"))

    page = client.get(f"/admin/xcover/orderevent/{kept.pk}/change/").content.decode()

    assert FAILED not in page
    assert "There is nothing to do" in page


def test_a_settled_event_asks_for_nothing(client: Client) -> None:
    done = OrderEventFactory.create(done=True)
    client.force_login(make_staff("view_orderevent"))

    page = client.get(f"/admin/xcover/orderevent/{done.pk}/change/").content.decode()

    assert FAILED not in page


def test_an_event_that_waits_for_a_person_says_what_to_do(
    client: Client, event: OrderEvent
) -> None:
    client.force_login(make_staff("view_orderevent"))

    page = client.get(f"/admin/xcover/orderevent/{event.pk}/change/").content.decode()

    assert FAILED in page
