"""What shoppers did with their cover, as XCover, the mirror and they themselves have it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django_xcover.models import Attention, Cancellation, OperationKind, QuotePackage
from django_xcover.models.status import UNFINISHED
from tests.chaos.explaining import Reasons
from tests.chaos.findings import Findings
from tests.chaos.shoppers import Purchase
from tests.chaos.truth import Truth
from tests.chaos.wishes import AfterSale, Wish

# By these flags a person knows that cover was paid for and never booked.
RETURNED_FOR = (Attention.POLICY_MISSING, Attention.BOOKING_FAILED)


class Aftermath:
    """Notes in `found` what became of cancellations, changes and renewals."""

    def __init__(self, truth: Truth, reasons: Reasons, found: Findings) -> None:
        self._truth = truth
        self._reasons = reasons
        self._found = found

    def check(self, purchase: Purchase, package: QuotePackage) -> None:
        """Look at one order: what was done must show, and what was not asked for must not."""
        number, later, held = purchase.order_number, purchase.later, self._held(package)
        if later.wish == Wish.CANCEL and later.done:
            self._check_cancelled(number, later, package)
        if later.wish == Wish.CHANGE and later.done:
            self._check_changed(number, later, package, held)
        if later.wish == Wish.RENEW and later.done:
            self._check_renewed(number, later, package, held)
        if later.wish == Wish.TELEPHONE and later.done:
            self._check_telephoned(number, package)
        self._check_once(number, later, package, held)

    def _held(self, package: QuotePackage) -> dict[str, Any]:
        return self._truth.packages[package.package_id]

    def _waits(self, package: QuotePackage, kind: OperationKind, flag: str = "") -> bool:
        """Return whether just this waits for a person or a worker, or was flagged as refused."""
        unfinished = package.operations.filter(kind=kind, state__in=UNFINISHED)
        return unfinished.exists() or flag in self._reasons.flags(package)

    def _check_cancelled(self, number: str, later: AfterSale, package: QuotePackage) -> None:
        """What was cancelled is cancelled, for the refund that was shown, in all three places."""
        policies = [self._truth.quote(package.package_id, one) for one in later.policies]
        if all(policy["status"] == "CANCELLED" for policy in policies):
            self._found.cancelled.add(number)
        elif not self._waits(package, OperationKind.CANCEL, Attention.CANCELLATION_REFUSED):
            self._found.cancel_lost.add(number)
        if number not in self._found.cancelled:
            return
        paid_back = sum((policy["refund"] for policy in policies), Decimal(0))
        ledger = [row.total_refund for row in _confirmed(package)]
        # A cancellation whose answers were all lost waits for a person with its refund, and is
        # counted as tried out: nothing is recorded yet, which is not another amount.
        is_recorded = bool(ledger) or not self._waits(package, OperationKind.CANCEL)
        if paid_back != later.amount or (is_recorded and ledger != [later.amount]):
            self._found.refund_differs.add(number)

    def _check_telephoned(self, number: str, package: QuotePackage) -> None:
        """What was cancelled at XCover is known here by its webhook, and a person knows of it.

        Of a booking without any policy there was nothing to cancel, and no refund can be unclear. A
        person knows by another flag that the premium is owed.
        """
        self._found.telephoned.add(number)
        ended = [one for one in self._held(package)["quotes"] if one["status"] == "CANCELLED"]
        known = {Attention.REFUND_UNCLEAR} if ended else {*RETURNED_FOR}
        if package.status != "CANCELLED" or not known & self._reasons.flags(package):
            self._found.telephone_lost.add(number)

    def _check_changed(
        self, number: str, later: AfterSale, package: QuotePackage, held: dict[str, Any]
    ) -> None:
        """What was paid for a change is what XCover has taken for it."""
        if sum((policy["settled"] for policy in held["quotes"]), Decimal(0)) == later.amount:
            self._found.changed.add(number)
        elif not self._waits(package, OperationKind.MODIFY, Attention.CHANGE_REFUSED):
            self._found.change_lost.add(number)

    def _check_renewed(
        self, number: str, later: AfterSale, package: QuotePackage, held: dict[str, Any]
    ) -> None:
        """A paid renewal is one new period in force, at the price that was paid."""
        new = [one for one in held["quotes"] if one["renewed_times"]]
        if new and all(policy["status"] == "CONFIRMED" for policy in new):
            self._found.renewed.add(number)
        elif not self._waits(package, OperationKind.RENEW):
            self._found.renewal_lost.add(number)
        price = sum((policy["price"] for policy in new), Decimal(0))
        known = Attention.PRICE_DIFFERS in self._reasons.flags(package)
        if number in self._found.renewed and price != later.amount and not known:
            self._found.wrong_price.add(number)

    def _check_once(
        self, number: str, later: AfterSale, package: QuotePackage, held: dict[str, Any]
    ) -> None:
        """Nothing happened twice, and nothing that nobody asked for."""
        twice = self._truth.posted_twice
        rows = _confirmed(package)
        named = [quote.pk for row in rows for quote in row.quotes.all()]
        again = len(named) > len(set(named)) or bool(rows and not later.asked)
        if again or package.package_id in twice["confirm_cancellation"]:
            self._found.cancel_duplicated.add(number)
        if package.package_id in twice["confirm_modification"]:
            self._found.change_lost.add(number)
        renewals = [one for one in held["renewals"].values() if one["confirmed_at"]]
        again = len(renewals) > 1 or bool(renewals and not later.asked)
        if again or package.package_id in twice["confirm_renewal"]:
            self._found.renewal_duplicated.add(number)


def _confirmed(package: QuotePackage) -> list[Cancellation]:
    rows = package.cancellations.filter(state=Cancellation.State.CONFIRMED)
    return list(rows.prefetch_related("quotes"))
