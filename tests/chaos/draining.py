"""Waiting until nothing is left to do, and saying how long that took."""

from __future__ import annotations

import time

from django.db.models import Q
from django.utils import timezone

from django_xcover.models import Hold, Operation, OperationState, WebhookDelivery
from tests.chaos.crew import Crew
from tests.chaos.plan import HANG

# A webhook may still be late, and is sent again after 2 s when nobody answered.
QUIET = HANG + 3.0


def drain(crew: Crew, patience: float) -> float:
    """Wait until nothing happens any more; return seconds until the last work was done."""
    begun = last = time.monotonic()
    while time.monotonic() - last < QUIET and time.monotonic() - begun < patience:
        crew.revive()
        if unfinished() or waiting_webhooks() or Hold.objects.overdue(timezone.now()).exists():
            last = time.monotonic()
        time.sleep(0.2)
    return last - begun


def settle(crew: Crew, patience: float) -> None:
    """Wait until all operations are carried out, while the weather is as bad as it was."""
    begun = time.monotonic()
    while unfinished() and time.monotonic() - begun < patience:
        crew.revive()
        time.sleep(0.2)


def unfinished() -> int:
    """Return how many operations are still to be carried out, those for a person aside."""
    alive = Q(state__in=(OperationState.PENDING, OperationState.RUNNING))
    # What waits behind an operation that needs a person waits for that person as well.
    held = Operation.objects.needing_person().values("package")
    return Operation.objects.filter(alive).exclude(package__in=held).count()


def waiting_webhooks() -> int:
    """Return how many webhooks nobody has looked into yet."""
    state = WebhookDelivery.State
    return WebhookDelivery.objects.filter(state__in=(state.RECEIVED, state.PROCESSING)).count()
