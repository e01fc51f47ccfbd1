"""When a time that some machine wrote is over, although that machine's clock may have run ahead."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

# A worker holds a row for XCOVER["OPERATION_LEASE"], which the checks keep below this, and nothing
# is planned for later than a day ahead. What lies beyond was written by a clock that ran ahead.
LONGEST_LEASE = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=25)


def lapsed(field: str, now: datetime) -> Q:
    """Return the condition that the lease in `field` is over, or longer than any lease can be."""
    return Q(**{f"{field}__lt": now}) | Q(**{f"{field}__gt": now + LONGEST_LEASE})


def due(field: str, now: datetime) -> Q:
    """Return the condition that the moment in `field` has come, or was never meant."""
    return Q(**{f"{field}__lte": now}) | Q(**{f"{field}__gt": now + LONGEST_WAIT})
