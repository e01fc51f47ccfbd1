"""What a person does about a booking that was flagged for one: look into it and say so."""

from __future__ import annotations

import logging

from django.utils import timezone

from django_xcover.models import QuotePackage

logger = logging.getLogger(__name__)


def resolve(package: QuotePackage, *, by: str, note: str) -> bool:
    """Clear what `package` was flagged for; False when nothing was, or something else is by now.

    `by` is the key of the person's user and `note` what was done about it. Both go to the log, so
    neither may name the customer.
    """
    reason = package.attention
    rows = QuotePackage.objects.filter(pk=package.pk, attention=reason)
    # Only the flag that this person saw: a newer one has not been looked into.
    if not reason or not rows.update(attention="", updated_at=timezone.now()):
        return False
    package.attention = ""
    logger.info("Package %s: %s was resolved by user %s: %s", package, reason, by, note)
    return True
