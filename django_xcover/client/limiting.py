"""What may hold a call back before it is made: the rate limit of whoever uses the client."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django_xcover.client.deadline import Deadline
from django_xcover.client.endpoints import Endpoint

# Called for each attempt and entered around it. It may wait, never beyond the deadline, and raises
# HeldBack instead of letting the call go; what the call raises passes through it.
Limiter = Callable[[Endpoint, Deadline], AbstractContextManager[object]]


def unlimited(endpoint: Endpoint, until: Deadline) -> AbstractContextManager[object]:
    """Hold nothing back."""
    return nullcontext()
