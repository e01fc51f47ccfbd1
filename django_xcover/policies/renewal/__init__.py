"""Renewals: found due, quoted, told to the customer, paid or declined, confirmed.

One service for every door: beat finds what is due, a webhook may come first, the shop reports the
payment, the customer declines. Whatever comes first, and however often, the outcome is the same.
"""

from __future__ import annotations

from django_xcover.policies.renewal.due import find_due
from django_xcover.policies.renewal.lines import RenewalLine, lines_of
from django_xcover.policies.renewal.notifications import tell
from django_xcover.policies.renewal.payment import (
    abandon,
    confirm_legacy,
    may_abandon,
    record_payment,
)
from django_xcover.policies.renewal.quoting import prepare, quote
from django_xcover.policies.renewal.renewal_opt_out import opt_out
from django_xcover.policies.renewal.webhook_events import EVENTS, on_event

__all__ = [
    "EVENTS",
    "RenewalLine",
    "abandon",
    "confirm_legacy",
    "find_due",
    "lines_of",
    "may_abandon",
    "on_event",
    "opt_out",
    "prepare",
    "quote",
    "record_payment",
    "tell",
]
