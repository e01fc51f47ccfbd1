"""Compare one stored package with the one at XCover. Works on values; reads and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer
from django_xcover.mirror import renewal_links
from django_xcover.models import BOOKED, Choice, Discrepancy, Quote, QuotePackage, Status

Kind = Discrepancy.Kind
# Statuses of policies that are, or were, in force.
COVERED = (Status.CONFIRMED, Status.CANCELLED, Status.RENEWED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our side: a package, its quotes that are still offered, and the payment.

    `is_paid` is None if unknown. `in_hand` means that an operation on the package is running or
    due, so differences may be about to disappear. `changed_at` is the last change of the package
    or one of its operations, None if not needed.
    """

    package: QuotePackage
    quotes: tuple[Quote, ...]
    is_paid: bool | None
    in_hand: bool
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference with the amounts involved. See `Discrepancy` for the fields."""

    kind: Discrepancy.Kind
    package_id: str
    currency: str
    at_stake: Decimal
    quote_id: str = ""
    order_reference: str = ""
    ours: Decimal | None = None
    theirs: Decimal | None = None
    here: str = ""
    there: str = ""


def compare(ours: Ours, theirs: PackageAnswer | None) -> list[Finding]:
    """Return the differences; `theirs` is None if XCover doesn't know the package.

    Each amount occurs in one finding at most, so the differences add up to what XCover holds in
    force minus what was paid for. Only findings about a status have no difference in money.
    """
    there = {read.quote_id: read for read in theirs.quotes} if theirs else {}
    findings = [*_status(ours, theirs), *_not_paid(ours, theirs), *_strangers(ours, theirs)]
    for quote in ours.quotes:
        read = there.get(quote.quote_id)
        findings += list(_quote(ours, theirs, quote, read)) or _quote_status(
            ours, theirs, quote, read
        )
    return findings


def is_behind(ours: Ours, theirs: PackageAnswer) -> bool:
    """Return whether the stored package differs from, or has less than, XCover's."""
    known = {quote.quote_id: (quote.status, quote.price) for quote in ours.quotes}
    held = [read for read in theirs.quotes if read.status != Status.DELETED]
    differs = any(known.get(read.quote_id) != (read.status, read.price) for read in held)
    return differs or ours.package.status != theirs.status


def unknown(theirs: PackageAnswer) -> Finding:
    """Return the finding for a booking at XCover that is unknown here."""
    total = theirs.total
    return Finding(
        kind=Kind.UNKNOWN,
        package_id=theirs.package_id,
        order_reference=(theirs.partner_transaction_id or "")[:100],
        currency=theirs.currency,
        theirs=total,
        at_stake=total,
        there=theirs.status[:32],
    )


def _status(ours: Ours, theirs: PackageAnswer | None) -> Iterator[Finding]:
    package = ours.package
    total, here = package.total_price, package.status
    if theirs is None:
        is_owed = ours.is_paid and any(q.choice == Choice.ACCEPTED for q in ours.quotes)
        if here in BOOKED and not is_owed:
            yield _finding(ours, Kind.STATUS_DIFFERS, mine=total, here=here)
    elif theirs.status != here:
        its = theirs.total if theirs.currency == package.currency else None
        there = theirs.status
        yield _finding(ours, Kind.STATUS_DIFFERS, mine=total, its=its, here=here, there=there)
    elif theirs.currency != package.currency:
        # Amounts in two currencies can't be subtracted; the agreed amount is at stake.
        here, there = package.currency, theirs.currency
        yield _finding(ours, Kind.PRICE_DIFFERS, mine=total, here=here, there=there)


def _quote(
    ours: Ours, theirs: PackageAnswer | None, quote: Quote, read: QuoteAnswer | None
) -> Iterator[Finding]:
    if not renewal_links.was_chosen(quote):
        yield from _not_chosen(ours, theirs, quote, read)
        return
    price = quote.price if quote.chosen_price is None else quote.chosen_price
    if read is None or read.status not in COVERED:
        # XCover holds a booking until it is paid, so before payment this is no difference.
        if ours.is_paid:
            there = read.status if read else ""
            yield _finding(ours, Kind.NOT_COVERED, quote=quote, mine=price, there=there)
    elif _is_comparable(ours, theirs, read) and read.price != price:
        it = read.status
        yield _finding(ours, Kind.PRICE_DIFFERS, quote=quote, mine=price, its=read.price, there=it)


