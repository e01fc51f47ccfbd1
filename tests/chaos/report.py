"""The figures of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.chaos.comparing import Findings
from tests.chaos.shoppers import Purchase

FIGURES = (
    "orders", "paid_with_cover", "booked", "lost", "duplicated", "opted_out", "opt_out_missing",
    "wrong_price", "stuck", "needs_person", "checkout_failures", "max_added_wait_ms",
    "recovery_seconds",
)  # fmt: skip
# What has to be nought, whatever the weather.
NOUGHT = (
    "lost", "duplicated", "opt_out_missing", "wrong_price", "stuck", "checkout_failures",
    "needs_person_unexplained", "mirror_differs", "shopper_differs",
)  # fmt: skip


def report(
    findings: Findings,
    purchases: list[Purchase],
    *,
    recovery: float,
    storm: float,
    struck: Mapping[str, int],
) -> dict[str, Any]:
    """Return the figures, and what they rest on; JSON can carry all of it."""
    records = [purchase.record for purchase in purchases]
    counts = {name: len(found) for name, found in vars(findings).items()}
    failures = [failure for record in records for failure in record.failures]
    waits = [wait for record in records for wait in record.added_waits]
    figures = counts | {
        "orders": sum(bool(purchase.order_number) for purchase in purchases),
        "checkout_failures": sum(bool(record.failures) for record in records),
        "max_added_wait_ms": round(max(waits, default=0)),
        "recovery_seconds": round(recovery, 1),
        "needs_person_unexplained": counts["unexplained"],
    }
    return {name: figures[name] for name in (*FIGURES, *NOUGHT)} | {
        "storm_seconds": round(storm, 1),
        "offered": sum(purchase.offered for purchase in purchases),
        "pages_reloaded": sum(record.repeated for record in records),
        "misfortunes": dict(sorted(struck.items())),
        "details": {
            "checkout_failures": failures[:20],
            **{name: sorted(found)[:20] for name, found in vars(findings).items()},
        },
    }


def is_good(figures: Mapping[str, Any]) -> bool:
    """Return whether everything that has to be nought is."""
    return not any(figures[name] for name in NOUGHT)


def in_words(figures: Mapping[str, Any]) -> str:
    """Return the figures one a line."""
    return "\n".join(f"{name:>26}  {figures[name]}" for name in (*FIGURES, *NOUGHT[6:]))
