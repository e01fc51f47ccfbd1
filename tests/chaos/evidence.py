"""All that is on record about an order of which something is true that must not be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_xcover.models import QuotePackage
from example_shop.models import Order
from tests.chaos.findings import Findings
from tests.chaos.history import History
from tests.chaos.shoppers import Purchase
from tests.chaos.truth import Truth

# Of each row what tells how it came about; JSON can carry it.
POLICY = ("quote_id", "status", "choice", "chosen_price", "price", "line_reference")
OPERATION = ("kind", "subject", "state", "attempts", "failures", "error")
CHANGE = ("update_id", "state", "price_diff", "price_after", "settlement_reference")
CANCELLATION = ("cancellation_id", "state", "total_refund")
RENEWAL = ("renewal_id", "state", "price", "paid_at")
HELD = ("id", "status", "price", "refund", "settled", "renewed_times")
Row = dict[str, Any]


def gather(found: Findings, truth: Truth, history: History, purchases: Iterable[Purchase]) -> Row:
    """Return what shopper, shop, package and XCover have of each such order, by its number."""
    bought = {purchase.order_number: purchase for purchase in purchases}
    return {
        number: {
            "finding": finding,
            "shopper": _shopper(bought.get(number)),
            "shop": _rows(Order.objects.filter(number=number), ("premium", "paid_at", "payment")),
            "packages": [
                _package(package, truth, history)
                for package in QuotePackage.objects.filter(order_reference=number)
            ],
        }
        for number, finding in found.wrong().items()
    }


def _shopper(purchase: Purchase | None) -> Row:
    if purchase is None:
        return {}
    later = purchase.later
    told: Row = {"premium": purchase.premium, "paid": purchase.paid, "wish": later.wish}
    told |= {"policies": later.policies, "amount": later.amount, "done": later.done}
    return _plain(told)


def _package(package: QuotePackage, truth: Truth, history: History) -> Row:
    held = truth.packages.get(package.package_id, {"status": None, "quotes": []})
    quotes = package.quotes.order_by("position")
    return {
        "status": package.status,
        "total_price": str(package.total_price),
        "flags": history.changes["quotepackage.attention", package.pk],
        "statuses": history.changes["quotepackage.status", package.pk],
        "quotes": _rows(quotes, POLICY),
        "prices": {quote.quote_id: history.changes["quote.price", quote.pk] for quote in quotes},
        "operations": _rows(package.operations.order_by("pk"), OPERATION),
        "modifications": _rows(package.modifications.order_by("pk"), CHANGE),
        "cancellations": _rows(package.cancellations.order_by("pk"), CANCELLATION),
        "renewals": _rows(package.renewals.order_by("pk"), RENEWAL),
        "at XCover": {
            "status": held["status"],
            "quotes": [_plain({name: one[name] for name in HELD}) for one in held["quotes"]],
            "calls": truth.calls.get(package.package_id, []),
        },
    }


def _rows(rows: Any, columns: tuple[str, ...]) -> list[Row]:
    return [_plain(row) for row in rows.values(*columns)]


def _plain(facts: Row) -> Row:
    return {name: str(value) for name, value in facts.items() if value not in (None, "", {})}
