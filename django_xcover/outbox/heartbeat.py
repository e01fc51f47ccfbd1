"""When the sweeper last ran: proof that both beat and a worker are alive."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from django_xcover.models import Heartbeat

SWEEP = "sweep"


def swept() -> None:
    """Record that the sweeper has just run."""
    Heartbeat.objects.update_or_create(name=SWEEP, defaults={"at": timezone.now()})


def last_sweep() -> datetime | None:
    """Return when the sweeper last ran, None if it never did."""
    return Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True).first()
