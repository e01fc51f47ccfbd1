"""Work for a worker: sales by the dozen, and all that comes after one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

from django.db import transaction
from django.http import HttpRequest

from django_xcover.models import Cancellation, Operation, OperationState, QuotePackage
from django_xcover.offers import carts, choices, quoting
from django_xcover.policies import cancellation, emails, modification
from tests import completion, shop

BATCH, PATIENCE = 40, 120.0
LOST = 5.0  # seconds without any progress after which a message counts as lost
NO_THANKS = 8  # every so many-th customer wants no cover
ENDED = (OperationState.DONE, OperationState.DISCARDED)


def feed(*, until: int, alive: Callable[[], None]) -> Iterator[int]:
    """Have at least `until` operations carried out; yield their number after each batch.

    Of each sold cover there are five: booked, changed, written about twice, cancelled. `alive`
    raises when there is nobody to carry them out.
    """
    customers = itertools.count(1)
    done = 0
    while done < until:
        batch = list(itertools.islice(customers, BATCH))
        for number in batch:
            _sell(number)
        _wait(alive)
        for package in QuotePackage.objects.filter(pk__in=_booked(batch)).defer("payload"):
            _after_the_sale(package)
        _wait(alive)
        done = Operation.objects.filter(state=OperationState.DONE).count()
        yield done


def _sell(number: int) -> None:
    cart = shop.Cart(reference=f"cart-{number}")
    to_insure = carts.read_cart(HttpRequest(), cart)
    assert to_insure is not None
    offer = quoting.fresh_offer(to_insure)
    if offer is None:
        raise RuntimeError("The sandbox made no offer.")
    yes = number % NO_THANKS != 0
    quote_id = offer.quotes[0].quote_id
    choices.choose(to_insure, quote_id=quote_id, accepted=yes, template_version="memory")
    with transaction.atomic():
        completion.complete(shop.Order(reference=f"ORD-{number}"), cart, paid=True)


def _booked(batch: list[int]) -> list[int]:
    references = [f"ORD-{number}" for number in batch]
    rows = QuotePackage.objects.filter(order_reference__in=references, status="CONFIRMED")
    return list(rows.values_list("pk", flat=True))


def _after_the_sale(package: QuotePackage) -> None:
    phone = f"+4477{package.pk:08}"
    modification.change_details(package, {"phone": phone}, origin="shopper")
    emails.send_again(package)
    emails.send_again(package, "BOOKING_CREATED")
    cancellation.cancel_now(package, origin=Cancellation.Origin.SHOP)


def _wait(alive: Callable[[], None]) -> None:
    """Wait until nothing is left to do, and sweep once nothing moves any more."""
    from django_xcover.tasks import sweep_operations

    left, moved_at = -1, time.monotonic()
    while now_left := Operation.objects.exclude(state__in=ENDED).count():
        alive()
        if now_left != left:
            left, moved_at = now_left, time.monotonic()
        elif time.monotonic() - moved_at > LOST:
            _fail_if_stuck(moved_at)
            # Not while it works: each sweep hands over again whatever is due.
            sweep_operations.apply_async(retry=False)
            time.sleep(1)
        time.sleep(0.1)


def _fail_if_stuck(moved_at: float) -> None:
    left = Operation.objects.exclude(state__in=ENDED)
    stopped = left.filter(state=OperationState.NEEDS_PERSON).first()
    if stopped is not None or time.monotonic() - moved_at > PATIENCE:
        raise RuntimeError(f"{left.count()} operations are left: {stopped and stopped.error}")
