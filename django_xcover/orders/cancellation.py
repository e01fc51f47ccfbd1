"""Cancel the cover of orders, or order lines, that the shop cancelled or took back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from django_xcover import safe_logging, validators, values
from django_xcover.booking import booking
from django_xcover.client.errors import clean
from django_xcover.mirror import decisions, flags
from django_xcover.models import (
    Attention,
    Cancellation,
    Choice,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.offers import carts, shop_values
from django_xcover.policies.cancellation import eligibility, requests

logger = safe_logging.get_logger("django_xcover.orders")

SHOP = Cancellation.Origin.SHOP


def cancel_order(order: Any, lines: Iterable[Any] | None = None, reason: str = "") -> None:
    """Cancel the cover of `order`, or of the lines with these references.

    Policies are cancelled; accepted cover that isn't booked yet is taken back. Makes no calls, runs
    in the shop's transaction and can be repeated. A reason that contains a card number is dropped.
    Unknown lines are logged; if all lines are unknown, the order is flagged for a person.
    """
    cancel_by_reference(shop_values.order_reference(order), read_lines(lines), reason)


def cancel_by_reference(
    reference: str,
    lines: Collection[str] | None = None,
    reason: str = "",
    *,
    only: QuotePackage | None = None,
) -> None:
    """Cancel, as `cancel_order` does, the cover of the order with this reference.

    With `only`, cancel in that package of the order, because the others were handled before.
    """
    reason = "" if validators.holds_card_number(reason) else reason
    with transaction.atomic():
        packages = QuotePackage.objects.lock_order(reference)
        concerned = packages if only is None else [only]
        for package in concerned:
            _cancel_in(package, None if lines is None else set(lines), reason)
        if lines is not None and _are_unknown(reference, packages, lines):
            _flag_insured(concerned)


def read_lines(lines: Iterable[Any] | None) -> list[str] | None:
    """Return the references of cancelled lines, None for the whole order.

    A single string is one reference, not an iterable of letters. A value that is no text is
    replaced by its type's name, which matches no line, so it is reported as unknown.
    """
    if lines is None:
        return None
    alone = isinstance(lines, str | bytes | Mapping) or not isinstance(lines, Iterable)
    return [_line_reference(line) for line in ([lines] if alone else lines)]


def _line_reference(line: Any) -> str:
    try:
        return values.reference(line, "lines")
    except values.UnusableValue:
        return f"<{type(line).__name__}>"


def _are_unknown(reference: str, packages: Sequence[QuotePackage], lines: Collection[str]) -> bool:
    """Log unknown lines, and return whether all of them are unknown.

    Usually those are lines that were never offered cover.
    """
    rows = Quote.objects.filter(package__in=packages)
    known = set(rows.values_list("line_reference", flat=True))
    unknown = [line for line in lines if line not in known]
    if not lines:
        logger.warning("Order %s was cancelled without naming a line.", reference)
    for line in unknown:
        logger.warning(
            "Line %r of order %s was cancelled, and no cover is known for it.",
            clean(line, values.LONGEST_REFERENCE),
            reference,
        )
    return bool(unknown) and len(unknown) == len(lines)


def _flag_insured(packages: Iterable[QuotePackage]) -> None:
    """Flag the packages whose order named only unknown lines, if their cover stays in force.

    The shop probably uses other references here than in its quotes.
    """
    for package in packages:
        if package.quotes.accepted().exclude(status=Status.CANCELLED).exists():
            flags.flag(package, Attention.LINE_UNKNOWN)


def cancel_withdrawn(package: QuotePackage, status: Status = Status.CONFIRMED) -> None:
    """Enqueue the cancellation of policies that were taken back but are booked anyway.

    A booking may have been running, or its outcome unknown, when its order was cancelled. XCover
    also confirms a pending booking as a whole: with PENDING_PAYMENT, unwanted policies are
    cancelled right after the confirmation. Call it with the package locked.
    """
    withdrawn = package.quotes.filter(choice=Choice.WITHDRAWN, status=status)
    under_way = eligibility.being_cancelled(package)
    quotes = [quote for quote in withdrawn if quote.pk not in under_way]
    if quotes:
        requests.enqueue(package, quotes, origin=SHOP, reason=decisions.why_withdrawn(quotes))


def _cancel_in(package: QuotePackage, lines: set[str] | None, reason: str) -> None:
    quotes = [
        quote
        for quote in carts.lock_quotes(package)
        if lines is None or quote.line_reference in lines
    ]
    policies, _reasons = eligibility.split(package, quotes)
    if policies:
        requests.enqueue(package, policies, origin=SHOP, reason=reason)
    unbooked = (Status.RECEIVED, Status.PENDING_PAYMENT, Status.FAILED)
    chosen = [q for q in quotes if q.choice == Choice.ACCEPTED and q.status in unbooked]
    if chosen:
        doubtful = booking.take_back(package, chosen, decisions.ORDER_CANCELLED)
        if doubtful:
            following = requests.enqueue(package, chosen, origin=SHOP, reason=reason)
            booking.give_time(following, doubtful)
