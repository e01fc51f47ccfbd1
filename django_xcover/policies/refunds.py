"""The refund XCover reports, and the refund the shop has made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from django_xcover import safe_logging
from django_xcover.client.schemas.policies import CancellationAnswer, CancelledQuote
from django_xcover.client.schemas.stored import without_booking
from django_xcover.exceptions import RefundAboveLimit, RefundNotRecorded
from django_xcover.formats import format_amount
from django_xcover.models import Cancellation, Quote, QuotePackage, RefundCorrection
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money
from django_xcover.validators import refuse_long

logger = safe_logging.get_logger("django_xcover.policies")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """The refund for one policy of a cancellation.

    `refund` is what the customer gets back, None until XCover has reported it. `adjustment_fee` has
    no documented meaning and is *not* deducted. Until `cooling_off_until` the refund is the full
    price, afterwards pro rata if the product provides for it.
    """

    quote_id: str
    label: str
    name: str
    price: Money | None
    refund: Money | None
    adjustment_fee: Money | None
    cooling_off_until: datetime | None


def columns_of(answer: CancellationAnswer) -> dict[str, Any]:
    """Return the amounts in `answer` as columns of a cancellation."""
    return {
        "lines": [_line(quote) for quote in answer.quotes],
        "total_refund": _total(answer),
        "currency": answer.currency,
        "payload": without_booking(answer.raw),
    }


@clears_frames
def lines_of(cancellation: Cancellation) -> tuple[RefundLine, ...]:
    """Return the refund of each policy, in the order of the booking. One query."""
    stored = {line["quote_id"]: line for line in cancellation.lines}
    quotes = cancellation.quotes.order_by("position")
    return tuple(
        _shown(stored.get(quote.quote_id, {}), cancellation.currency, quote) for quote in quotes
    )


@clears_frames
def record_refund(
    cancellation: Cancellation, refund: Money, *, reference: str = "", may_exceed: bool = False
) -> None:
    """Note that the shop has given `refund` back; `reference` is the payment's in the shop.

    The amount is what was paid out, even if it differs from XCover's figure. Recording the same
    refund again changes nothing. Raises RefundNotRecorded for another currency, an invalid amount,
    a cancellation that did not happen, and a second refund; RefundAboveLimit for more than `limit`,
    unless the caller `may_exceed` it; ReferenceTooLong for such a reference.
    """
    refuse_long(reference)
    cancellation.refresh_from_db()
    _refuse_unfit(cancellation, refund, may_exceed=may_exceed)
    rows = Cancellation.objects.filter(pk=cancellation.pk, refunded_at__isnull=True)
    now = timezone.now()
    first = rows.update(
        refunded=refund.amount,
        refund_reference=reference,
        refunded_at=now,
        updated_at=now,
    )
    cancellation.refresh_from_db()
    recorded = (cancellation.refunded, cancellation.refund_reference)
    if not first and recorded != (refund.amount, reference):
        raise RefundNotRecorded(why=_("another refund is recorded already."))


@clears_frames
def correct_refund(
    cancellation: Cancellation,
    refund: Money,
    *,
    reason: str,
    by: str = "",
    reference: str = "",
    may_exceed: bool = False,
) -> RefundCorrection:
    """Put `refund` and `reference` in place of what was recorded by mistake, and keep both.

    `reason` says what was wrong and `by` is the key of the user; neither may name the customer.
    Raises as `record_refund` does, and RefundNotRecorded when there is nothing to correct.
    """
    refuse_long(reference)
    with transaction.atomic():
        # Lock order: the package first. Two corrections at once would replace the same refund.
        QuotePackage.objects.locked().get(pk=cancellation.package_id)
        cancellation.refresh_from_db(from_queryset=Cancellation.objects.select_for_update())
        before = cancellation.refunded
        if before is None or (before, cancellation.refund_reference) == (refund.amount, reference):
            raise RefundNotRecorded(why=_("there is nothing to correct."))
        _refuse_unfit(cancellation, refund, may_exceed=may_exceed)
        correction = RefundCorrection.objects.create(
            cancellation=cancellation,
            amount_before=before,
            reference_before=cancellation.refund_reference,
            amount=refund.amount,
            reference=reference,
            reason=reason,
            by=by,
        )
        cancellation.refunded, cancellation.refund_reference = refund.amount, reference
        cancellation.save(update_fields=["refunded", "refund_reference", "updated_at"])
    logger.warning(
        "Order %s: the refund recorded for %s was corrected from %s to %s by user %s.",
        cancellation.package.order_reference,
        cancellation,
        before,
        refund.amount,
        by or "-",
    )
    return correction


def limit(cancellation: Cancellation) -> Money:
    """Return the most that may be refunded: XCover's figure, or the price of the policies."""
    if cancellation.refund is not None:
        return cancellation.refund
    quotes = cancellation.quotes.all()
    prices = [quote.price if quote.chosen_price is None else quote.chosen_price for quote in quotes]
    return Money(sum(prices, Decimal(0)), cancellation.currency)


