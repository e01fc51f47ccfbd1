"""Instalments reported and e-mails sent again from the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_xcover.models import Instalment, Operation, OperationState, QuotePackage, Status
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import InstalmentFactory, QuotePackageFactory
from tests.admin.factories import in_minutes
from tests.admin.pressing import do, messages_of, page_of, page_url
from tests.conftest import work


@pytest.fixture
def overdue() -> Instalment:
    """Return the second instalment of a policy in force, due since yesterday."""
    quote = QuotePackageFactory.create(
        booked=True, two_quotes=True, order_reference="SH-1"
    ).quotes.all()[0]
    return InstalmentFactory.create(quote=quote, number=2, period_start_date=in_minutes(-60 * 24))


def mails_of(package: QuotePackage) -> Any:
    return Operation.objects.filter(package=package, kind="send_email")


def test_a_paid_instalment_cannot_have_failed(clerk: Client, overdue: Instalment) -> None:
    Instalment.objects.update(status=Instalment.Status.PAID)

    answer = do(clerk, overdue, "failed")

    assert "is paid, so no failed payment" in messages_of(answer)[0]
    assert not Operation.objects.exists()


def test_nothing_is_reported_for_cover_that_is_cancelled(
    clerk: Client, overdue: Instalment
) -> None:
    overdue.quote.status = Status.CANCELLED
    overdue.quote.save()

    answer = do(clerk, overdue, "paid")

    assert "not in force" in messages_of(answer)[0]
    assert "xcover-act" not in page_of(clerk, overdue)


def test_the_same_report_twice_is_one(clerk: Client, overdue: Instalment) -> None:
    do(clerk, overdue, "paid")
    do(clerk, overdue, "paid")

    assert Operation.objects.filter(kind="report_instalment").count() == 1
    assert LogEntry.objects.count() == 1


def test_a_report_shows_how_far_it_is(clerk: Client, overdue: Instalment) -> None:
    answer = do(clerk, overdue, "failed")

    page = page_of(clerk, overdue)
    assert answer.url == page_url(overdue)
    assert "Instalment report" in page.partition('class="xcover-progress"')[2]
    assert '<meta http-equiv="refresh" content="3">' in page


def test_an_overdue_instalment_is_urgent_in_the_story_until_it_is_paid(
    clerk: Client, overdue: Instalment
) -> None:
    story = "/admin/xcover/quotepackage/order/SH-1/"
    before = clerk.get(story).content.decode()
    Instalment.objects.update(status=Instalment.Status.PAID)
    after = clerk.get(story).content.decode()

    assert "1 instalment is overdue (£0.29" in before
    assert "xcover-step-urgent" in before
    assert "overdue" not in after


def test_an_instalment_that_is_reported_as_paid_is_not_to_be_collected_again(
    clerk: Client, overdue: Instalment
) -> None:
    do(clerk, overdue, "paid")

    assert "overdue" not in clerk.get("/admin/xcover/quotepackage/order/SH-1/").content.decode()


def test_the_schedule_stands_on_the_page_of_the_policy(clerk: Client, overdue: Instalment) -> None:
    answer = clerk.get(f"/admin/xcover/policy/{overdue.quote.pk}/change/")

    assert "overdue" in answer.content.decode()
    assert page_url(overdue) in answer.content.decode()


def test_no_e_mail_is_sent_about_what_is_not_booked(clerk: Client) -> None:
    package = QuotePackageFactory.create(ordered=True, two_quotes=True, order_reference="SH-1")

    answer = do(clerk, package, "email")

    assert "this cover is not booked" in messages_of(answer)[0]
    assert not mails_of(package).exists()


def test_the_e_mail_of_a_cancellation_is_no_choice_while_nothing_is_cancelled(
    clerk: Client,
) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")

    answer = do(clerk, package, "email", event="BOOKING_CANCELLED")

    assert "is not one of the available choices" in answer.content.decode()
    assert not mails_of(package).exists()


def test_pressing_twice_sends_one_e_mail(clerk: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")

    do(clerk, package, "email", event="BOOKING_CREATED")
    do(clerk, package, "email", event="BOOKING_CREATED")

    assert mails_of(package).count() == 1


def test_an_e_mail_leads_to_its_operation_and_reaches_xcover(
    clerk: Client, booked: QuotePackage, sandbox: Sandbox
) -> None:
    answer = do(clerk, booked, "email")
    operation = mails_of(booked).get()
    assert answer.url == page_url(operation)
    assert '<meta http-equiv="refresh"' in page_of(clerk, operation)
    work()

    operation.refresh_from_db()
    assert operation.state == OperationState.DONE
    assert len(sandbox.calls("send_email")) == 1
    assert "@" not in LogEntry.objects.get().change_message
