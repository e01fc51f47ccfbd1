"""Instalments: XCover's schedule, and reports of payments."""

from __future__ import annotations

from django_xcover.policies.instalments.reports import instalment_pk, report
from django_xcover.policies.instalments.schedules import (
    Sums,
    has_plan,
    mirror,
    next_due,
    overdue,
    sums,
    unmirrored,
)

__all__ = [
    "InstalmentNotDue",
    "InstalmentPaid",
    "InstalmentPaidTwice",
    "Sums",
    "has_plan",
    "instalment_pk",
    "mirror",
    "next_due",
    "overdue",
    "report",
    "sums",
    "unmirrored",
]
