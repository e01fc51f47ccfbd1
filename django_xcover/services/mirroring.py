"""A vendor answer into rows. The vendor's answer is the truth; how it got here does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover import signals
from django_xcover.client.answers import PackageAnswer, QuoteAnswer
from django_xcover.models import BOOKED, Attention, Quote, QuotePackage, Status
from django_xcover.services import decisions, elsewhere, flags, offers, payloads, prices, succession
from django_xcover.services.carts import CartToInsure
from django_xcover.services.transitions import may_follow, move
from django_xcover.types import PolicyRequest

# What is read of XCover may need a person: this is how every reader says so.
flag = flags.flag
# The columns of a quote that follow XCover's answer.
READ = (
    "price",
    "policy_start_date",
    "policy_end_date",
    "can_be_cancelled",
    "is_renewable",
    "payload",
)
Lines = Mapping[str, PolicyRequest]
# The quotes of a package as they stand here, by their id.
Rows = Mapping[str, Quote]
# As their columns are; `payload` has the whole texts.
LONGEST_TYPE, LONGEST_NAME, LONGEST_EMAIL, LONGEST_LABEL = 100, 200, 254, 200


def record_package(cart: CartToInsure, answer: PackageAnswer, lines: Lines) -> list[Quote]:
    """Store a package that was just quoted and return its quotes in the cart's order.

    `lines` maps each quote id to the item it insures: the keys of an answer renumber (recorded),
    so only the ids tell.
    """
    # Without a savepoint of its own: two queries less where the request already has a transaction.
    with transaction.atomic(savepoint=False):
        package = QuotePackage.objects.create(
            account=cart.account,
            package_id=answer.package_id,
            status=answer.status,
            cart_reference=cart.cart_reference,
            shopper_reference=cart.shopper_reference,
            fingerprint=cart.fingerprint,
            currency=answer.currency,
            total_price=answer.total,
            customer_country=cart.request.customer_country,
            customer_language=cart.request.customer_language,
            payload=_package_payload(answer),
            quoted_at=timezone.now(),
        )
        quotes = _in_cart_order(package, answer.quotes, lines, cart)
        Quote.objects.bulk_create(quotes)
        transaction.on_commit(lambda: announce_quoted(package))
    return quotes


def record_update(
    package: QuotePackage, cart: CartToInsure, answer: PackageAnswer, lines: Lines
) -> list[Quote]:
    """Store a package that was changed in place; return its quotes in the cart's order.

    A quote whose price or wording changed loses its yes: the shopper agreed to another offer.
    """
    known = {quote.quote_id: quote for quote in package.quotes.all()}
    fresh = _in_cart_order(package, answer.quotes, lines, cart)
    # Also what is still asked for, and could not be quoted with its change (an item that is null).
    priced = {quote.quote_id for quote in fresh}
    _retire(quote for key, quote in known.items() if key not in priced)
    for quote in fresh:
        _save_quoted(quote, known.get(quote.quote_id))
    package.fingerprint = cart.fingerprint
    package.currency = answer.currency
    package.total_price = answer.total
    package.payload = _package_payload(answer)
    package.quoted_at = timezone.now()
    package.save()
    transaction.on_commit(lambda: announce_quoted(package))
    return fresh


def apply_answer(package: QuotePackage, answer: PackageAnswer) -> None:
    """Bring package and quotes up to a booking (or a package) as XCover describes it now.

    Call it inside a transaction that holds the package's lock. What a person should know is
    flagged: illegal moves, which change no status, prices nobody agreed on, and paid cover that
    somebody cancelled elsewhere. A package that is being paid for stays as the shopper saw it,
    unless XCover has booked it: the next reading brings the rest.
    """
    if package.is_held and answer.status not in BOOKED:
        return
    quotes = {quote.quote_id: quote for quote in package.quotes.all()}
    for reason in _remarkable(package, quotes, answer):
        flag(package, reason)
    _apply_quotes(package, quotes, answer)
    if answer.status != package.status and not _move_package(package, answer.status):
        flag(package, Attention.STATUS_UNEXPECTED)
    _copy_package(package, answer)


def announce_quoted(package: QuotePackage) -> None:
    """Tell the shop that `package` has been quoted."""
    signals.quote_received.send_robust(sender=QuotePackage, package=package)


def _move_package(package: QuotePackage, status: str) -> bool:
    previous = package.status
    booked_now = status in BOOKED and package.booked_at is None
    also: dict[str, Any] = {"booked_at": timezone.now()} if booked_now else {}
    moved = move(package, status, **also)
    if moved and status == Status.CONFIRMED:
        # Whoever learns of it first tells the shop: a webhook can overtake the worker that booked.
        transaction.on_commit(partial(_announce_booked, package, previous))
    return moved


def _announce_booked(package: QuotePackage, previous: str) -> None:
    signals.policy_booked.send_robust(
        sender=QuotePackage, package=package, previous_status=previous
    )


def _remarkable(package: QuotePackage, quotes: Rows, answer: PackageAnswer) -> Iterator[Attention]:
    """Yield what a person should know of `answer` before it is applied."""
    if prices.stray(package, quotes.values(), answer):
        yield Attention.PRICE_DIFFERS
    if elsewhere.cancelled(package, quotes.values(), answer):
        yield Attention.REFUND_UNCLEAR
    if any(_is_illegal(quotes.get(read.quote_id), read) for read in answer.quotes):
        yield Attention.STATUS_UNEXPECTED


def _is_illegal(quote: Quote | None, read: QuoteAnswer) -> bool:
    """Return whether XCover holds a policy that, as it stands here, cannot be one.

    What is over before it was booked is nobody's money: a quote that was taken out of its package
    may be told of in any status.
    """
    if quote is None or read.status == quote.status or read.status not in BOOKED:
        return False
    return not may_follow(quote.status, read.status)


def _apply_quotes(package: QuotePackage, quotes: Rows, answer: PackageAnswer) -> None:
    newcomers = [read for read in answer.quotes if read.quote_id not in quotes]
    for position, read in enumerate(newcomers, start=len(quotes)):
        _quote(package, read, None, position=position).save()
    for read in answer.quotes:
        if read.quote_id in quotes:
            _apply_quote(package, quotes[read.quote_id], read)
    unwanted = succession.adopt(package) if newcomers else set()
    if unwanted & {read.quote_id for read in newcomers}:
        flag(package, Attention.RENEWED_ANYWAY)


def _apply_quote(package: QuotePackage, quote: Quote, read: QuoteAnswer) -> None:
    if read.status != quote.status:
        move(quote, read.status)
    _copy(quote, read)
    quote.save(update_fields=[*READ, "updated_at"])
    if package.is_open and read.status == Status.RECEIVED and quote.price != quote.chosen_price:
        decisions.lapse([quote])  # nobody has said yes to this price


def _copy_package(package: QuotePackage, answer: PackageAnswer) -> None:
    if package.attention and package.status != Status.PENDING_PAYMENT:
        flags.settle(package, Attention.PAYMENT_OVERDUE)  # the money came, or the booking ended
    package.total_price = answer.total
    package.payload = _package_payload(answer)
    if 0 < len(answer.policyholder_email) <= LONGEST_EMAIL:
        package.policyholder_email = answer.policyholder_email
    package.save(update_fields=["total_price", "payload", "policyholder_email", "updated_at"])


def _copy(quote: Quote, read: QuoteAnswer) -> None:
    quote.price = read.price
    quote.policy_start_date = read.policy_start_date
    quote.policy_end_date = read.policy_end_date
    quote.can_be_cancelled = read.can_be_cancelled
    quote.is_renewable = read.is_renewable
    quote.payload = dict(read.raw)


def _in_cart_order(
    package: QuotePackage, answers: Iterable[QuoteAnswer], lines: Lines, cart: CartToInsure
) -> list[Quote]:
    order = [item.reference for item in cart.request.items]
    mine = [read for read in answers if read.quote_id in lines]
    mine.sort(key=lambda read: order.index(lines[read.quote_id].reference))
    return [_quote(package, read, lines[read.quote_id], i) for i, read in enumerate(mine)]


def _quote(
    package: QuotePackage, read: QuoteAnswer, item: PolicyRequest | None, position: int
) -> Quote:
    quote = Quote(
        package=package,
        quote_id=read.quote_id,
        status=read.status,
        position=position,
        policy_type=read.policy_type[:LONGEST_TYPE],
        policy_name=read.policy_name[:LONGEST_NAME],
    )
    _copy(quote, read)
    if item is not None:
        quote.line_reference = item.reference
        quote.label = item.label[:LONGEST_LABEL]
        quote.request = payloads.comparable(item)
    return quote


def _save_quoted(quote: Quote, before: Quote | None) -> None:
    if before is None:
        quote.save(force_insert=True)
        return
    quote.pk, quote.created_at = before.pk, before.created_at
    quote.choice, quote.chosen_price = before.choice, before.chosen_price
    quote.instalment_plan = before.instalment_plan
    quote.save(force_update=True)
    if _says_something_else(quote, before):
        decisions.lapse([quote])


def _says_something_else(quote: Quote, before: Quote) -> bool:
    return offers.evidence(offers.present(quote)) != offers.evidence(offers.present(before))


def _retire(quotes: Iterable[Quote]) -> None:
    for quote in quotes:
        decisions.lapse([quote])
        move(quote, Status.DELETED)


def _package_payload(answer: PackageAnswer) -> dict[str, Any]:
    # The quotes keep their own part; keeping it twice would let the two disagree.
    return {key: value for key, value in answer.raw.items() if key != "quotes"}


def ids_to_lines(
    answers: Sequence[QuoteAnswer], items: Sequence[PolicyRequest]
) -> dict[str, PolicyRequest]:
    """Return which quote insures which item, right after *creating* a package.

    Only then do the keys follow the order of the request (recorded contract, 4.1).
    """
    return {
        read.quote_id: items[int(read.key)]
        for read in answers
        if read.key is not None and read.key.isdigit() and int(read.key) < len(items)
    }