def _refuse_unfit(cancellation: Cancellation, refund: Money, *, may_exceed: bool) -> None:
    why = _against(cancellation, refund)
    if why:
        raise RefundNotRecorded(why=why)
    most = limit(cancellation)
    if refund.amount <= most.amount:
        return
    facts = {"refund": format_amount(refund), "limit": format_amount(most)}
    if not may_exceed:
        raise RefundAboveLimit(**facts)
    logger.warning(
        "Order %s: a refund of %s was recorded for %s, above the limit of %s.",
        cancellation.package.order_reference,
        refund.amount,
        cancellation,
        most.amount,
    )


def recorded(cancellation: Cancellation) -> Money | None:
    """Return the refund the shop has recorded, None if there is none."""
    amount = cancellation.refunded
    return None if amount is None else Money(amount, cancellation.currency)


def differs(cancellation: Cancellation, refund: Money | None) -> bool:
    """Return whether `refund` differs from XCover's; False while XCover has not reported one."""
    named = cancellation.refund
    return named is not None and refund is not None and refund != named


def _total(answer: CancellationAnswer) -> Decimal | None:
    if answer.total_refund is not None:
        return answer.total_refund
    refunds = [quote.refund_value for quote in answer.quotes]
    known = [refund for refund in refunds if refund is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(refunds) else None


def _line(quote: CancelledQuote) -> dict[str, Any]:
    return {
        "quote_id": quote.quote_id,
        "price": quote.price,
        "refund": quote.refund_value,
        "adjustment_fee": quote.adjustment_fee,
        "cooling_off_until": quote.policy_coolingoff_date,
    }


def premium_line(quote: Quote, premium: Decimal | None) -> dict[str, Any]:
    """Return the line of a policy that was never booked; `premium` is what the shop returns."""
    return {
        "quote_id": quote.quote_id,
        "price": quote.price,
        "refund": premium,
        "adjustment_fee": None,
        "cooling_off_until": None,
    }


def _shown(line: Mapping[str, Any], currency: str, quote: Any) -> RefundLine:
    until = line.get("cooling_off_until")
    return RefundLine(
        quote_id=quote.quote_id,
        label=quote.label,
        name=quote.policy_name,
        price=_money(line.get("price"), currency),
        refund=_money(line.get("refund"), currency),
        adjustment_fee=_money(line.get("adjustment_fee"), currency),
        cooling_off_until=parse_datetime(until) if isinstance(until, str) else until,
    )


def _money(amount: Any, currency: str) -> Money | None:
    """Return an amount of a line as money: text when read from JSON, Decimal in a new row."""
    return None if amount is None else Money(Decimal(amount), currency)


def _against(cancellation: Cancellation, refund: Money) -> Any:
    """Return why the refund can't belong to this cancellation, "" if it can."""
    if cancellation.state not in {
        Cancellation.State.REQUESTED,
        Cancellation.State.CONFIRMED,
    }:
        return _("the cover was not cancelled.")
    if refund.currency != cancellation.currency:
        return _("the cover was paid in %(currency)s.") % {"currency": cancellation.currency}
    if not refund.amount.is_finite() or refund.amount < 0:
        return _("the amount must not be below zero.")
    return ""
