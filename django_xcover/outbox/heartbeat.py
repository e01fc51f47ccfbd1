"""When the sweeper last came round: proof that both beat and a worker are alive."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from django_xcover.models import Heartbeat

SWEEP = "sweep"


def swept() -> None:
    """Note that the sweeper has just come round."""
    Heartbeat.objects.update_or_create(name=SWEEP, defaults={"at": timezone.now()})


def last_sweep() -> datetime | None:
    """Return when the sweeper last came round; None when it never did."""
    return Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True).first()
