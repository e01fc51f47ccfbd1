"""The figures of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.chaos.browser import Wait
from tests.chaos.findings import Findings
from tests.chaos.shoppers import Purchase

FIGURES = (
    "orders", "abandoned", "pay_first", "paid_with_cover", "booked", "lost", "duplicated",
    "opted_out", "opt_out_missing",
    "wrong_price", "stuck", "needs_person", "checkout_failures",
    "cancelled", "cancel_lost", "cancel_duplicated", "refund_differs",
    "changed", "change_lost", "renewed", "renewal_lost", "renewal_duplicated",
    "unpaid_with_cover", "booked_unpaid", "order_not_cancelled", "telephoned", "telephone_lost",
    "max_added_wait_ms", "p99_added_wait_ms", "p50_added_wait_ms", "max_xcover_wait_ms",
    "max_open_circuit_wait_ms", "recovery_seconds",
)  # fmt: skip
# What has to be nought, whatever the weather.
NOUGHT = (
    "lost", "duplicated", "opt_out_missing", "wrong_price", "stuck", "checkout_failures",
    "needs_person_unexplained", "needs_person_tried_out", "mirror_differs", "shopper_differs",
    "status_went_back", "cancel_lost", "cancel_duplicated", "refund_differs",
    "change_lost", "renewal_lost", "renewal_duplicated", "after_sale_failures",
    "booked_unpaid", "order_not_cancelled", "telephone_lost", "charged_without_order", "hold_left",
)  # fmt: skip


def report(
    findings: Findings,
    purchases: list[Purchase],
    *,
    recovery: float,
    storm: float,
    sales: float,
    struck: Mapping[str, int],
) -> dict[str, Any]:
    """Return the figures, and what they rest on; JSON can carry all of it."""
    records = [purchase.record for purchase in purchases]
    later = [purchase.later.record for purchase in purchases]
    counts = {name: len(found) for name, found in vars(findings).items()}
    figures = (
        counts
        | _waits([wait for record in records for wait in record.added_waits])
        | {
            "orders": sum(bool(purchase.order_number) for purchase in purchases),
            "abandoned": sum(purchase.is_abandoned for purchase in purchases),
            "pay_first": sum(purchase.pays_first and purchase.paid for purchase in purchases),
            "checkout_failures": sum(bool(record.failures) for record in records),
            "after_sale_failures": sum(bool(record.failures) for record in later),
            "recovery_seconds": round(recovery, 1),
            "needs_person_unexplained": counts["unexplained"],
            "needs_person_tried_out": counts["tried_out"],
        }
    )
    return {name: figures[name] for name in (*FIGURES, *NOUGHT)} | {
        "storm_seconds": round(storm, 1),
        "sales_seconds": round(sales, 1),
        "offered": sum(purchase.offered for purchase in purchases),
        "offers_with_open_circuit": figures["open_circuit_waits"],
        "price_flagged": counts["price_flagged"],
        "pages_reloaded": sum(record.repeated for record in (*records, *later)),
        "wishes": _wishes(purchases),
        "misfortunes": dict(sorted(struck.items())),
        "details": {
            "checkout_failures": [said for record in records for said in record.failures][:20],
            "after_sale_failures": [said for record in later for said in record.failures][:20],
            **{name: sorted(found)[:20] for name, found in vars(findings).items()},
        },
    }


def is_good(figures: Mapping[str, Any]) -> bool:
    """Return whether everything that has to be nought is."""
    return not any(figures[name] for name in NOUGHT)


def in_words(figures: Mapping[str, Any]) -> str:
    """Return the figures one a line."""
    shown = dict.fromkeys((*FIGURES, *NOUGHT))
    wrong = ", ".join(name for name in NOUGHT if figures[name])
    lines = [f"{name:>26}  {figures[name]}" for name in shown]
    return "\n".join([*lines, f"Must be nought: {wrong}" if wrong else "All is as it must be."])


def _waits(waits: list[Wait]) -> dict[str, int]:
    totals = sorted(wait.total for wait in waits) or [0.0]
    circuit_open = [wait.total for wait in waits if wait.circuit_open]
    return {
        "max_added_wait_ms": round(totals[-1]),
        "p99_added_wait_ms": round(totals[len(totals) * 99 // 100]),
        "p50_added_wait_ms": round(totals[len(totals) // 2]),
        "max_xcover_wait_ms": round(max((wait.xcover for wait in waits), default=0)),
        "max_open_circuit_wait_ms": round(max(circuit_open, default=0)),
        "open_circuit_waits": len(circuit_open),
    }


def _wishes(purchases: list[Purchase]) -> dict[str, list[int]]:
    """Return how many with cover had each wish, how many pressed the button, and to what end."""
    found: dict[str, list[int]] = {}
    for purchase in purchases:
        if purchase.will(purchase.later.wish):
            counts = found.setdefault(purchase.later.wish, [0, 0, 0])
            later = purchase.later
            for place, is_so in enumerate((True, later.asked, later.done)):
                counts[place] += is_so
    return found
