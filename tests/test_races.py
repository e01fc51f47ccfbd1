"""Races between real connections, on whatever database the suite runs on."""

from __future__ import annotations

import pytest
from django.db import transaction

from django_xcover import exceptions, worker
from django_xcover.models import Choice, Instalment, Operation, OperationState, Quote
from django_xcover.outbox import operations
from django_xcover.policies import instalments
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package
from tests.races import together
from tests.shop import Shop, laptop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> Operation:
    """Return the operation of a paid order."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


def test_eight_workers_book_once(paid: Operation, sandbox: Sandbox) -> None:
    together(*[lambda: worker.run(paid.pk)] * 8)

    assert len(sandbox.calls("create_booking")) == 1
    assert the_operation().state == OperationState.DONE
    assert the_operation().attempts == 1


def test_eight_claims_have_one_winner(paid: Operation) -> None:
    results = together(*[lambda: operations.claim(paid.pk)] * 8)

    assert sum(isinstance(result, Operation) for result in results) == 1


def test_a_pay_button_clicked_eight_times_writes_one_operation(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order()

    def pay() -> None:
        with transaction.atomic():
            completion.complete(order, shopper.cart, paid=True)

    together(*[pay] * 8)

    assert Operation.objects.count() == 1


def test_a_choice_that_races_with_the_order_is_in_it_or_refused(
    shopper: Shopper, shop: Shop
) -> None:
    quote_id = shopper.says(yes=False).quotes[0].quote_id
    order = shop.order()

    answer, _ = together(
        lambda: shopper.posts(quote_id, yes=True),
        lambda: completion.complete(order, shopper.cart, paid=True),
    )

    choice, kind = Quote.objects.get().choice, the_operation().kind
    if isinstance(answer, exceptions.OfferClosed):
        assert (choice, kind) == (Choice.DECLINED, "opt_out")
    else:
        assert (choice, kind) == (Choice.ACCEPTED, "book")
    assert the_package().order_reference == "ORD-1"


def test_eight_readings_of_a_schedule_save_it_once(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.cart = shopper.cart.but(items=(laptop(),))
    shopper.says(yes=True)
    Quote.objects.update(instalment_plan="1year-monthly")
    completion.complete(shop.order(), shopper.cart, paid=True)
    worker.run(the_operation().pk)
    package = the_package()

    results = together(*[lambda: instalments.mirror(package)] * 8)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert Instalment.objects.count() == 12
