"""The one time that several calls share."""

from __future__ import annotations

import time

from django_xcover.client import NoTimeLeft


def remaining(until: float) -> float:
    """Return the seconds left until then, by the monotonic clock; raise NoTimeLeft for none."""
    left = until - time.monotonic()
    if left <= 0:
        raise NoTimeLeft("no time was left to begin the call")
    return left
