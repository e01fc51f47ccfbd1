"""The steps that XCover's own changes lead to: webhooks, and the list that is walked through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from unittest import mock

import time_machine
from django.utils import timezone

from django_xcover.clients import factory
from django_xcover.models import (
    Discrepancy,
    Operation,
    QuotePackage,
    Reconciliation,
    Renewal,
    WebhookDelivery,
)
from django_xcover.sync import reconciliation, webhooks
from django_xcover.sync.reconciliation import run
from tests.fuzz.recording import Recorder, Step, record
from tests.fuzz.sale import WALKED, booked, cart_of, for_a_year, package_of, sold
from tests.shop import Cart, laptop

# So that a few bookings make several pages.
PAGE = 3


def steps(recorder: Recorder) -> Iterator[Step]:
    """Yield every step that begins at XCover."""
    yield from _webhooks(recorder)
    yield from _reconciling(recorder)


def _webhooks(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("told-of")
    told = _delivery("BOOKING_UPDATED", booked(cart))
    yield record(recorder, "webhook", cart, partial(_look_into, told))
    cart = cart_of("ending", for_a_year(laptop()))
    package = booked(cart)
    due_on = timezone.now() + timedelta(days=360)
    Renewal.objects.create(package=package, due_on=due_on, currency=package.currency)
    ending = _delivery("RENEWAL_NOTIFICATION", package)
    with time_machine.travel(timezone.now() + timedelta(days=350)):
        yield record(recorder, "webhook about a renewal", cart, partial(_look_into, ending))


def _delivery(event: str, package: QuotePackage) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        account=package.account,
        key=event,
        event=event,
        package_id=package.package_id,
        body={"event": event, "payload": {"id": package.package_id}},
    )


def _look_into(delivery: WebhookDelivery) -> str:
    webhooks.process(delivery.pk)
    delivery.refresh_from_db()
    return str(delivery.state)


def _reconciling(recorder: Recorder) -> Iterator[Step]:
    lagging = cart_of("lagging")
    _cancel_by_telephone(_walked(booked(lagging)))
    for number in range(3):
        booked(cart_of(f"of-others-{number}"))
    _sell_and_forget(cart_of("forgotten"))
    _walked(sold(cart_of("not-booked-yet"))).operations.update(state="needs_person")
    _note_something_open()
    before = timezone.now() - timedelta(days=1)
    yield record(recorder, "reconcile", lagging, partial(_walk, None, fix=True))
    yield record(recorder, "reconcile what changed", lagging, partial(_walk, before, fix=False))
    yield record(recorder, "reconcile on trial", lagging, partial(_walk, None, dry_run=True))


def _walked(package: QuotePackage) -> QuotePackage:
    """Move `package` to the account that is walked through; it pays XCover under the same name."""
    QuotePackage.objects.filter(pk=package.pk).update(account=WALKED)
    package.refresh_from_db()
    return package


def _cancel_by_telephone(package: QuotePackage) -> None:
    factory.client_for(WALKED).cancel_booking(package.package_id, idempotency_key="telephone")


def _sell_and_forget(cart: Cart) -> None:
    """Leave a booking at XCover that nobody here knows."""
    package = booked(cart)
    package.operations.all().delete()
    package.decisions.all()._raw_delete(package.decisions.db)
    package.quotes.all().delete()
    package.delete()


def _note_something_open() -> None:
    """Leave a discrepancy about what is no booking any more: it is looked at once more."""
    Discrepancy.objects.create(
        account=WALKED,
        kind=Discrepancy.Kind.UNKNOWN,
        package_id=package_of(cart_of("not-booked-yet")).package_id,
        currency="GBP",
        at_stake=Decimal(1),
        last_seen_at=timezone.now() - timedelta(days=3),
    )


def _walk(since: datetime | None, *, fix: bool = False, dry_run: bool = False) -> str:
    with mock.patch.object(run, "PAGE", PAGE):
        report = reconciliation.reconcile(WALKED, since=since, fix=fix, dry_run=dry_run)
    assert not Reconciliation.objects.exclude(lease_until=None).exists()
    assert not Operation.objects.filter(package__account=WALKED, state="running").exists()
    return f"stopped by {type(report.error).__name__}" if report.error else "finished"
