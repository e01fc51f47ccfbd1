"""A process that dies at every point where it could: each query, each commit, each call to XCover.

Death is a `BaseException` that nothing catches. The connection is lost at that moment, so that open
transactions roll back, and everything else stays as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from django_xcover import worker
from django_xcover.clients import factory
from django_xcover.models import (
    Cancellation,
    Modification,
    Operation,
    OperationState,
    QuotePackage,
    Renewal,
    WebhookDelivery,
)
from django_xcover.outbox import operations
from django_xcover.policies import (
    cancellation as cancelling,
)
from django_xcover.policies import (
    modification,
)
from django_xcover.policies import (
    renewal as renewing,
)
from django_xcover.policies.renewal import due
from django_xcover.sandbox import Sandbox
from django_xcover.sync import webhooks
from django_xcover.testing.factories import WebhookDeliveryFactory
from tests import completion
from tests.conftest import ReadCart, Shopper
from tests.policies.renewal.conftest import yearly
from tests.shop import Cart, Shop, ticket
from tests.sync.webhooks.conftest import the_delivery

pytestmark = pytest.mark.django_db(transaction=True)
MOST_POINTS = 500
TICKETS = (ticket(),)


class Killed(BaseException):
    """The process is gone."""


class Executioner:
    """Lets a process live through so many points, and kills it at the next."""

    def __init__(self, survives: int) -> None:
        self.points = 0
        self._survives = survives

    def passes(self) -> None:
        """Pass one point, or die there."""
        self.points += 1
        if self.points > self._survives:
            lose_the_connection()
            raise Killed

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Wait before and after each query, each commit and each call to XCover."""
        with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(self._query):
            patch.setattr(connection, "commit", self._around(connection.commit))
            patch.setattr(requests.Session, "send", self._around(requests.Session.send))
            yield

    def _query(self, execute: Callable[..., Any], *args: Any) -> Any:
        return self._around(execute)(*args)

    def _around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def between_two_points(*args: Any, **kwargs: Any) -> Any:
            self.passes()
            result = act(*args, **kwargs)
            self.passes()
            return result

        return between_two_points


def lose_the_connection() -> None:
    """Roll back what is open, as a server does for a client that is gone, and hang up."""
    if connection.connection is not None:
        connection.connection.rollback()  # SQLite waits for the cursors, which the traceback holds
    connection.close()


def die_everywhere(make: Callable[[int], Callable[[], object]]) -> Iterator[int]:
    """Yield after each death: make a new case, run it, and kill it one point later each time.

    On the other engines every third point is enough: what differs there is how a connection dies,
    not what this package does next.
    """
    for survives in itertools.count(step=1 if connection.vendor == "sqlite" else 3):
        assert survives < MOST_POINTS, "the case has no end"
        run = make(survives)
        executioner = Executioner(survives)
        try:
            with executioner.at_work():
                run()
        except Killed:
            yield survives
        else:
            assert executioner.points > 10, "nothing was there to die at"
            return


@pytest.fixture
def paid_order(
    shop: Shop, sandbox: Sandbox, read: ReadCart
) -> Callable[..., tuple[Operation, Cart]]:
    """Return a maker of paid orders, each with its own cart, and their operations."""

    def make(
        number: int, *, yes: bool, items: Any = TICKETS, **facts: Any
    ) -> tuple[Operation, Cart]:
        cart = Cart(reference=f"cart-{number}", items=items)
        Shopper(cart, read).says(yes=yes)
        order = shop.order(f"ORD-{number}", **facts)
        completion.complete(order, cart, paid=not facts)
        return Operation.objects.latest("pk"), cart

    return make


@pytest.fixture
def booking(paid_order: Callable[..., tuple[Operation, Cart]]) -> Callable[[int], QuotePackage]:
    """Return a maker of booked cover for a laptop, for a year."""

    def make(number: int) -> QuotePackage:
        operation, _ = paid_order(number, yes=True, items=(yearly(),))
        worker.run(operation.pk)
        return QuotePackage.objects.get(pk=operation.package_id)

    return make


def recover() -> None:
    """Let leases run out and waiting times pass, and let the sweepers and a worker do the rest."""
    past = timezone.now() - timedelta(seconds=1)
    Operation.objects.exclude(state__in=(OperationState.DONE, OperationState.DISCARDED)).update(
        lease_until=past, next_attempt_at=past
    )
    WebhookDelivery.objects.update(next_attempt_at=past)
    for pk in operations.sweep():
        worker.run(pk)
    for pk in webhooks.sweep():
        webhooks.process(pk)


def carried_out(sandbox: Sandbox, name: str, package: QuotePackage) -> int:
    """Return how often XCover carried the call out for this package."""
    return sum(
        call.status in {200, 201, 204} and package.package_id in call.path
        for call in sandbox.calls(name)
    )


def test_a_booking_survives_a_death_at_every_point(
    paid_order: Callable[..., tuple[Operation, Cart]], sandbox: Sandbox
) -> None:
    def case(number: int) -> Callable[[], object]:
        operation, _ = paid_order(number, yes=True)
        return lambda: worker.run(operation.pk)

    for _ in die_everywhere(case):
        recover()

        operation = Operation.objects.select_related("package").latest("pk")
        assert operation.state == OperationState.DONE
        assert operation.package.status == "CONFIRMED"
        assert carried_out(sandbox, "create_booking", operation.package) == 1


