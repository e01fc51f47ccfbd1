"""Renewing from the admin: priced, paid or declined."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_xcover.client import ConnectionFailed, ServerFault, UnexpectedAnswer, XCoverError
from django_xcover.models import Operation, OperationState, Renewal
from django_xcover.policies import renewal
from django_xcover.testing.factories import OperationFactory, RenewalFactory
from tests.admin.pressing import action_url, do, messages_of, page_of, page_url

State = Renewal.State


@pytest.fixture
def quoted() -> Renewal:
    """Return a renewal at £7.10 that waits for the customer's money."""
    return RenewalFactory.create(package__two_quotes=True, package__order_reference="SH-1")


def failing(error: Exception) -> Callable[..., Any]:
    """Return what raises `error`, whatever it is called with."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [ServerFault(status=503), ConnectionFailed("no answer"), UnexpectedAnswer("no JSON")]
)
def test_a_price_that_xcover_cannot_give_is_a_sentence(
    clerk: Client, quoted: Renewal, monkeypatch: pytest.MonkeyPatch, error: XCoverError
) -> None:
    monkeypatch.setattr(renewal, "quote", failing(error))

    answer = do(clerk, quoted, "quote")

    assert messages_of(answer)[0].startswith("Nothing was done. XCover")
    assert not LogEntry.objects.exists()


def test_another_amount_than_the_price_renews_nothing(clerk: Client, quoted: Renewal) -> None:
    answer = do(clerk, quoted, "pay", amount="7.01", reference="P-1")

    quoted.refresh_from_db()
    assert "The renewal costs £7.10" in messages_of(answer)[0]
    assert quoted.state == State.QUOTED
    assert not Operation.objects.exists()


def test_a_renewal_without_a_price_cannot_be_paid(clerk: Client) -> None:
    due = RenewalFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-1",
        due=True,
    )

    answer = do(clerk, due, "pay", amount="7.10")

    assert "price of the renewal is not known yet" in messages_of(answer)[0]


def test_a_declined_renewal_cannot_be_paid(clerk: Client) -> None:
    declined = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", state=State.OPTED_OUT
    )

    answer = do(clerk, declined, "pay", amount="7.10")

    assert "has been declined" in messages_of(answer)[0]


def test_a_declined_renewal_is_declined_and_logged_once(clerk: Client, quoted: Renewal) -> None:
    do(clerk, quoted, "decline")
    do(clerk, quoted, "decline")

    assert Operation.objects.filter(kind="renewal_opt_out").count() == 1
    assert LogEntry.objects.count() == 1


def test_a_renewal_is_given_up_only_when_it_is_stuck(clerk: Client, quoted: Renewal) -> None:
    answer = do(clerk, quoted, "give-up")

    quoted.refresh_from_db()
    assert "not waiting for a person" in messages_of(answer)[0]
    assert quoted.state == State.QUOTED


def test_a_paid_renewal_of_which_nobody_knows_offers_no_form_that_would_be_refused(
    clerk: Client,
) -> None:
    paid = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", state=State.PAID
    )
    OperationFactory.create(
        package=paid.package,
        kind="renew",
        subject=str(paid.pk),
        state=OperationState.NEEDS_PERSON,
        outcome_known=False,
        error={"type": "deadline_exceeded", "outcome_known": False},
    )

    assert action_url(paid, "give-up") not in page_of(clerk, paid)


def test_a_paid_renewal_that_xcover_refused_can_be_given_up(clerk: Client) -> None:
    paid = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", state=State.PAID
    )
    operation = OperationFactory.create(
        package=paid.package,
        kind="renew",
        subject=str(paid.pk),
        state=OperationState.NEEDS_PERSON,
        error={"type": "validation_failed", "status": 422},
    )
    assert "Give up the renewal" in page_of(clerk, paid)

    do(clerk, paid, "give-up")

    operation.refresh_from_db()
    paid.refresh_from_db()
    assert (paid.state, operation.state) == (State.EXPIRED, OperationState.DISCARDED)


def test_a_payment_in_the_shop_renews_once_and_shows_how_far_it_is(
    clerk: Client, quoted: Renewal
) -> None:
    first = do(clerk, quoted, "pay", amount="7.10", reference="P-1")
    do(clerk, quoted, "pay", amount="7.10", reference="P-1")

    quoted.refresh_from_db()
    page = page_of(clerk, quoted)
    assert first.url == page_url(quoted)
    assert (quoted.state, quoted.payment_reference) == (State.PAID, "P-1")
    assert Operation.objects.filter(kind="renew").count() == 1
    assert LogEntry.objects.count() == 1
    assert '<meta http-equiv="refresh" content="3">' in page


def test_a_dinar_keeps_its_three_decimals(clerk: Client) -> None:
    quoted = RenewalFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-1",
        currency="KWD",
        price=Decimal("7.105"),
    )

    do(clerk, quoted, "pay", amount="7.105")

    quoted.refresh_from_db()
    assert quoted.state == State.PAID
    assert "7.105" in LogEntry.objects.get().change_message


def test_a_renewal_that_waits_is_a_step_of_the_story(clerk: Client, quoted: Renewal) -> None:
    story = clerk.get("/admin/xcover/quotepackage/order/SH-1/").content.decode()

    assert "the next period costs £7.10" in story
    assert f"/renewal/{quoted.pk}/pay/" in story
