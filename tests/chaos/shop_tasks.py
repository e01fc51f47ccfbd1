"""What the shop does in its own workers, where a planted fault is at work as well."""

from __future__ import annotations

from celery import shared_task

from django_xcover.orders import cancellation


@shared_task(name="tests.chaos.cancel_order", ignore_result=True)
def cancel_order(number: str) -> None:
    """Cancel the cover of an order, as the shop does when nobody pays it."""
    cancellation.cancel_by_reference(number)
