"""The steps after a booking: read again, cancelled, changed, renewed, paid in parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import time_machine
from django.utils import timezone

from django_xcover.mirror import refresh
from django_xcover.models import Cancellation, Modification, Operation, QuotePackage, Renewal
from django_xcover.policies import (
    cancellation,
    emails,
    instalments,
    modification,
)
from django_xcover.policies import (
    renewal as renewing,
)
from tests.fuzz.recording import Recorder, Step, record
from tests.fuzz.sale import booked, carry_out, cart_of, for_a_year
from tests.shop import laptop, ticket

PLAN = "1year-monthly"
SHOPPER = Cancellation.Origin.SHOPPER


def steps(recorder: Recorder) -> Iterator[Step]:
    """Yield every step of a policy's life."""
    yield from _reading(recorder)
    yield from _instalments(recorder)
    yield from _cancelling(recorder)
    yield from _changing(recorder)
    yield from _renewing(recorder)


def _reading(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("read", laptop(), ticket())
    package = booked(cart)
    yield record(recorder, "refresh", cart, partial(_refresh, package))
    email = emails.send_again(package)
    yield record(recorder, "e-mail", cart, partial(carry_out, email))


def _refresh(package: QuotePackage) -> None:
    refresh.refresh(_fresh(package))


def _instalments(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("monthly", laptop())
    package = booked(cart, plan=PLAN)
    yield record(recorder, "instalments", cart, partial(_mirror, package))
    yield record(recorder, "instalments, one paid", cart, partial(_mirror_and_pay, package))
    cart = cart_of("failing", laptop())
    second = instalments.mirror(booked(cart, plan=PLAN))[1]
    report = instalments.report(second, paid=False)
    yield record(recorder, "report an instalment", cart, partial(carry_out, report))
    act = partial(carry_out, report, again=True)
    yield record(recorder, "report an instalment again", cart, act)


def _mirror(package: QuotePackage) -> None:
    instalments.mirror(package)


def _mirror_and_pay(package: QuotePackage) -> str:
    unpaid = [row for row in instalments.mirror(package) if row.status != "PAID"]
    return carry_out(instalments.report(unpaid[0], paid=True)) if unpaid else "nothing to pay"


def _cancelling(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("doubtful", laptop(), ticket())
    package = booked(cart)
    yield record(recorder, "cancellation preview", cart, partial(_show_preview, package))
    yield record(recorder, "preview and cancel", cart, partial(_cancel, package))
    cart = cart_of("cancelled")
    confirmed = cancellation.request(_preview(booked(cart)))
    yield record(recorder, "cancel", cart, partial(carry_out, confirmed))
    act = partial(carry_out, confirmed, again=True)
    yield record(recorder, "cancel again", cart, act)
    cart = cart_of("cancelled-at-once", laptop(), ticket())
    at_once = cancellation.cancel_now(booked(cart), origin=SHOPPER)
    yield record(recorder, "cancel without a preview", cart, partial(carry_out, at_once))


def _show_preview(package: QuotePackage) -> None:
    _preview(package)


def _preview(package: QuotePackage) -> Cancellation:
    return cancellation.preview(_fresh(package), origin=SHOPPER)


def _cancel(package: QuotePackage) -> str:
    return carry_out(cancellation.request(_preview(package)))


def _changing(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("priced")
    priced = booked(cart)
    yield record(recorder, "modification price", cart, partial(_show_price, priced))
    yield record(recorder, "price and modify", cart, partial(_modify, priced))
    cart = cart_of("changed")
    settled = modification.settle(_price(booked(cart)), reference="paid")
    yield record(recorder, "modify", cart, partial(carry_out, settled))
    yield record(recorder, "modify again", cart, partial(carry_out, settled, again=True))
    cart = cart_of("moved")
    package = booked(cart)
    modification.change_details(package, {"phone": "+442071838750"}, origin=SHOPPER)
    details = package.operations.get(kind="modify")
    yield record(recorder, "change details", cart, partial(carry_out, details))
    act = partial(carry_out, details, again=True)
    yield record(recorder, "change details again", cart, act)


def _show_price(package: QuotePackage) -> None:
    _price(package)


def _price(package: QuotePackage) -> Modification:
    quote, dearer = package.quotes.get(), {"price": Decimal(1500)}
    return modification.quote_change(
        _fresh(package), quote=quote, update_fields=dearer, origin=SHOPPER
    )


def _modify(package: QuotePackage) -> str:
    return carry_out(modification.settle(_price(package), reference="paid"))


def _renewing(recorder: Recorder) -> Iterator[Step]:
    due, renewed, announced, declined = map(_due, ("due", "renewed", "announced", "not-renewed"))
    with time_machine.travel(timezone.now() + timedelta(days=350)):
        yield record(recorder, "renewal price", cart_of("due"), partial(_renewal_price, due))
        yield record(recorder, "price and renew", cart_of("due"), partial(_renew, due))
        paid = _pay(renewing.quote(renewed))
        yield record(recorder, "renew", cart_of("renewed"), partial(carry_out, paid))
        renewing.quote(announced)
        by_id = renewing.confirm_legacy(announced)
        act = partial(carry_out, by_id)
        yield record(recorder, "renew by id", cart_of("announced"), act)
        no = renewing.opt_out(declined)
        yield record(recorder, "renewal opt-out", cart_of("not-renewed"), partial(carry_out, no))
    written = Operation.objects.filter(pk__in=[paid.pk, by_id.pk, no.pk])
    written.update(next_attempt_at=timezone.now())


def _due(reference: str) -> Renewal:
    package = booked(cart_of(reference, for_a_year(laptop())))
    due_on = timezone.now() + timedelta(days=360)
    return Renewal.objects.create(package=package, due_on=due_on, currency=package.currency)


def _renewal_price(renewal: Renewal) -> None:
    renewing.quote(_fresh(renewal))


def _renew(renewal: Renewal) -> str:
    return carry_out(_pay(renewing.quote(_fresh(renewal))))


def _pay(renewal: Renewal) -> Operation:
    return renewing.record_payment(renewal, reference="r-1", amount=renewal.premium)


def _fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)
