"""PUBLIC: record the refund of a premium in Oscar and here."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from django_xcover import policies
from django_xcover.exceptions import RefundNotRecorded
from django_xcover.models import Cancellation

__all__ = ["refund_cover"]


def refund_cover(cancellation: Cancellation, source: Any, *, reference: str = "") -> None:
    """Record that the refund of `cancellation` was paid back to `source`, Oscar's payment source.

    Call it once your payment provider has made the refund; `reference` is the provider's. Both
    records are made or neither, and the same refund again changes nothing. Raises
    `RefundNotRecorded` for another refund, and if XCover has named no refund.
    """
    with transaction.atomic():
        cancellation = Cancellation.objects.select_for_update().get(pk=cancellation.pk)
        refund, is_new = cancellation.refund, cancellation.refunded_at is None
        if refund is None:
            raise RefundNotRecorded(why=_("XCover has named no refund."))
        policies.record_refund(cancellation, refund, reference=reference)
        if is_new:
            source.refund(refund.amount, reference=reference)
