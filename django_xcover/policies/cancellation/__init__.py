"""Cancel a booking or some of its policies, with a preview to confirm or directly.

The shopper's page, the admin, the API and a cancelled order all use this service.
Quotes API: cancellation workflow.
"""

from __future__ import annotations

from django_xcover.policies.cancellation.requests import cancel_now, preview, refusal_of, request
from django_xcover.policies.refunds import RefundLine, correct_refund, lines_of, record_refund

__all__ = [
    "RefundLine",
    "cancel_now",
    "correct_refund",
    "lines_of",
    "preview",
    "record_refund",
    "refusal_of",
    "request",
]
