"""Which policies can be cancelled, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.utils import timezone

from django_xcover.exceptions import (
    ActionRefused,
    AlreadyCancelled,
    BeingCancelled,
    CoverEnded,
    NotCancellable,
    NotInForce,
)
from django_xcover.models import (
    BOOKED,
    Cancellation,
    Choice,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.policies.staleness import changes_since, was_paid_since

# Agreed, and no cover yet: not booked, or booked and not paid.
UNBOOKED = (Status.RECEIVED, Status.PENDING_PAYMENT)
# Over, and not by a cancellation.
NOT_CANCELLABLE = (Status.RENEWED, Status.FAILED, Status.DELETED)


def choose(
    package: QuotePackage, quotes: Iterable[Quote] | None, *, unbooked: bool = False
) -> list[Quote]:
    """Return the policies to cancel, freshly read; `quotes` None means the whole booking.

    For a whole booking these are the policies still in force; given `quotes` must all be in force,
    or with `unbooked` at least be agreed. Raises NotCancellable or AlreadyCancelled, or a subclass,
    with the reason.
    """
    if quotes is None:
        wanted = list(package.quotes.filter(status__in=BOOKED).order_by("position"))
    else:
        keys = {quote.pk for quote in quotes}
        wanted = list(package.quotes.filter(pk__in=keys).order_by("position"))
        if len(wanted) < len(keys):
            raise NotCancellable
    free, obstacles = split(package, wanted, unbooked=unbooked)
    if obstacles and (quotes is not None or not free):
        raise obstacles[-1]
    if not free:
        raise NotInForce
    return free


def split(
    package: QuotePackage, quotes: Iterable[Quote], *, unbooked: bool = False
) -> tuple[list[Quote], list[ActionRefused]]:
    """Return the `quotes` that can be cancelled, and a refusal for each of the others.

    With `unbooked`, the first list includes quotes that are agreed but not in force yet: a customer
    may withdraw as soon as the contract is made, before XCover has a booking to cancel.
    """
    under_way = being_cancelled(package)
    checked = [
        (
            quote,
            _unbooked_obstacle(quote, under_way)
            if unbooked and is_unbooked(quote)
            else _obstacle(quote, under_way),
        )
        for quote in quotes
    ]
    free = [quote for quote, obstacle in checked if obstacle is None]
    return free, [obstacle for _quote, obstacle in checked if obstacle is not None]


def is_unbooked(quote: Quote) -> bool:
    """Return whether `quote` was ordered with cover that is not in force yet, or taken back since.

    `quote.package` must be loaded.
    """
    was_chosen = quote.choice in {Choice.ACCEPTED, Choice.WITHDRAWN}
    return was_chosen and quote.status in UNBOOKED and bool(quote.package.order_reference)


def being_cancelled(package: QuotePackage) -> set[int]:
    """Return the primary keys of the policies whose cancellation is in progress."""
    rows = Quote.objects.filter(
        cancellations__package=package, cancellations__state=Cancellation.State.REQUESTED
    )
    return set(rows.values_list("pk", flat=True))


def is_outdated(cancellation: Cancellation) -> bool:
    """Return whether a preview has expired, or its refund is based on an outdated price."""
    end = cancellation.confirm_before
    if end is not None and end <= timezone.now():
        return True
    since = cancellation.created_at
    package = cancellation.package
    return bool(changes_since(package, since)) or was_paid_since(package, since)


def permitted(quotes: Sequence[Quote], *, all_of_them: bool) -> list[Quote]:
    """Return the policies whose `can_be_cancelled` is not false.

    With `all_of_them` a single false one raises. Raises NotCancellable.
    """
    free = [quote for quote in quotes if quote.can_be_cancelled is not False]
    if not free or (all_of_them and len(free) < len(quotes)):
        raise NotCancellable
    return free


def body_of(quotes: Iterable[Quote], reason: str) -> dict[str, Any]:
    """Return the body of `POST bookings/{INS}/cancel`.

    Each policy is named, so that only what the user saw is cancelled. The reason is given for each
    policy, because only there is it documented for all versions.
    """
    why = {"reason_for_cancellation": reason} if reason else {}
    return {"quotes": [{"id": quote.quote_id, **why} for quote in quotes]}


def _unbooked_obstacle(quote: Quote, under_way: Collection[int]) -> ActionRefused | None:
    if quote.pk in under_way:
        return BeingCancelled()
    return AlreadyCancelled() if quote.choice == Choice.WITHDRAWN else None


def _obstacle(quote: Quote, under_way: Collection[int]) -> ActionRefused | None:
    if quote.status == Status.CANCELLED:
        return AlreadyCancelled()
    if quote.pk in under_way:
        return BeingCancelled()
    if quote.status in NOT_CANCELLABLE:
        return NotCancellable()
    if quote.status != Status.CONFIRMED:
        return NotInForce()
    ended = quote.policy_end_date is not None and quote.policy_end_date <= timezone.now()
    return CoverEnded() if ended else None
