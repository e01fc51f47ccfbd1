"""Payments in parts on the shopper's page, and paying what is due at the shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from django_xcover import exceptions, payments
from django_xcover.exceptions import NothingDue
from django_xcover.models import Instalment, Operation, Quote, Status
from django_xcover.overview.instalments import schedule_of
from django_xcover.overview.policies import policy_rows
from django_xcover.policies import instalments
from django_xcover.sandbox import Sandbox
from django_xcover.types import Due, Money
from tests.account.conftest import Member, page_of, text_of, the_policy
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.policies.renewal.conftest import BOUGHT
from tests.shop import laptop

pytestmark = pytest.mark.django_db
MONTH = timedelta(days=32)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the time for shop and sandbox."""
    with time_machine.travel(BOUGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def schedule(
    clock: time_machine.Traveller, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> list[Instalment]:
    """Return the twelve payments for Ana's laptop's cover, the first of them made."""
    ana.buys(laptop(), now=False)
    Quote.objects.update(instalment_plan="1year-monthly")
    Operation.objects.update(request={})
    work()
    return instalments.mirror(the_package())


def rows(page: Page) -> list[str]:
    """Return the state of each payment in the table."""
    inside = [cell for cell in page.all("td") if cell.inside]
    return [cell.text for cell in inside][1::2]


def the_due(row: Instalment) -> Due:
    found = payments.find("instalment", str(row.pk))
    assert found is not None
    return found


# What is refused


def test_a_payment_that_failed_is_told(ana: Member, schedule: list[Instalment]) -> None:
    instalments.report(schedule[1], paid=False)
    work()

    page = ana.opens(page_of())

    assert "didn't go through" in text_of(page)
    assert rows(page)[:3] == ["Paid", "Payment failed", "To come"]


def test_a_payment_whose_day_has_come_is_overdue(
    ana: Member, schedule: list[Instalment], clock: time_machine.Traveller
) -> None:
    clock.shift(MONTH)

    page = ana.opens(page_of())

    assert f"was due on {schedule[1].period_start_date:%B} 1, 2026." in text_of(page)
    assert rows(page)[:3] == ["Paid", "Overdue", "To come"]
    assert "open" in page.one("details")


@pytest.mark.parametrize("reference", ["0", "-1", "x", "", "9" * 30, "\u0661"])
@pytest.mark.parametrize("kind", ["instalment", "renewal", "modification", "order"])
def test_what_does_not_exist_is_not_due(db: None, kind: str, reference: str) -> None:
    assert payments.find(kind, reference) is None


def test_what_is_paid_is_not_due_again(schedule: list[Instalment]) -> None:
    assert payments.find("instalment", str(schedule[0].pk)) is None


def test_what_is_reported_as_paid_is_not_due_again_before_xcover_knows(
    ana: Member, schedule: list[Instalment]
) -> None:
    payments.record_payment(the_due(schedule[1]))

    assert payments.find("instalment", str(schedule[1].pk)) is None
    assert rows(ana.opens(page_of()))[:3] == ["Paid", "Paid", "Next payment"]


def test_the_list_asks_nobody_for_what_is_reported_as_paid(
    ana: Member, schedule: list[Instalment], clock: time_machine.Traveller
) -> None:
    clock.shift(MONTH)
    assert "Payment overdue" in text_of(ana.opens("/xcover/mycover/"))

    instalments.report(schedule[1], paid=True)

    assert "Payment overdue" not in text_of(ana.opens("/xcover/mycover/"))


def test_what_becomes_of_an_instalment_is_seen_on_its_policys_page(
    schedule: list[Instalment],
) -> None:
    assert payments.page_url(the_due(schedule[1])) == page_of()


def test_what_is_gone_meanwhile_leads_to_the_list(schedule: list[Instalment]) -> None:
    due = the_due(schedule[1])
    Instalment.objects.all().delete()

    assert payments.page_url(due) == "/xcover/mycover/"


def test_nothing_is_due_for_a_cancelled_policy(schedule: list[Instalment]) -> None:
    Quote.objects.update(status=Status.CANCELLED)

    assert payments.find("instalment", str(schedule[1].pk)) is None


def test_a_cancelled_policy_demands_no_payment_anywhere(
    schedule: list[Instalment], ana: Member, clock: time_machine.Traveller
) -> None:
    clock.move_to(BOUGHT + 2 * MONTH)
    Quote.objects.update(status=Status.CANCELLED)

    found = schedule_of(the_policy())

    assert found is not None
    assert (found.is_over, found.next, found.due, found.left_formatted) == (True, 0, None, "£0.00")
    assert {part.state for part in found.parts} == {"paid", "not_due"}
    assert not instalments.overdue().exists()
    assert not any(row.is_overdue for row in policy_rows())  # type: ignore[attr-defined]
    page = ana.opens(page_of(the_policy()))
    assert "No more payments are due" in text_of(page)
    assert "Next payment" not in text_of(page)


@pytest.mark.parametrize("kind", ["instalment", "order"])
def test_another_amount_than_is_due_is_not_recorded(schedule: list[Instalment], kind: str) -> None:
    due = the_due(schedule[1])
    wrong = Due(
        kind=kind,
        reference=due.reference,
        order_reference=due.order_reference,
        label=due.label,
        amount=Money(Decimal(1), "GBP"),
    )

    with pytest.raises(NothingDue, match="nothing to pay"):
        payments.record_payment(wrong)


def test_a_second_payment_of_what_was_due_is_refused(schedule: list[Instalment]) -> None:
    due = the_due(schedule[1])
    payments.record_payment(due, reference="PAY-1")

    with pytest.raises(exceptions.InstalmentPaidTwice):
        payments.record_payment(due, reference="PAY-2")


# How it goes


def test_a_policy_paid_at_once_has_no_payments_to_come(ana: Member) -> None:
    ana.buys()

    assert "Payments" not in [heading.text for heading in ana.opens(page_of()).all("h2")]


def test_the_page_shows_what_is_paid_next_and_left(ana: Member, schedule: list[Instalment]) -> None:
    page = ana.opens(page_of())

    shown = text_of(page)
    assert "Next payment: £" in shown
    assert "on June 1, 2026." in shown
    assert "Paid (1 of 12 payments)" in shown
    assert rows(page) == ["Paid", "Next payment", *["To come"] * 10]


def test_what_is_left_is_the_schedules_own_sum(ana: Member, schedule: list[Instalment]) -> None:
    left = sum((row.total_amount for row in schedule[1:]), Decimal(0))

    assert f"£{left.normalize():.2f}" in text_of(ana.opens(page_of()))


def test_the_shop_collects_what_is_due_and_xcover_is_told_once(
    ana: Member, schedule: list[Instalment], sandbox: Sandbox
) -> None:
    due = the_due(schedule[1])

    assert payments.record_payment(due).pk == payments.record_payment(due).pk
    work()

    schedule[1].refresh_from_db()
    assert due.amount == schedule[1].amount
    assert schedule[1].status == Instalment.Status.PAID
    assert len(sandbox.calls("report_instalment")) == 1


def test_a_shop_with_a_page_to_pay_on_links_to_it(
    ana: Member, schedule: list[Instalment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def url(self: object, request: object, due: Due) -> str:
        return f"/pay/{due.kind}/{due.reference}/"

    monkeypatch.setattr("tests.shop.Adapter.get_payment_url", url, raising=False)

    links = [link["href"] for link in ana.opens(page_of()).all("a")]

    assert f"/pay/instalment/{schedule[1].pk}/" in links


def test_the_last_payment_ends_it(ana: Member, schedule: list[Instalment]) -> None:
    Instalment.objects.update(status=Instalment.Status.PAID)

    assert "All payments have been made." in text_of(ana.opens(page_of()))
    assert the_policy().instalments.count() == 12
