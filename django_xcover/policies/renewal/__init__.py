"""Renewals: find due cover, quote it, notify the customer, record payment or opt-out, confirm.

All entry points use this service: beat finds due cover, webhooks may arrive first, the shop reports
the payment, the customer declines. The result doesn't depend on the order or on repetitions.
"""

from __future__ import annotations

from django_xcover.policies.renewal.due import EVENTS, find_due, on_event
from django_xcover.policies.renewal.lines import RenewalLine, lines_of
from django_xcover.policies.renewal.payment import (
    abandon,
    confirm_legacy,
    may_abandon,
    record_payment,
)
from django_xcover.policies.renewal.quoting import notify, prepare, quote
from django_xcover.policies.renewal.renewal_opt_out import opt_out

__all__ = [
    "EVENTS",
    "RenewalLine",
    "abandon",
    "confirm_legacy",
    "find_due",
    "lines_of",
    "may_abandon",
    "notify",
    "on_event",
    "opt_out",
    "prepare",
    "quote",
    "record_payment",
]
