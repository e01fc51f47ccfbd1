"""What runs a task: Celery, Django's tasks framework, or `xcover_work`."""

from __future__ import annotations

from typing import Any

import django
import pytest

from django_xcover import tasks
from django_xcover.models import Operation, OperationState, QuotePackage
from django_xcover.outbox import runners
from tests import completion
from tests.conftest import Shopper, the_operation, the_package
from tests.shop import Shop

pytestmark = pytest.mark.django_db

needs_django_tasks = pytest.mark.skipif(
    django.VERSION < (6, 0), reason="Django's tasks framework is part of Django 6.0"
)
BACKENDS = "django.tasks.backends"


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return the package of a paid order that is not booked yet."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_package()


def choose(settings: Any, runner: str, backend: str = "") -> None:
    """Let the shop have chosen a runner."""
    settings.XCOVER = {**settings.XCOVER, "RUNNER": runner}
    if backend:
        settings.TASKS = {"default": {"BACKEND": f"{BACKENDS}.{backend}"}}


def test_the_command_is_sent_nothing_and_finds_the_row_itself(
    paid: QuotePackage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(settings, "command")
    monkeypatch.setattr(tasks.run_operation, "apply_async", lambda *_, **__: pytest.fail("sent"))
    monkeypatch.setattr(tasks.publisher, "offer", lambda pk: pytest.fail("queued"))

    tasks.dispatch_operation(Operation, pk=the_operation().pk)

    assert the_operation().state == OperationState.PENDING


def test_what_is_collected_is_sent_to_nobody(paid: QuotePackage) -> None:
    with runners.collecting() as waiting:
        tasks.dispatch_operation(Operation, pk=the_operation().pk)

    assert list(waiting) == [(tasks.run_operation, the_operation().pk)]


@needs_django_tasks
def test_django_gets_a_name_and_a_primary_key_and_nothing_else(
    paid: QuotePackage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.tasks.backends.dummy import DummyBackend

    sent: list[Any] = []
    choose(settings, "django_tasks", "dummy.DummyBackend")
    # The backend itself can't be asked: each thread has its own.
    monkeypatch.setattr(DummyBackend, "enqueue", lambda _, task, *given: sent.append(given))

    tasks.dispatch_operation(Operation, pk=the_operation().pk)

    assert tasks.publisher.flush(5)
    assert sent == [(("django_xcover.tasks.run_operation", the_operation().pk), {})]


@needs_django_tasks
def test_django_runs_the_operation(paid: QuotePackage, settings: Any) -> None:
    choose(settings, "django_tasks", "immediate.ImmediateBackend")

    tasks.dispatch_operation(Operation, pk=the_operation().pk)

    assert the_operation().state == OperationState.DONE


@needs_django_tasks
def test_a_backend_that_is_away_is_no_error_for_the_shopper(
    paid: QuotePackage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.tasks.backends.dummy import DummyBackend

    def away(*args: Any, **kwargs: Any) -> None:
        raise OSError("away")

    choose(settings, "django_tasks", "dummy.DummyBackend")
    monkeypatch.setattr(DummyBackend, "enqueue", away)

    tasks.dispatch_operation(Operation, pk=the_operation().pk)

    assert tasks.publisher.flush(5)
    assert the_operation().state == OperationState.PENDING
