"""Change a booking: directly if the change is free, otherwise priced, settled and confirmed.

The shopper's page, the admin and the API all use this service.
Quotes API: modification workflow.
"""

from __future__ import annotations

from django_xcover.policies.modification.details import change_details, changeable_fields
from django_xcover.policies.modification.pricing import open_change, quote_change
from django_xcover.policies.modification.settlement import (
    abandon,
    give_up_outdated,
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
