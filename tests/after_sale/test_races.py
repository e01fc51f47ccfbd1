"""Paying, answering and cancelling at once, in each order, between real connections.

Each interleaving is made by hand: one transaction stands still while another goes on.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from django.db import transaction

from django_xcover import payments
from django_xcover.cover import freeze_cover
from django_xcover.exceptions import AfterSaleOver, NotErasable, NothingDue
from django_xcover.models import AfterSaleOffer, Operation, OperationKind, QuotePackage
from django_xcover.offers import after_sale, fast_quote
from django_xcover.sandbox import Sandbox
from django_xcover.support import erasure
from django_xcover.types import Due, QuoteRequest
from tests.after_sale.conftest import Late, PayingAdapter, booked, the_row
from tests.conftest import work
from tests.races import meanwhile, together
from tests.shop import ticket

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = QuoteRequest(
    currency="GBP", customer_country="GB", customer_language="en", items=(ticket(),)
)


def record(due: Due) -> Operation:
    with transaction.atomic():
        return payments.record_payment(due)


@pytest.fixture(params=["offered at the checkout", "never offered"])
def due(request: Any, late: Late, request_for: Any, sandbox: Sandbox) -> Due:
    """Return what is due for a yes, for an order with a package and for one without."""
    if request.param == "offered at the checkout":
        late.orders()
        return late.accepts()
    freeze_cover(request_for(late.shopper.cart))
    late.orders(yes=None)
    PayingAdapter.wanted = staticmethod(lambda quoted: REQUEST)
    assert not QuotePackage.objects.exists()
    return late.accepts()


def test_two_payments_at_once_book_once(due: Due, sandbox: Sandbox) -> None:
    first, second = together(lambda: record(due), lambda: record(due))

    assert first == second
    assert Operation.objects.filter(kind=OperationKind.INSTANT_BOOK).count() == 1
    work()
    assert booked(sandbox) == 1


def test_an_order_cancelled_while_it_is_being_paid_is_not_insured(
    late: Late, due: Due, sandbox: Sandbox
) -> None:
    with ExitStack() as after, transaction.atomic():
        payments.record_payment(due)
        after.enter_context(meanwhile(late.cancels))

    work()
    assert booked(sandbox) == 0


def test_a_payment_while_the_order_is_being_cancelled_is_refused(
    late: Late, due: Due, sandbox: Sandbox
) -> None:
    with ExitStack() as after, transaction.atomic():
        late.cancels()
        recorded = after.enter_context(meanwhile(lambda: record(due)))

    work()
    assert isinstance(recorded[0], NothingDue)
    assert booked(sandbox) == 0


def test_a_payment_while_the_shopper_says_no_is_refused(due: Due, sandbox: Sandbox) -> None:
    with ExitStack() as after, transaction.atomic():
        after_sale.decline("ORD-1", template_version="test")
        recorded = after.enter_context(meanwhile(lambda: record(due)))

    work()
    assert isinstance(recorded[0], NothingDue)
    assert booked(sandbox) == 0


def test_a_no_while_it_is_being_paid_is_refused(due: Due, sandbox: Sandbox) -> None:
    with ExitStack() as after, transaction.atomic():
        payments.record_payment(due)
        no = lambda: after_sale.decline("ORD-1", template_version="test")  # noqa: E731
        declined = after.enter_context(meanwhile(no))

    work()
    assert isinstance(declined[0], AfterSaleOver)
    assert booked(sandbox) == 1
    assert the_row().choice == "accepted"


def test_an_order_erased_while_it_is_being_paid_waits_for_the_payment(due: Due) -> None:
    with ExitStack() as after, transaction.atomic():
        payments.record_payment(due)
        erased = after.enter_context(meanwhile(lambda: erasure.erase_order("ORD-1")))

    assert isinstance(erased[0], NotErasable)


def test_of_two_first_looks_the_first_answer_is_kept(
    late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    late.orders()
    ask = fast_quote.ask
    seen: list[Any] = []

    def slow(account: str, request: QuoteRequest) -> Any:
        """Let another tab be faster."""
        monkeypatch.setattr(fast_quote, "ask", ask)
        seen.append(late.sees())
        return ask(account, request)

    monkeypatch.setattr(fast_quote, "ask", slow)
    second = late.sees()

    assert second is not None
    assert AfterSaleOffer.objects.count() == 1
    assert second.shown == seen[0].shown
    assert late.accepts(shown=seen[0].shown) == late.accepts(shown=second.shown)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_given_while_another_tab_asks_for_the_price_is_kept(
    late: Late, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    late.orders()
    ask = fast_quote.ask

    def slow(account: str, request: QuoteRequest) -> Any:
        monkeypatch.setattr(fast_quote, "ask", ask)
        if answer == "yes":
            late.accepts()
        else:
            late.sees()
            after_sale.decline("ORD-1", template_version="test")
        return ask(account, request)

    monkeypatch.setattr(fast_quote, "ask", slow)
    second = late.sees()

    assert (second is not None) == (answer == "yes")
    assert the_row().choice == {"yes": "accepted", "no": "declined"}[answer]