def test_an_opt_out_survives_a_death_at_every_point(
    paid_order: Callable[..., tuple[Operation, Cart]], sandbox: Sandbox
) -> None:
    def case(number: int) -> Callable[[], object]:
        operation, _ = paid_order(number, yes=False)
        return lambda: worker.run(operation.pk)

    for _ in die_everywhere(case):
        recover()

        operation = Operation.objects.select_related("package").latest("pk")
        assert operation.state == OperationState.DONE
        assert operation.package.status == "OPTED_OUT"
        assert carried_out(sandbox, "opt_out", operation.package) == 1


def test_a_payment_confirmation_survives_a_death_at_every_point(
    paid_order: Callable[..., tuple[Operation, Cart]], sandbox: Sandbox, shop: Shop
) -> None:
    def case(number: int) -> Callable[[], object]:
        booking, cart = paid_order(number, yes=True, pays_later=True)
        worker.run(booking.pk)
        completion.complete(shop.orders[f"ORD-{number}"], cart, paid=True)
        confirmation = Operation.objects.latest("pk")
        return lambda: worker.run(confirmation.pk)

    for _ in die_everywhere(case):
        recover()

        operation = Operation.objects.select_related("package").latest("pk")
        assert operation.state == OperationState.DONE
        assert operation.package.status == "CONFIRMED"
        assert carried_out(sandbox, "confirm_booking", operation.package) == 1


def test_a_cancellation_survives_a_death_at_every_point_and_keeps_its_refund(
    paid_order: Callable[..., tuple[Operation, Cart]], sandbox: Sandbox
) -> None:
    def case(number: int) -> Callable[[], object]:
        booking, _ = paid_order(number, yes=True)
        worker.run(booking.pk)
        package = QuotePackage.objects.get(pk=booking.package_id)
        previewed = cancelling.preview(package, origin=Cancellation.Origin.SHOPPER)
        operation = cancelling.request(previewed)
        return lambda: worker.run(operation.pk)

    for _ in die_everywhere(case):
        recover()

        cancellation = Cancellation.objects.select_related("package").latest("pk")
        package = cancellation.package
        assert cancellation.state == Cancellation.State.CONFIRMED
        assert cancellation.total_refund == sum(q.price for q in package.quotes.all())
        assert package.status == "CANCELLED"
        assert carried_out(sandbox, "confirm_cancellation", package) == 1


def test_a_change_survives_a_death_at_every_point_and_costs_its_difference_once(
    booking: Callable[[int], QuotePackage], sandbox: Sandbox
) -> None:
    def case(number: int) -> Callable[[], object]:
        package = booking(number)
        dearer, quote = {"price": Decimal(1500)}, package.quotes.get()
        priced = modification.quote_change(
            package, quote=quote, update_fields=dearer, origin="shopper"
        )
        operation = modification.settle(priced, reference="paid")
        return lambda: worker.run(operation.pk)

    for _ in die_everywhere(case):
        recover()

        change = Modification.objects.select_related("package").latest("pk")
        assert change.state == Modification.State.CONFIRMED
        assert change.package.total_price == change.price_after > change.price_before
        assert carried_out(sandbox, "confirm_modification", change.package) == 1


def test_a_renewal_survives_a_death_at_every_point(
    booking: Callable[[int], QuotePackage], sandbox: Sandbox
) -> None:
    bought = timezone.now()

    def case(number: int) -> Callable[[], object]:
        with time_machine.travel(bought, tick=False):
            package = booking(number)
        ends = package.quotes.get().policy_end_date
        assert ends is not None
        quoted = renewing.quote(due.note(package, ends))
        operation = renewing.record_payment(quoted, reference="PAY-1", amount=quoted.premium)
        return lambda: worker.run(operation.pk)

    with time_machine.travel(bought + timedelta(days=355), tick=False):
        for _ in die_everywhere(case):
            recover()

            renewal = Renewal.objects.select_related("package").latest("pk")
            statuses = [quote.status for quote in renewal.package.quotes.all()]
            assert renewal.state == Renewal.State.CONFIRMED
            assert renewal.package.attention == ""
            assert statuses.count("CONFIRMED") == 1
            assert carried_out(sandbox, "confirm_renewal", renewal.package) == 1


def test_a_webhook_survives_a_death_at_every_point(
    booking: Callable[[int], QuotePackage],
) -> None:
    def case(number: int) -> Callable[[], object]:
        WebhookDelivery.objects.all().delete()
        package = booking(number)
        factory.client_for("default").cancel_booking(
            package.package_id, idempotency_key=f"{number}"
        )
        delivery = WebhookDeliveryFactory.create(package=package)
        return lambda: webhooks.process(delivery.pk)

    for _ in die_everywhere(case):
        recover()

        assert the_delivery().state == WebhookDelivery.State.PROCESSED
        package = QuotePackage.objects.latest("pk")
        assert package.status == "CANCELLED"
        assert {quote.status for quote in package.quotes.all()} == {"CANCELLED"}


def test_an_order_is_paid_with_its_operation_or_not_at_all(
    shop: Shop, sandbox: Sandbox, read: ReadCart
) -> None:
    def case(number: int) -> Callable[[], object]:
        cart = Cart(reference=f"cart-{number}")
        Shopper(cart, read).says(yes=True)
        order = shop.order(f"ORD-{number}")

        def pay() -> None:
            with transaction.atomic():
                completion.complete(order, cart, paid=True)

        return pay

    for number in die_everywhere(case):
        package = QuotePackage.objects.get(cart_reference=f"cart-{number}")
        assert bool(package.order_reference) == package.operations.exists()

        completion.complete(
            shop.orders[f"ORD-{number}"], Cart(reference=f"cart-{number}"), paid=True
        )
        recover()

        package.refresh_from_db()
        assert package.status == "CONFIRMED"
        assert package.operations.count() == 1
        assert carried_out(sandbox, "create_booking", package) == 1
