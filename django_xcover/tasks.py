"""Celery tasks. Ids in, services called; brokers never carry more than primary keys."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from kombu.exceptions import OperationalError

from django_xcover.services import operations, running

logger = logging.getLogger(__name__)


@shared_task(name="django_xcover.tasks.run_operation", ignore_result=True)
def run_operation(pk: int) -> None:
    """Make one attempt at an operation."""
    running.run(pk)


@shared_task(name="django_xcover.tasks.sweep_operations", ignore_result=True)
def sweep_operations() -> None:
    """Hand over what was lost or has become due. Let beat send it every half minute or so."""
    operations.sweep()


def hand_over(sender: Any, *, pk: int, **kwargs: Any) -> None:
    """Send the operation to a worker. A broker that is away costs nothing but time: the sweeper
    finds the row."""
    try:
        run_operation.apply_async((pk,), retry=False)
    except (OperationalError, OSError):
        logger.warning("The broker took no task for operation %s; the sweeper will.", pk)
