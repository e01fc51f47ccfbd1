"""Faults planted on purpose, so that a storm can show that it would notice them.

`python -m tests.chaos --plant NAME` has the run's processes carry one; the harness stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig

VARIABLE = "CHAOS_PLANT"
SHARE = 3


class Planted(AppConfig):
    """Plants what the environment names, in every process that loads the settings."""

    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        PLANTS[os.environ[VARIABLE]]()


def book_before_payment() -> None:
    """Book a third of the packages as paid when their order is placed."""
    from django_xcover.orders import completion

    settle = completion.settle

    def early(package: Any, order: Any, *, paid: bool) -> None:
        settle(package, order, paid=paid or package.pk % SHARE == 0)

    completion.settle = early


def webhooks_read_nothing() -> None:
    """Take every webhook for processed without asking XCover."""
    from django_xcover.models import WebhookDelivery
    from django_xcover.sync.webhooks import processing

    processing._look_into = lambda delivery: WebhookDelivery.State.PROCESSED


def keep_cancelled_orders() -> None:
    """Leave the cover of every cancelled order as it is."""
    from django_xcover.orders import cancellation

    cancellation._cancel_in = lambda package, lines, reason: None


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (book_before_payment, webhooks_read_nothing, keep_cancelled_orders)
}
