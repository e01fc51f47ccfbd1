"""Changing a booking: at once where it costs nothing, else priced, settled and confirmed.

One service for every door: the shopper's page, the admin, the API.
Quotes API: modification workflow.
"""

from __future__ import annotations

from django_xcover.policies.modification.details import change_details
from django_xcover.policies.modification.eligibility import changeable_fields
from django_xcover.policies.modification.expiry import give_up_outdated
from django_xcover.policies.modification.pricing import open_change, quote_change
from django_xcover.policies.modification.settlement import (
    abandon,
    is_open,
    is_outdated,
    refusal_of,
    settle,
)

__all__ = [
    "abandon",
    "change_details",
    "changeable_fields",
    "give_up_outdated",
    "is_open",
    "is_outdated",
    "open_change",
    "quote_change",
    "refusal_of",
    "settle",
]
