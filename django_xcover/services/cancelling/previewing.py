"""Asking XCover what a cancellation would mean, within the time that a person waits.

A preview says CANCELLED while nothing is (recorded contract, 4.3): it fills a row of its own and
never touches package or policies.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover.client import ValidationFailed, XCoverError
from django_xcover.client.changes import CancellationAnswer, cancellation_from_wire
from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.models import Cancellation, Quote, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.services import card_numbers, deadlines, gateway, refreshing, refunds
from django_xcover.services.cancelling import cancellable, requesting
from django_xcover.services.cancelling.cancellable import NotCancellable
from django_xcover.services.outdating import was_paid_since
from django_xcover.services.refusals import Refused

# Seconds for all that a person waits for.
DEADLINE = 5.0


def preview(
    package: QuotePackage,
    *,
    quotes: Sequence[Quote] | None = None,
    origin: Cancellation.Origin,
    reason: str = "",
) -> Cancellation:
    """Ask XCover what cancelling means and return it; nothing is cancelled.

    Without `quotes` it is the whole booking, as far as it is in force. The answer has the refund
    and until when it can be confirmed (`confirm_before`, recorded: 24 hours). Takes `DEADLINE`
    seconds at most; hold no transaction meanwhile. Raises NotCancellable or AlreadyCancelled with
    a sentence for the person, CardNumberSent for one in `reason`, and XCoverError when XCover
    cannot be asked.
    """
    card_numbers.refuse(reason, "reason")
    until = time.monotonic() + DEADLINE
    while True:
        asked_at = timezone.now()
        wanted, answer = _ask(package, quotes, reason, until)
        facts = {
            **refunds.told(answer),
            "cancellation_id": answer.cancellation_id,
            "confirm_before": answer.confirm_before,
        }
        with transaction.atomic():
            QuotePackage.objects.locked().get(pk=package.pk)
            # An instalment that was paid while XCover was asked is not part of its answer.
            if not was_paid_since(package, asked_at):
                return requesting.create(package, wanted, origin=origin, reason=reason, **facts)


def _ask(
    package: QuotePackage, quotes: Sequence[Quote] | None, reason: str, until: float
) -> tuple[list[Quote], CancellationAnswer]:
    """Return the policies that can be cancelled and XCover's preview of it.

    Raises NotCancellable or AlreadyCancelled, and XCoverError when XCover cannot be asked.
    """
    wanted = _permitted(package, quotes, until)
    body = {**cancellable.body_of(wanted, reason), "preview": True}
    try:
        return wanted, _preview(package, body, until)
    except ValidationFailed as refused:
        raise _why_refused(package, quotes, until) from refused


def _permitted(package: QuotePackage, quotes: Sequence[Quote] | None, until: float) -> list[Quote]:
    """Return what may be cancelled. A stored no may be old, so it is read again first."""
    named = quotes is not None
    wanted = cancellable.choose(package, quotes)
    if any(quote.can_be_cancelled is False for quote in wanted):
        refreshing.look_again(package, deadline=deadlines.remaining(until))
        wanted = cancellable.choose(package, quotes)
    return cancellable.permitted(wanted, all_of_them=named)


def _preview(package: QuotePackage, body: dict[str, Any], until: float) -> CancellationAnswer:
    wire = gateway.client_for(package.account).cancel_booking(
        package.package_id,
        body,
        idempotency_key=new_idempotency_key(),
        deadline=deadlines.remaining(until),
    )
    answer = cancellation_from_wire(wire)
    if not answer.preview:
        raise UnexpectedAnswer.at("cancellation_id", "is missing")
    if answer.currency != package.currency:
        raise UnexpectedAnswer.at("currency", "is not the one that the booking was paid in")
    return answer


def _why_refused(package: QuotePackage, quotes: Sequence[Quote] | None, until: float) -> Refused:
    """Return the reason as a person understands it: what XCover holds by now tells it."""
    try:
        refreshing.look_again(package, deadline=deadlines.remaining(until))
        cancellable.choose(package, quotes)
    except Refused as reason:
        return reason
    except XCoverError:
        return NotCancellable()
    return NotCancellable()
