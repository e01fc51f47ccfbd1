"""Shop, mirror and sandbox side by side: three witnesses of the same orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django_xcover.models import Attention, Operation, OperationState, QuotePackage
from django_xcover.sandbox import Sandbox
from example_shop.models import Order
from tests.chaos.shoppers import Purchase

BOOKED = {"PENDING_PAYMENT", "CONFIRMED", "CANCELLED", "RENEWED"}
REFUSED_POLICY = {Attention.POLICY_MISSING, Attention.BOOKING_FAILED}


@dataclass
class Findings:
    """Order numbers, or package ids, by what is true of them."""

    paid_with_cover: set[str] = field(default_factory=set)
    booked: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    duplicated: set[str] = field(default_factory=set)
    opted_out: set[str] = field(default_factory=set)
    opt_out_missing: set[str] = field(default_factory=set)
    wrong_price: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    needs_person: set[str] = field(default_factory=set)
    unexplained: set[str] = field(default_factory=set)
    mirror_differs: set[str] = field(default_factory=set)
    shopper_differs: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Truth:
    """What XCover holds: packages by id, and which were booked for which order.

    `booking_keys` are the idempotency keys under which each package was ever posted: one key is
    what keeps a repeated post from being a second booking.
    """

    packages: dict[str, dict[str, Any]]
    by_order: dict[str, list[dict[str, Any]]]
    booking_keys: dict[str, set[str | None]]


def read_sandbox(database: Path) -> Truth:
    """Return what the sandbox has in its file, after its process has ended."""
    sandbox = Sandbox(database=str(database))
    try:
        packages = {package["id"]: package for package in sandbox.packages()}
        booking_keys: dict[str, set[str | None]] = defaultdict(set)
        for call in sandbox.calls("create_booking"):
            package_id = call.path.rstrip("/").rpartition("/")[2]
            booking_keys[package_id].add(call.idempotency_key)
    finally:
        sandbox.close()
    by_order: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for package in packages.values():
        if package["status"] in BOOKED:
            by_order[package["partner_transaction_id"]].append(package)
    return Truth(packages, by_order, booking_keys)


def compare(truth: Truth, purchases: list[Purchase]) -> Findings:
    """Return what the three of them say about each order."""
    findings = Findings()
    mirror = {package.order_reference: package for package in _mirror()}
    _look_for_people(findings, truth, mirror)
    for order in Order.objects.all():
        package = mirror.get(order.number)
        if order.premium is not None and order.paid_at:
            _check_cover(findings, truth, order)
        elif order.premium is None and package is not None:
            _check_opt_out(findings, truth, package)
        elif order.premium is None and truth.by_order[order.number]:
            findings.duplicated.add(order.number)  # booked for somebody who did not want it
    _check_mirror(findings, truth, mirror)
    _check_shoppers(findings, purchases)
    return findings


def _mirror() -> Iterator[QuotePackage]:
    packages = QuotePackage.objects.exclude(order_reference="")
    yield from packages.prefetch_related("operations")


def _check_cover(findings: Findings, truth: Truth, order: Order) -> None:
    """An order whose cover is paid has exactly one booking, at the price that was paid."""
    number = order.number
    findings.paid_with_cover.add(number)
    bookings = truth.by_order[number]
    if [booking["status"] for booking in bookings] == ["CONFIRMED"]:
        findings.booked.add(number)
    elif number not in findings.needs_person | findings.stuck:
        findings.lost.add(number)
    if len(bookings) > 1 or any(len(truth.booking_keys[one["id"]]) > 1 for one in bookings):
        findings.duplicated.add(number)
    if number in findings.booked - findings.needs_person and _paid(bookings[0]) != order.premium:
        findings.wrong_price.add(number)


def _paid(booking: dict[str, Any]) -> Decimal:
    prices = (quote["price"] for quote in booking["quotes"] if quote["status"] == "CONFIRMED")
    return sum(prices, Decimal(0))


def _check_opt_out(findings: Findings, truth: Truth, package: QuotePackage) -> None:
    """An order to which cover was offered, and not taken, is opted out and nothing else."""
    number = package.order_reference
    status = truth.packages[package.package_id]["status"]
    if status == "OPTED_OUT":
        findings.opted_out.add(number)
    elif status in BOOKED:
        findings.duplicated.add(number)
    elif number not in findings.needs_person | findings.stuck:
        findings.opt_out_missing.add(number)


def _look_for_people(findings: Findings, truth: Truth, mirror: dict[str, QuotePackage]) -> None:
    for number, package in mirror.items():
        operations = list(package.operations.all())
        waiting = [one for one in operations if one.state == OperationState.NEEDS_PERSON]
        if waiting or package.attention:
            findings.needs_person.add(number)
            if not (_refused(waiting) or _policy_refused(truth, package)):
                findings.unexplained.add(number)
        elif any(one.state in {"pending", "running"} for one in operations):
            findings.stuck.add(number)


def _refused(waiting: list[Operation]) -> bool:
    return bool(waiting) and all(one.error.get("permanent") for one in waiting)


def _policy_refused(truth: Truth, package: QuotePackage) -> bool:
    """Return whether a policy is said to be missing, and is missing at XCover indeed."""
    accepted = {quote.quote_id for quote in package.quotes.offered().accepted()}
    quotes = truth.packages[package.package_id]["quotes"]
    booked = {quote["id"] for quote in quotes if quote["status"] in BOOKED}
    return package.attention in REFUSED_POLICY and bool(accepted - booked)


def _check_mirror(findings: Findings, truth: Truth, mirror: dict[str, QuotePackage]) -> None:
    for number, package in mirror.items():
        settled = number not in findings.needs_person | findings.stuck
        if settled and package.status != truth.packages[package.package_id]["status"]:
            findings.mirror_differs.add(number)


def _check_shoppers(findings: Findings, purchases: list[Purchase]) -> None:
    """What shoppers were told is what the shop has on record."""
    orders = {order.number: order for order in Order.objects.all()}
    for purchase in purchases:
        order = orders.get(purchase.order_number)
        told = (purchase.paid, purchase.premium)
        if purchase.paid and (order is None or (bool(order.paid_at), order.premium) != told):
            findings.shopper_differs.add(purchase.order_number)
