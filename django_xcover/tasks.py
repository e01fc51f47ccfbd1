"""Celery tasks. Ids in, services called; brokers never carry more than primary keys."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from django_xcover.services import operations, running
from django_xcover.services.publishing import Publisher

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
    """Have the operation sent to a worker, without waiting for the broker."""
    if run_operation.app.conf.task_always_eager:
        run_operation.delay(pk)
    elif not publisher.offer(pk):
        logger.warning("Operation %s waits for the sweeper: the broker does not keep up.", pk)


def _send(pk: int) -> None:
    run_operation.apply_async((pk,), retry=False)


publisher = Publisher(_send)