def _is_comparable(ours: Ours, theirs: PackageAnswer | None, read: QuoteAnswer) -> bool:
    """Return whether the price of a policy can be compared with the accepted price.

    After a cancellation XCover may change the price, and only the refund matters. For an unpaid
    order the whole amount is listed as not paid. Amounts in two currencies can't be compared.
    """
    in_force = read.status == Status.CONFIRMED and ours.is_paid is not False
    return in_force and theirs is not None and theirs.currency == ours.package.currency


def _not_chosen(
    ours: Ours, theirs: PackageAnswer | None, quote: Quote, read: QuoteAnswer | None
) -> Iterator[Finding]:
    """Yield cover in force that was never accepted here, because XCover may charge for it."""
    if read is None or theirs is None or read.status != Status.CONFIRMED:
        return
    # For an unpaid order, everything in force is listed together.
    if ours.is_paid is not False:
        its, there, currency = read.price, read.status, theirs.currency
        yield _finding(ours, Kind.NOT_PAID, quote=quote, its=its, there=there, currency=currency)


def _strangers(ours: Ours, theirs: PackageAnswer | None) -> Iterator[Finding]:
    """Yield policies in force that aren't offered here: removed from the cart, or never quoted."""
    if theirs is None or ours.is_paid is False:
        return  # for an unpaid order, everything in force is listed together
    known = {quote.quote_id for quote in ours.quotes}
    for read in theirs.quotes:
        if read.status == Status.CONFIRMED and read.quote_id not in known:
            finding = _finding(
                ours, Kind.NOT_PAID, its=read.price, there=read.status, currency=theirs.currency
            )
            yield replace(finding, quote_id=read.quote_id)


def _quote_status(
    ours: Ours, theirs: PackageAnswer | None, quote: Quote, read: QuoteAnswer | None
) -> list[Finding]:
    # If the package's status differs, one finding covers all its quotes.
    if theirs is None or theirs.status != ours.package.status:
        return []
    if read is None or read.status == quote.status:
        return []
    mine, its, there = quote.price, read.price, read.status
    return [_finding(ours, Kind.STATUS_DIFFERS, quote=quote, mine=mine, its=its, there=there)]


def _not_paid(ours: Ours, theirs: PackageAnswer | None) -> Iterator[Finding]:
    in_force = [q for q in theirs.quotes if q.status == Status.CONFIRMED] if theirs else []
    if theirs is not None and ours.is_paid is False and in_force:
        its = sum((read.price for read in in_force), Decimal(0))
        here, there, currency = ours.package.status, "CONFIRMED", theirs.currency
        yield _finding(ours, Kind.NOT_PAID, its=its, here=here, there=there, currency=currency)


def _finding(
    ours: Ours,
    kind: Discrepancy.Kind,
    *,
    quote: Quote | None = None,
    mine: Decimal | None = None,
    its: Decimal | None = None,
    here: str = "",
    there: str = "",
    currency: str = "",
) -> Finding:
    return Finding(
        kind=kind,
        package_id=ours.package.package_id,
        quote_id=quote.quote_id if quote else "",
        order_reference=ours.package.order_reference,
        currency=currency or ours.package.currency,
        ours=mine,
        theirs=its,
        at_stake=_at_stake(kind, mine, its),
        here=str(quote.status if quote else here)[:32],
        there=str(there)[:32],
    )


def _at_stake(kind: Discrepancy.Kind, mine: Decimal | None, its: Decimal | None) -> Decimal:
    if kind == Kind.PRICE_DIFFERS and mine is not None and its is not None:
        return abs(its - mine)
    return max(mine or Decimal(0), its or Decimal(0))
