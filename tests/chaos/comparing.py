"""Shop, mirror and sandbox side by side: three witnesses of the same orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from django_xcover.models import Attention, Hold, OperationKind, OperationState, QuotePackage
from example_shop.models import Order, WalletPayment
from tests.chaos.aftermath import Aftermath
from tests.chaos.explaining import Reasons, is_tried_out
from tests.chaos.findings import Findings
from tests.chaos.history import History
from tests.chaos.shoppers import Purchase
from tests.chaos.truth import BOOKED, Truth

SOLD = {"CONFIRMED", "CANCELLED", "RENEWED"}
# Flags of a booking whose price is not the one that was paid.
OF_PRICE = {Attention.PRICE_DIFFERS, Attention.POLICY_MISSING, Attention.BOOKING_FAILED}
WAITING = {OperationState.PENDING, OperationState.RUNNING}


def compare(truth: Truth, history: History, purchases: list[Purchase], *, lies: int) -> Findings:
    """Return what the witnesses say about each order."""
    return Comparison(truth, history, purchases, Reasons(truth, history, lies=lies)).make()


class Comparison:
    """One run's orders, one after the other."""

    def __init__(
        self, truth: Truth, history: History, purchases: list[Purchase], reasons: Reasons
    ) -> None:
        self._truth = truth
        self._history = history
        self._reasons = reasons
        self._purchases = {purchase.order_number: purchase for purchase in purchases}
        packages = QuotePackage.objects.exclude(order_reference="").prefetch_related("operations")
        self._mirror = {package.order_reference: package for package in packages}
        self._found = Findings()

    def make(self) -> Findings:
        """Look at everything."""
        for number, package in self._mirror.items():
            self._look_for_people(number, package)
        for order in Order.objects.all():
            self._check(order, self._mirror.get(order.number))
        for number, package in self._mirror.items():
            self._check_mirror(number, package)
        aftermath = Aftermath(self._truth, self._reasons, self._found)
        for number, purchase in self._purchases.items():
            if number in self._mirror:
                aftermath.check(purchase, self._mirror[number])
        self._check_shoppers()
        self._check_wallets()
        self._found.status_went_back |= set(self._history.went_back)
        return self._found

    def _look_for_people(self, number: str, package: QuotePackage) -> None:
        operations = list(package.operations.all())
        waiting = [one for one in operations if one.state == OperationState.NEEDS_PERSON]
        flags = self._reasons.flags(package)
        if Attention.PRICE_DIFFERS in flags:
            self._found.price_flagged.add(number)
        if waiting or flags:
            self._found.needs_person.add(number)
            errors = [f"{one.kind}: {one.error.get('type')}" for one in waiting]
            self._found.reasons.add(f"{number}: {', '.join(sorted(flags) + errors)}")
            refused = [one for one in waiting if not is_tried_out(one)]
            if len(refused) < len(waiting):
                self._found.tried_out.add(number)
            if not self._reasons.explain(package, refused):
                self._found.unexplained.add(number)
        # What waits behind an operation that needs a person waits for that person as well.
        if not waiting and any(one.state in WAITING for one in operations):
            self._found.stuck.add(number)

    def _check(self, order: Order, package: QuotePackage | None) -> None:
        if order.premium is not None and order.paid_at:
            self._check_cover(order)
        elif order.premium is not None and package is not None:
            self._check_unpaid(order, package)
        elif order.premium is None and package is not None:
            self._check_opt_out(package)
        elif order.premium is None and self._truth.by_order[order.number]:
            self._found.duplicated.add(order.number)  # booked for somebody who did not want it

    def _check_cover(self, order: Order) -> None:
        """An order whose cover is paid has exactly one booking, at the price that was paid."""
        number, found = order.number, self._found
        found.paid_with_cover.add(number)
        if self._was_booked_early(order):
            found.booked_unpaid.add(number)
        bookings = self._truth.by_order[number]
        if len(bookings) == 1 and self._is_in_force(number, bookings[0]):
            found.booked.add(number)
        elif not found.is_open(number):
            found.lost.add(number)
        if len(bookings) > 1 or _ids(bookings) & self._truth.posted_twice["create_booking"]:
            found.duplicated.add(number)
        if number in found.booked and not self._is_right(order, bookings[0]):
            found.wrong_price.add(number)

    def _was_booked_early(self, order: Order) -> bool:
        """Return whether the booking as paid was written before the money came."""
        package, paid_at = self._mirror.get(order.number), order.paid_at
        if package is None or paid_at is None:
            return False
        operations = package.operations.all()
        as_paid = [one for one in operations if one.kind == OperationKind.BOOK and not one.subject]
        return any(one.created_at < paid_at for one in as_paid)

    def _check_unpaid(self, order: Order, package: QuotePackage) -> None:
        """An order that nobody paid was never covered, and has nothing left when it is cancelled.

        At XCover a booking may go on waiting for a payment that no longer comes.
        Cover that is cancelled with its order was in force all the same, if it was confirmed.
        """
        number = order.number
        self._found.unpaid_with_cover.add(number)
        changes = self._history.changes["quotepackage.status", package.pk]
        held = self._truth.packages[package.package_id]["status"]
        if held == "CONFIRMED" or any(change.endswith(" to CONFIRMED") for change in changes):
            self._found.booked_unpaid.add(number)
        purchase = self._purchases.get(number)
        is_cancelled = purchase is not None and purchase.shop_cancels
        if is_cancelled and (held == "CONFIRMED" or package.quotes.accepted().exists()):
            self._found.order_not_cancelled.add(number)

    def _is_in_force(self, number: str, booking: dict[str, Any]) -> bool:
        """Return whether the booking stands, or was cancelled by its shopper."""
        purchase = self._purchases.get(number)
        wanted = set(purchase.later.policies) if purchase is not None else set()
        gone = {one["id"] for one in booking["quotes"] if one["status"] == "CANCELLED"}
        return booking["status"] in {"CONFIRMED", "CANCELLED"} and gone <= wanted

    def _is_right(self, order: Order, booking: dict[str, Any]) -> bool:
        """Return whether the price is the one that was paid, or a person knows that it is not."""
        if self._reasons.flags(self._mirror[order.number]) & OF_PRICE:
            return True  # a person knows, and whether rightly so is looked at elsewhere
        sold = [one for one in booking["quotes"] if not one["renewed_times"]]
        # A change that the shopper paid for has moved the price, and says by how much.
        price = sum((q["price"] - q["settled"] for q in sold if q["status"] in SOLD), Decimal(0))
        return price == order.premium

    def _check_opt_out(self, package: QuotePackage) -> None:
        """An order to which cover was offered, and not taken, is opted out and nothing else."""
        number = package.order_reference
        status = self._truth.packages[package.package_id]["status"]
        if status == "OPTED_OUT":
            self._found.opted_out.add(number)
        elif status in BOOKED:
            self._found.duplicated.add(number)
        elif not self._found.is_open(number):
            self._found.opt_out_missing.add(number)

    def _check_mirror(self, number: str, package: QuotePackage) -> None:
        """The mirror shows what XCover holds, unless it waits for a person or a worker."""
        if self._found.is_open(number):
            return
        held = self._truth.packages[package.package_id]
        policies = {one["id"]: one for one in held["quotes"] if one["status"] in BOOKED}
        here = {one.quote_id: one for one in package.quotes.booked()}
        same = all(
            quote_id in here and here[quote_id].status == policy["status"]
            for quote_id, policy in policies.items()
        )
        if package.status != held["status"] or not same:
            self._found.mirror_differs.add(number)
            return
        # Of what is cancelled the refund counts, and that is compared with what was shown.
        in_force = [one for one in policies.values() if one["status"] != "CANCELLED"]
        if any(here[one["id"]].price != one["price"] for one in in_force):
            self._found.wrong_price.add(number)

    def _check_shoppers(self) -> None:
        """What shoppers were told is what the shop has on record."""
        orders = {order.number: order for order in Order.objects.all()}
        for number, purchase in self._purchases.items():
            order = orders.get(number)
            told = (purchase.paid, purchase.premium)
            if purchase.paid and (order is None or (bool(order.paid_at), order.premium) != told):
                self._found.shopper_differs.add(number)

    def _check_wallets(self) -> None:
        """What was charged first has its order, and what was only held is held no longer."""
        charged = WalletPayment.objects.exclude(paid_at=None).filter(order=None)
        self._found.charged_without_order |= set(charged.values_list("cart_reference", flat=True))
        left = Hold.objects.overdue(timezone.now())
        self._found.hold_left |= set(left.values_list("cart_reference", flat=True))


def _ids(bookings: list[dict[str, Any]]) -> set[str]:
    return {booking["id"] for booking in bookings}
