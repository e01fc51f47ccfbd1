"""The daily look at what ends soon, by XCover's clock: the shop's own stands still."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import requests
from celery import shared_task
from django.utils import timezone

from django_xcover.policies import renewal as renewing
from django_xcover.policies.renewal.due import AHEAD
from django_xcover.tasks import prepare_renewal


@shared_task(name="tests.chaos.find_due_renewals", ignore_result=True)
def find_due_renewals() -> None:
    """Do what the package's task of that name does, as far ahead as XCover's time is."""
    for renewal in renewing.find_due(AHEAD + _offset()):
        prepare_renewal.delay(renewal.pk)


def _offset() -> timedelta:
    told = requests.get(os.environ["CHAOS_CLOCK"], timeout=5).json()["now"]
    return datetime.fromisoformat(told) - timezone.now()
