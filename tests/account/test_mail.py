"""Having the policy's documents sent by e-mail once more, from the policy's page."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_xcover.exceptions import SentRecently
from django_xcover.models import (
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.overview import documents
from django_xcover.policies import cancellation, emails
from django_xcover.sandbox import Sandbox
from tests.account.conftest import Member, page_of, text_of, the_policy
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db
ASK = "Send by e-mail again"
ASKED = "The insurer has been asked to send this e-mail."


@pytest.fixture
def insured(ana: Member) -> Member:
    """Return Ana, whose tickets are insured."""
    ana.buys()
    return ana


def asks(member: Member, **fields: Any) -> Any:
    return member.posts(page_of(rest="email/"), **fields)


def asked() -> Any:
    return Operation.objects.filter(kind=OperationKind.SEND_EMAIL)


def sent(sandbox: Sandbox) -> Any:
    return sandbox.package(the_package().package_id)["emails"]


def time_passes(**span: float) -> None:
    for operation in asked():
        earlier = operation.created_at - timedelta(**span)
        Operation.objects.filter(pk=operation.pk).update(created_at=earlier)


def may_ask(member: Member) -> bool:
    return ASK in [button.text for button in member.opens(page_of()).all("button")]


# What is refused


def test_cover_that_is_not_booked_has_nothing_to_send(ana: Member) -> None:
    ana.buys(now=False)

    response = asks(ana)

    assert response.status_code == 409
    errors = Page(response.content).errors
    assert errors == ["Your documents can be sent only while your cover is in force."]
    assert not may_ask(ana)


@pytest.mark.parametrize("status", ["PENDING_PAYMENT", "CANCELLED", "FAILED"])
def test_cover_that_is_not_in_force_has_nothing_to_send(insured: Member, status: str) -> None:
    Quote.objects.update(status=status)

    assert asks(insured).status_code == 409
    assert not asked().exists()
    assert not may_ask(insured)


def test_a_policy_of_a_booking_that_is_cancelled_has_nothing_to_send(insured: Member) -> None:
    QuotePackage.objects.update(status="CANCELLED")

    assert asks(insured).status_code == 409


def test_cover_that_is_being_cancelled_has_nothing_to_send(insured: Member) -> None:
    cancellation.cancel_now(the_package(), origin=Cancellation.Origin.STAFF)

    assert asks(insured).status_code == 409
    assert not may_ask(insured)


def test_a_look_sends_nothing(insured: Member) -> None:
    assert insured.gets(page_of(rest="email/")).status_code == 405
    assert not asked().exists()


def test_somebody_else_has_nothing_sent(insured: Member, bob: Member) -> None:
    assert asks(bob).status_code == 404
    assert not asked().exists()


def test_another_address_cannot_be_named(insured: Member, sandbox: Sandbox) -> None:
    asks(insured, email="eve@example.com", address="eve@example.com")
    work()

    [call] = sandbox.calls("send_email")
    assert "eve" not in str(call)
    assert sent(sandbox) == ["BOOKING_CREATED"]


def test_soon_after_it_was_sent_it_is_not_sent_again(insured: Member, sandbox: Sandbox) -> None:
    asks(insured)
    work()

    response = asks(insured)

    assert response.status_code == 429
    assert Page(response.content).errors[0].startswith(ASKED)
    work()
    assert sent(sandbox) == ["BOOKING_CREATED"]


def test_what_staff_have_just_sent_is_not_sent_again(insured: Member) -> None:
    emails.send_again(the_package(), emails.CREATED)
    work()

    assert asks(insured).status_code == 429


def test_an_email_about_something_else_holds_nothing_up(insured: Member) -> None:
    emails.send_again(the_package(), emails.UPDATED)
    work()

    assert asks(insured).status_code == 303


def test_five_a_day_are_enough(insured: Member, sandbox: Sandbox) -> None:
    for _ in range(5):
        assert asks(insured).status_code == 303
        work()
        time_passes(hours=1)

    response = asks(insured)

    assert response.status_code == 429
    assert len(sent(sandbox)) == 5
    assert not may_ask(insured)
    time_passes(hours=20)
    assert asks(insured).status_code == 303


# How it goes


def test_the_page_says_where_the_documents_go_and_offers_to_send_them_again(
    insured: Member,
) -> None:
    page = insured.opens(page_of())

    assert "The insurer e-mails them to ana@example.com." in text_of(page)
    assert may_ask(insured)


def test_asking_sends_them_and_the_page_says_so(insured: Member, sandbox: Sandbox) -> None:
    response = asks(insured)

    assert response.status_code == 303
    assert response["Location"] == page_of() + "#documents"
    assert sandbox.calls("send_email") == [], "a worker asks XCover"
    told = "We've asked the insurer to e-mail your documents to ana@example.com."
    assert told in text_of(insured.opens(page_of()))
    work()
    assert told in text_of(insured.opens(page_of()))
    assert sent(sandbox) == ["BOOKING_CREATED"]
    assert not may_ask(insured)


def test_a_form_sent_twice_sends_one(insured: Member) -> None:
    assert [asks(insured).status_code, asks(insured).status_code] == [303, 303]

    assert asked().count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_forms_at_once_send_one(insured: Member) -> None:
    start = threading.Barrier(8)
    told: list[Any] = []

    def one() -> None:
        start.wait(timeout=60)
        try:
            told.append(documents.send(the_policy()).state)
        except Exception as error:  # noqa: BLE001 - told by the assertion
            told.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told == ["sending"] * 8
    assert asked().count() == 1


def test_after_a_quarter_of_an_hour_it_can_be_asked_for_again(
    insured: Member, sandbox: Sandbox
) -> None:
    asks(insured)
    work()
    time_passes(minutes=15)

    assert may_ask(insured)
    assert asks(insured).status_code == 303
    work()
    assert sent(sandbox) == ["BOOKING_CREATED"] * 2


def test_one_that_is_still_on_its_way_is_not_asked_for_a_second_time(
    insured: Member, sandbox: Sandbox
) -> None:
    sandbox.faults.add("send_email", "status", times=None, status=503)
    asks(insured)
    work()
    time_passes(hours=2)

    assert not may_ask(insured)
    assert asks(insured).status_code == 303
    assert asked().count() == 1


def test_one_that_needs_a_person_says_so(insured: Member) -> None:
    asks(insured)
    asked().update(state=OperationState.NEEDS_PERSON)
    time_passes(hours=2)

    text = text_of(insured.opens(page_of()))

    assert "hasn't been sent yet. We're looking into it" in text
    assert not may_ask(insured)


def test_one_that_xcover_refuses_says_so_and_can_be_tried_later(
    insured: Member, sandbox: Sandbox
) -> None:
    sandbox.faults.add("send_email", "status", status=422, body={"errors": ["No"]})
    asks(insured)
    work()

    text = text_of(insured.opens(page_of()))

    assert "The insurer didn't send the e-mail with your documents." in text
    assert not may_ask(insured)
    time_passes(minutes=15)
    assert may_ask(insured)


def test_a_booking_of_two_policies_sends_one_for_both(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    first, second = Quote.objects.order_by("position")
    ana.posts(page_of(first, "email/"))
    work()

    assert ana.posts(page_of(second, "email/")).status_code == 429


def test_an_address_that_is_not_known_is_not_named(insured: Member) -> None:
    package = the_package()
    package.payload["policyholder"] = {"email": None}
    package.save()

    assert "The insurer e-mails them to you." in text_of(insured.opens(page_of()))
    asks(insured)
    told = "We've asked the insurer to e-mail you your documents."
    assert told in text_of(insured.opens(page_of()))


def test_the_time_that_is_named_is_the_readers() -> None:
    with timezone.override("Pacific/Auckland"):
        told = str(SentRecently(datetime(2030, 1, 21, 18, 30, tzinfo=UTC)))

    assert "From Jan. 22, 2030, 7:30 a.m. you can ask for it again." in told
