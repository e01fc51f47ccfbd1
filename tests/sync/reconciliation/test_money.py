"""The sums of a report are those of the two sides: no difference unlisted, none listed twice."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from django_xcover.client.schemas.packages import PackageAnswer, booking_from_wire
from django_xcover.models import Choice, Discrepancy, Operation, Quote, QuotePackage, Status
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import diff
from django_xcover.sync.reconciliation import report as reports
from django_xcover.sync.reconciliation.diff import Finding, Ours
from tests.sync.reconciliation.conftest import Buy, forget

pytestmark = pytest.mark.every_engine

Kind = Discrepancy.Kind
PACKAGE = "KXR4W-9PJTC-INS"
AT_XCOVER = ("CONFIRMED", "PENDING_PAYMENT", "CANCELLED", "RENEWED", "RECEIVED", None)
PRICES = st.integers(min_value=0, max_value=10**7).map(lambda pennies: Decimal(pennies) / 100)


def one_policy(draw: st.DrawFn, position: int) -> tuple[Quote, dict[str, Any] | None]:
    """Draw a policy as it stands here, and on the wire."""
    price, chosen = draw(PRICES), draw(st.none() | PRICES)
    there = draw(st.sampled_from(AT_XCOVER))
    quote = Quote(
        quote_id=str(UUID(int=position + 1)),
        # The mirror knows no less than XCover: what differs in status is no difference in money.
        status=there or "RECEIVED",
        choice=draw(st.sampled_from(["", Choice.ACCEPTED, Choice.DECLINED, Choice.WITHDRAWN])),
        price=price,
        chosen_price=chosen,
    )
    if there is None:
        return quote, None
    its = draw(st.just(price) | PRICES)
    policy = {"policy_type": "event", "policy_name": "Cover"}
    wire = {"id": quote.quote_id, "status": there, "price": str(its), "policy": policy}
    return quote, wire


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Ours, PackageAnswer | None]:
    """Draw a package here and the same at XCover, which agree on its status and currency.

    XCover may hold a policy more in it than is known here.
    """
    policies = [one_policy(draw, n) for n in range(draw(st.integers(min_value=1, max_value=4)))]
    status = draw(st.sampled_from(["CONFIRMED", "CANCELLED", "PENDING_PAYMENT", "RECEIVED"]))
    currency = draw(st.sampled_from(["GBP", "EUR"]))
    package = QuotePackage(
        package_id=PACKAGE,
        status=status,
        currency=currency,
        total_price=Decimal(9),
        order_reference="ORD-1",
    )
    ours = Ours(
        package=package,
        quotes=tuple(quote for quote, _ in policies[draw(st.sampled_from([0, 0, 1])) :]),
        is_paid=draw(st.sampled_from([True, False, None])),
        in_hand=False,
    )
    if draw(st.booleans()):
        return ours, None
    wire = {"id": PACKAGE, "status": status, "currency": currency}
    return ours, booking_from_wire(wire | {"quotes": [wire for _, wire in policies if wire]})


def held(theirs: PackageAnswer | None) -> Decimal:
    """Return what XCover holds in force."""
    quotes = theirs.quotes if theirs else ()
    return sum((one.price for one in quotes if one.status == Status.CONFIRMED), Decimal(0))


def owed(ours: Ours, theirs: PackageAnswer | None) -> Decimal:
    """Return what was paid for cover that should be in force, worked out quote by quote.

    Nobody owes cover for an order that is not paid. Where nobody can tell, what is in force counts
    as paid. A policy that is over is on neither side: then its refund is what counts.
    """
    there = {one.quote_id: one.status for one in theirs.quotes} if theirs else {}
    total = Decimal(0)
    for quote in ours.quotes:
        status = there.get(quote.quote_id)
        is_over = status in {"CANCELLED", "RENEWED"}
        is_owed = ours.is_paid or (ours.is_paid is None and status == "CONFIRMED")
        # A renewed policy may have a price that was paid and no choice.
        was_chosen = quote.choice == Choice.ACCEPTED or (not quote.choice and quote.chosen_price)
        if was_chosen and is_owed and not is_over:
            total += quote.price if quote.chosen_price is None else quote.chosen_price
    return total


@given(world=worlds())
def test_what_is_listed_is_what_xcover_holds_less_what_was_paid(
    world: tuple[Ours, PackageAnswer | None],
) -> None:
    ours, theirs = world

    found = [one for one in diff.compare(ours, theirs) if one.kind != Kind.STATUS_DIFFERS]

    assert sum((reports.difference(one) for one in found), Decimal(0)) == held(theirs) - owed(
        ours, theirs
    )


@given(world=worlds())
def test_nothing_is_listed_twice_and_nothing_at_stake_is_less_than_it_differs(
    world: tuple[Ours, PackageAnswer | None],
) -> None:
    found = [one for one in diff.compare(*world) if one.kind != Kind.STATUS_DIFFERS]

    quotes = [one.quote_id for one in found]
    assert len(quotes) == len(set(quotes))
    assert all(one.at_stake == abs(reports.difference(one)) for one in found)


def in_two_currencies(is_paid: bool | None = True) -> list[Finding]:
    """Return what differs for £7.89 here that is €9.10 at XCover."""
    quote_id = str(UUID(int=1))
    package = QuotePackage(
        package_id=PACKAGE, status="CONFIRMED", currency="GBP", total_price=Decimal("7.89")
    )
    quote = Quote(quote_id=quote_id, status="CONFIRMED", choice="accepted", price=Decimal("7.89"))
    wire = {"id": quote_id, "status": "CONFIRMED", "price": "9.10", "policy": {}}
    booking = {"id": PACKAGE, "status": "CONFIRMED", "currency": "EUR", "quotes": [wire]}
    ours = Ours(package=package, quotes=(quote,), is_paid=is_paid, in_hand=False)
    return diff.compare(ours, booking_from_wire(booking))


def test_euros_are_not_taken_from_pounds() -> None:
    [one] = in_two_currencies()

    assert (one.kind, one.currency, one.at_stake) == (Kind.PRICE_DIFFERS, "GBP", Decimal("7.89"))
    assert (one.theirs, one.here, one.there) == (None, "GBP", "EUR")
    assert reports.difference(one) == 0


def test_unpaid_cover_in_another_currency_is_told_in_that_currency() -> None:
    unpaid = [one for one in in_two_currencies(is_paid=False) if one.kind == Kind.NOT_PAID]

    assert [(one.currency, one.theirs) for one in unpaid] == [("EUR", Decimal("9.10"))]


@pytest.mark.django_db
def test_cover_in_force_that_nobody_chose_is_found_and_says_what_to_do(buy: Buy) -> None:
    package = buy()
    Quote.objects.filter(package=package).update(choice=Choice.DECLINED)

    report = reconciliation.reconcile("default")

    row = Discrepancy.objects.get()
    assert (row.kind, row.quote_id) == (Kind.NOT_PAID, package.quotes.get().quote_id)
    assert row.at_stake == package.quotes.get().price
    [line] = report.lines
    assert line.difference.amount == row.at_stake


@pytest.mark.django_db
def test_the_report_adds_up_to_both_lists(buy: Buy, sandbox: Sandbox) -> None:
    for number in range(1, 4):
        if number == 2:
            sandbox.faults.add("create_booking", "wrong_price")
        buy(number)
    stranger = buy(4)
    buy(5, booked=False)
    Operation.objects.filter(package__order_reference="ORD-5").update(state="needs_person")
    there = sum((one.price for one in Quote.objects.filter(status="CONFIRMED")), Decimal(0))
    forget(stranger)
    accepted = Quote.objects.filter(choice=Choice.ACCEPTED)
    here = sum((one.chosen_price or one.price for one in accepted), Decimal(0))

    report = reconciliation.reconcile("default")

    kinds = {line.kind for line in report.lines}
    assert kinds == {Kind.NOT_COVERED, Kind.PRICE_DIFFERS, Kind.UNKNOWN}
    [total] = report.totals
    assert total.difference.amount == there - here
    assert total.at_stake.amount == sum(line.at_stake.amount for line in report.lines)


@pytest.mark.django_db
def test_the_command_prints_the_totals_of_each_currency(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    package = buy()
    row = package.quotes.get()
    assert row.chosen_price is not None
    differs = (row.price - row.chosen_price).normalize()

    out = StringIO()
    call_command("xcover_reconcile", "--json", stdout=out)
    [report] = json.loads(out.getvalue())
    printed = StringIO()
    call_command("xcover_reconcile", stdout=printed)

    [total] = report["totals"]
    assert (total["currency"], total["difference"]) == ("GBP", f"{differs:f}")
    assert [line["difference"] for line in report["discrepancies"]] == [f"{differs:f}"]
    assert "total in GBP" in printed.getvalue()
    assert "more at XCover" in printed.getvalue()


@pytest.mark.parametrize(("status", "held"), [("CONFIRMED", "12.50"), ("CANCELLED", "0")])
def test_an_unknown_booking_counts_with_its_total_while_it_is_in_force(
    status: str, held: str
) -> None:
    wire = {"id": PACKAGE, "status": status, "currency": "GBP", "total_price": "12.50"}

    found = diff.unknown(booking_from_wire(wire | {"quotes": []}))

    assert found.at_stake == Decimal("12.50")
    assert reports.difference(found) == Decimal(held)


def test_each_currency_has_a_total_of_its_own() -> None:
    report = reports.Report(account="default")
    for currency, price in (("GBP", "3.40"), ("EUR", "5.00"), ("GBP", "0.10")):
        amount = Decimal(price)
        is_ours = currency == "EUR"
        found = Finding(
            kind=Kind.NOT_COVERED if is_ours else Kind.UNKNOWN,
            package_id=PACKAGE,
            currency=currency,
            ours=amount if is_ours else None,
            theirs=None if is_ours else amount,
            at_stake=amount,
            there="CONFIRMED",
        )
        report.add([found])
    report.lines = reports.lines_found(report)

    sums: dict[str, tuple[Any, ...]] = defaultdict(tuple)
    for total in report.totals:
        sums[total.at_stake.currency] = (
            total.count,
            total.at_stake.amount,
            total.difference.amount,
        )
    assert sums == {
        "EUR": (1, Decimal("5.00"), Decimal("-5.00")),
        "GBP": (2, Decimal("3.50"), Decimal("3.50")),
    }
