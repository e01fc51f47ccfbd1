"""Who needs a package and what hangs on it takes the package first; nobody's COMMIT waits for it.

A storm on PostgreSQL found what comes of another order: a webhook held the package and wanted the
renewal, the shopper's payment held the renewal and wanted the package, and the shopper got a 500.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from django_xcover.exceptions import NotErasable
from django_xcover.models import (
    Instalment,
    Modification,
    Operation,
    OperationKind,
    OrderEvent,
    QuotePackage,
    Renewal,
)
from django_xcover.orders import completion, events
from django_xcover.outbox import operations
from django_xcover.policies import instalments, modification
from django_xcover.policies import renewal as renewing
from django_xcover.support import erasure
from django_xcover.testing.factories import (
    InstalmentFactory,
    ModificationFactory,
    OperationFactory,
    QuotePackageFactory,
    RenewalFactory,
)
from tests.races import meanwhile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]
SOON = 0.5  # seconds: as long as the other thread gets to do what must not happen


@pytest.fixture
def renewal() -> Renewal:
    """Return a renewal that waits for its payment."""
    return RenewalFactory.create()


@pytest.fixture
def change() -> Modification:
    """Return a priced change that waits for its payment."""
    return ModificationFactory.create()


@pytest.fixture
def instalment() -> Instalment:
    """Return an instalment that waits for its payment."""
    return InstalmentFactory.create()


ACTS: dict[str, Callable[[Any], object]] = {
    "renewal paid": lambda row: renewing.record_payment(row, reference="paid"),
    "renewal declined": renewing.opt_out,
    "instalment reported": lambda row: instalments.report(row, paid=True),
}


@pytest.fixture(params=ACTS)
def act(request: Any) -> Callable[[], object]:
    """Return something that a shopper or a shop does about a row under a package."""
    what = request.param.split()[0]
    row = request.getfixturevalue(what)
    return lambda: ACTS[request.param](type(row).objects.get(pk=row.pk))


def test_who_holds_the_package_and_then_wants_the_row_meets_nobody_coming_the_other_way(
    act: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    written, failures = threading.Event(), list[Exception]()
    enqueue = operations.enqueue

    def tell(*args: Any, **facts: Any) -> Operation:
        operation = enqueue(*args, **facts)
        written.set()
        return operation

    def in_another_process() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - handed to the test
            failures.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(operations, "enqueue", tell)
    other = threading.Thread(target=in_another_process)
    with transaction.atomic():
        QuotePackage.objects.locked().get()
        other.start()
        assert not written.wait(SOON)
        for model in (Renewal, Instalment):
            model.objects.update(updated_at=timezone.now())
    other.join()

    assert failures == []
    assert Operation.objects.count() == 1


def test_a_change_is_not_given_up_while_somebody_holds_its_package(change: Modification) -> None:
    def give_up() -> None:
        modification.abandon(change)
        connection.close()

    other = threading.Thread(target=give_up)
    with transaction.atomic():
        QuotePackage.objects.locked().get()
        other.start()
        other.join(SOON)
        assert other.is_alive(), "whoever holds it may be settling the change"
    other.join()

    assert Modification.objects.get().state == Modification.State.ABANDONED


def test_a_row_is_added_under_a_package_that_somebody_holds(renewal: Renewal) -> None:
    """With a full lock its COMMIT would wait: Django has foreign keys checked as late as that."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL can leave the key out of a lock")

    def add() -> None:
        OperationFactory.create(package=renewal.package, kind=OperationKind.SEND_EMAIL)
        connection.close()

    other = threading.Thread(target=add, daemon=True)
    with transaction.atomic():
        QuotePackage.objects.locked().get()
        other.start()
        other.join(10)
        assert not other.is_alive()
    other.join()


@pytest.fixture
def two_of_one_order() -> tuple[QuotePackage, QuotePackage]:
    """Return an instant booking, and a package that the same order took over later."""
    instant = QuotePackageFactory.create(booked=True, order_reference="ORD-1")
    OperationFactory.create(package=instant, kind=OperationKind.INSTANT_BOOK, done=True)
    return instant, QuotePackageFactory.create(order_reference="ORD-1")


def can_be_locked(model: type[Model], pk: int) -> bool:
    """Return whether no other transaction holds the row."""
    try:
        with transaction.atomic():
            model._default_manager.select_for_update(nowait=True).get(pk=pk)
    except OperationalError:
        return False
    return True


def completes() -> None:
    with transaction.atomic():
        completion.find("ORD-1", lambda: None)


def erases() -> None:
    with transaction.atomic(), suppress(NotErasable):
        erasure.erase_order("ORD-1")


@pytest.mark.parametrize("act", [completes, erases])
def test_the_packages_of_an_order_are_locked_oldest_first(
    two_of_one_order: tuple[QuotePackage, QuotePackage], act: Callable[[], None]
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only on PostgreSQL is it certain that the other transaction waits.")
    older, newer = two_of_one_order

    with ExitStack() as after, transaction.atomic():
        QuotePackage.objects.locked().get(pk=older.pk)
        assert after.enter_context(meanwhile(act)) == []  # it waits
        assert can_be_locked(QuotePackage, newer.pk)


def test_an_event_of_an_order_is_locked_after_its_packages(
    two_of_one_order: tuple[QuotePackage, QuotePackage],
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only on PostgreSQL is it certain that the other transaction waits.")
    event = OrderEvent.objects.create(order_reference="ORD-1", kind=OrderEvent.Kind.CANCELLED)

    with ExitStack() as after, transaction.atomic():
        QuotePackage.objects.locked().get(pk=two_of_one_order[0].pk)
        assert after.enter_context(meanwhile(lambda: events.settle(event.pk))) == []  # it waits
        assert can_be_locked(OrderEvent, event.pk)
