"""XCover's e-mails, sent again."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Operation, OperationState, QuotePackage
from django_xcover.outbox import operations
from django_xcover.policies import emails
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()


def sent(sandbox: Sandbox) -> Any:
    """Return the e-mails XCover has sent again."""
    return sandbox.package(the_package().package_id)["emails"]


def test_a_quote_has_no_emails(shopper: Shopper) -> None:
    shopper.sees()

    with pytest.raises(exceptions.NotBooked) as refused:
        emails.send_again(the_package())

    sentence = "XCover writes about booked cover only, and this cover is not booked."
    assert str(refused.value) == sentence


def test_the_email_about_a_cancellation_needs_one(booked: QuotePackage) -> None:
    with pytest.raises(exceptions.EmailTooEarly) as refused:
        emails.send_again(booked, emails.CANCELLED)

    sentence = "The e-mail about the cancellation can be sent once the booking is cancelled."
    assert str(refused.value) == sentence


@pytest.mark.parametrize("event", ["booking_created", "BOOKING CREATED", ":", "A" * 41])
def test_what_is_no_name_of_an_event_is_refused(booked: QuotePackage, event: str) -> None:
    with pytest.raises(exceptions.UnknownEmail, match="no e-mail of this name"):
        emails.send_again(booked, event)


def test_an_email_xcover_refuses_holds_up_nothing(booked: QuotePackage, sandbox: Sandbox) -> None:
    refused = emails.send_again(booked, "BOOKING_LOST")
    other = emails.send_again(booked)
    work()

    refused.refresh_from_db()
    other.refresh_from_db()
    assert refused.state == OperationState.DISCARDED
    assert refused.error["status"] == 422
    assert other.state == OperationState.DONE


def test_an_impatient_double_click_sends_one(booked: QuotePackage, sandbox: Sandbox) -> None:
    assert emails.send_again(booked) == emails.send_again(booked)
    work()

    assert sent(sandbox) == ["BOOKING_CREATED"]


def test_asked_for_later_it_is_sent_once_more(booked: QuotePackage, sandbox: Sandbox) -> None:
    for _ in range(3):
        emails.send_again(booked, emails.UPDATED)
        work()

    assert sent(sandbox) == ["BOOKING_UPDATED"] * 3
    assert Operation.objects.filter(kind="send_email", state=OperationState.DONE).count() == 3


def test_each_event_is_its_own_email(booked: QuotePackage, sandbox: Sandbox) -> None:
    emails.send_again(booked, emails.CREATED)
    emails.send_again(booked, emails.UPDATED)
    work()

    assert sent(sandbox) == ["BOOKING_CREATED", "BOOKING_UPDATED"]


def test_a_cancelled_booking_has_its_own_email(booked: QuotePackage, sandbox: Sandbox) -> None:
    factory.client_for("default").cancel_booking(booked.package_id, idempotency_key="x")
    package = refresh.refresh(booked)

    emails.send_again(package, emails.CANCELLED)
    work()

    assert sent(sandbox) == ["BOOKING_CANCELLED"]


def test_a_persons_retry_sends_the_same_email(booked: QuotePackage, sandbox: Sandbox) -> None:
    operation = emails.send_again(booked, emails.UPDATED)
    sandbox.faults.add("send_email", "status", status=403)
    work()
    operation.refresh_from_db()
    assert operation.state == OperationState.NEEDS_PERSON

    operations.retry(operation)
    work()

    assert sent(sandbox) == ["BOOKING_UPDATED"]
