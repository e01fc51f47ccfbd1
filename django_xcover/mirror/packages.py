"""Store a vendor answer in rows. The answer is authoritative, however it was obtained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover import signals
from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer
from django_xcover.client.schemas.stored import package_to_store
from django_xcover.mirror import (
    agreement,
    decisions,
    flags,
    lapses,
    renewal_links,
    request_bodies,
    search_terms,
)
from django_xcover.mirror.agreement import Terms
from django_xcover.models import (
    BOOKED,
    Attention,
    Cancellation,
    Choice,
    Modification,
    Operation,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.outbox.transitions import may_follow, transition
from django_xcover.types import PolicyRequest

# Code that reads from XCover raises flags for staff under this name.
flag = flags.flag
# The columns of a quote that follow XCover's answer.
READ = (
    "price",
    "policy_start_date",
    "policy_end_date",
    "can_be_cancelled",
    "is_renewable",
    "policy_name",
    "payload",
)
# The statuses of a quote or package that is cover, or may still become cover.
ALIVE = (Status.RECEIVED, *BOOKED)
# In these statuses a policy must match the agreed terms; later statuses have their own rules.
HELD_TO_TERMS = (Status.RECEIVED, *agreement.HELD)
# The stored quotes of a package, by quote id.
Rows = Mapping[str, Quote]
# The lengths of the columns; `payload` keeps the full texts.
LONGEST_TYPE, LONGEST_NAME, LONGEST_EMAIL, LONGEST_LABEL = 100, 200, 254, 200


def apply_answer(package: QuotePackage, answer: PackageAnswer) -> None:
    """Update the package and its quotes to match the package or booking XCover returned.

    Call it inside a transaction that holds the package's lock. The acceptance of an open package
    lapses if any agreed term changed. These are flagged for staff: changed terms after an order was
    placed, illegal transitions (which leave the status unchanged), prices that were not agreed on,
    and paid cover that was cancelled elsewhere. A package that is being paid for keeps what the
    shopper saw unless XCover has booked it; the next read applies the rest.
    """
    if package.is_held and answer.status not in BOOKED:
        return
    quotes = {quote.quote_id: quote for quote in package.quotes.all()}
    agreed = {key: agreement.terms(quote) for key, quote in quotes.items() if _is_agreed(quote)}
    may_lapse = package.is_open and not package.is_held
    policies = [quote.quote_id for quote in quotes.values() if quote.status in BOOKED]
    found_by = search_terms.terms_if_booked(package, policies)
    for reason in _remarkable(package, quotes, answer):
        flag(package, reason)
    _apply_quotes(package, quotes, answer)
    if answer.status != package.status and not _move_package(package, answer.status):
        flag(package, Attention.STATUS_UNEXPECTED)
    _copy_package(package, answer)
    if may_lapse:
        _keep_offer_true(package, quotes, agreed, answer)
    else:
        for reason in _broken(package, quotes, agreed, answer):
            flag(package, reason)
    policies = [read.quote_id for read in answer.quotes if read.status in BOOKED]
    terms = search_terms.terms_if_booked(package, policies)
    if terms != found_by:
        search_terms.replace(package, terms, policies)


def announce_quoted(package: QuotePackage) -> None:
    """Notify the shop that `package` has been quoted."""
    signals.quote_received.send_robust(sender=QuotePackage, package=package)


def _move_package(package: QuotePackage, status: str) -> bool:
    previous = package.status
    booked_now = status in BOOKED and package.booked_at is None
    also: dict[str, Any] = {"booked_at": timezone.now()} if booked_now else {}
    moved = transition(package, status, **also)
    if moved and status == Status.CONFIRMED:
        # The first to see the booking notifies the shop: a webhook can overtake the worker.
        transaction.on_commit(
            partial(
                signals.policy_booked.send_robust,
                sender=QuotePackage,
                package=package,
                previous_status=previous,
            )
        )
    return moved


def _remarkable(package: QuotePackage, quotes: Rows, answer: PackageAnswer) -> Iterator[Attention]:
    """Yield the reasons to flag `package`, before `answer` is applied."""
    if agreement.has_unagreed_price(package, quotes.values(), answer) or agreement.is_not_the_sum(
        package, answer
    ):
        yield Attention.PRICE_DIFFERS
    if was_cancelled_elsewhere(package, quotes.values(), answer):
        yield Attention.REFUND_UNCLEAR
    if _turned_unknown(package, quotes, answer) or any(
        _is_illegal(quotes.get(read.quote_id), read) for read in answer.quotes
    ):
        yield Attention.STATUS_UNEXPECTED


def _turned_unknown(package: QuotePackage, quotes: Rows, answer: PackageAnswer) -> bool:
    """Return whether an order's package or policy gets a status that this package doesn't know.

    An unknown status that is already stored was flagged before.
    """
    if package.is_open:
        return False
    stored = {package.status, *(quote.status for quote in quotes.values())}
    reported = {answer.status, *(read.status for read in answer.quotes)}
    return not reported <= stored | {*Status.values}


def _is_illegal(quote: Quote | None, read: QuoteAnswer) -> bool:
    """Return whether XCover reports a policy status that can't follow the stored one.

    Quotes that ended before booking carry no money, so XCover may report a removed quote in any
    status.
    """
    if quote is None or read.status == quote.status or read.status not in BOOKED:
        return False
    return not may_follow(quote.status, read.status)


def _apply_quotes(package: QuotePackage, quotes: Rows, answer: PackageAnswer) -> None:
    newcomers = [read for read in answer.quotes if read.quote_id not in quotes]
    for position, read in enumerate(newcomers, start=len(quotes)):
        build_quote(package, read, None, position=position).save()
    for read in answer.quotes:
        if read.quote_id in quotes:
            _apply_quote(package, quotes[read.quote_id], read)
    # A successor may be reported before the renewal of its predecessor is.
    unlinked = any(not quote.choice and quote.is_unasked for quote in quotes.values())
    unwanted = renewal_links.link_successors(package) if newcomers or unlinked else set()
    if unwanted & {read.quote_id for read in newcomers}:
        flag(package, Attention.RENEWED_ANYWAY)


def _apply_quote(package: QuotePackage, quote: Quote, read: QuoteAnswer) -> None:
    if read.status != quote.status:
        transition(quote, read.status)
    _copy(quote, read)
    quote.save(update_fields=[*READ, "updated_at"])


def _is_agreed(quote: Quote) -> bool:
    """Return whether `quote` was accepted on the terms that are stored.

    An instant booking was priced by an earlier answer from XCover that is not stored.
    """
    return quote.choice == Choice.ACCEPTED and quote.answer.quote_id == quote.quote_id


def _keep_offer_true(
    package: QuotePackage, quotes: Rows, agreed: Mapping[str, Terms], answer: PackageAnswer
) -> None:
    """Clear acceptances that don't match what `answer` offers, and retire quotes that are gone."""
    read = {one.quote_id: one for one in answer.quotes}
    is_offer = answer.status in HELD_TO_TERMS and answer.currency == package.currency
    for key, quote in quotes.items():
        is_offered = is_offer and key in read and read[key].status in HELD_TO_TERMS
        changed = agreement.changes(agreed[key], agreement.terms(quote)) if key in agreed else []
        if not is_offered or changed:
            decisions.lapse([quote], changed)
        if key not in read and quote.status == Status.RECEIVED:
            transition(quote, Status.DELETED)
    _note_lost(package, quotes.values())
    is_offer = is_offer and not any(_is_misread(quotes.get(key), read[key]) for key in read)
    if not is_offer and package.is_open:
        # The offer can't be shown as it is, and an unknown status can't be stored.
        package.fingerprint = ""
        package.save(update_fields=["fingerprint", "updated_at"])


def _note_lost(package: QuotePackage, quotes: Iterable[Quote]) -> None:
    """Note which accepted quotes XCover has dropped from the open offer that the shop asked for."""
    quotes = list(quotes)
    offered = {quote.line_reference for quote in quotes if quote.status == Status.RECEIVED}
    gone = {one.line for one in lapses.read_lost(package) if not one.is_asked}
    asked = {quote.line_reference for quote in quotes} - gone
    lapses.write_lost(package, lapses.find_lost(package, quotes, offered=offered, asked=asked))
    package.save(update_fields=["lost_cover", "updated_at"])


def _is_misread(quote: Quote | None, read: QuoteAnswer) -> bool:
    """Return whether a quote on offer here has another product in `read`, or has ended there."""
    if quote is None or quote.status != Status.RECEIVED:
        return False
    return read.status not in HELD_TO_TERMS or read.policy_type[:LONGEST_TYPE] != quote.policy_type


def _broken(
    package: QuotePackage, quotes: Rows, agreed: Mapping[str, Terms], answer: PackageAnswer
) -> Iterator[Attention]:
    """Yield the terms that XCover changed after the customer accepted and paid for them."""
    if not agreed or answer.status == Status.FAILED:
        return  # a booking that failed has a flag of its own
    if answer.status not in ALIVE:
        yield Attention.STATUS_UNEXPECTED
        return
    read = {one.quote_id: one for one in answer.quotes}
    if answer.status == Status.RECEIVED and any(
        key not in read or read[key].status not in ALIVE for key in agreed
    ):
        yield Attention.POLICY_MISSING
    changed = {name for key in agreed for name in _changed(agreed[key], quotes[key], read.get(key))}
    if changed & agreement.MONEY:
        yield Attention.PRICE_DIFFERS
    is_being_changed = package.modifications.filter(state=Modification.State.REQUESTED)
    if changed - agreement.MONEY and not is_being_changed.exists():
        yield Attention.TERMS_DIFFER


def _changed(agreed: Terms, quote: Quote, read: QuoteAnswer | None) -> Iterator[str]:
    """Yield the changed terms of one quote; `agreement` has the rules for booked prices."""
    if read is None or read.status not in HELD_TO_TERMS:
        return
    for name in agreement.changes(agreed, agreement.terms(quote)):
        # A booking lists no plans (recorded); the plan is in its schedule.
        if name not in agreement.MONEY or read.status == Status.RECEIVED:
            yield name


def _copy_package(package: QuotePackage, answer: PackageAnswer) -> None:
    if package.attention and package.status != Status.PENDING_PAYMENT:
        flags.settle(package, Attention.PAYMENT_OVERDUE)  # the money came, or the booking ended
    package.total_price = answer.total
    package.payload = package_to_store(answer)
    if 0 < len(answer.policyholder_email) <= LONGEST_EMAIL:
        package.policyholder_email = answer.policyholder_email
    package.save(update_fields=["total_price", "payload", "policyholder_email", "updated_at"])


def _copy(quote: Quote, read: QuoteAnswer) -> None:
    quote.price = read.price
    quote.policy_start_date = read.policy_start_date
    quote.policy_end_date = read.policy_end_date
    quote.can_be_cancelled = read.can_be_cancelled
    quote.is_renewable = read.is_renewable
    quote.policy_name = read.policy_name[:LONGEST_NAME] or quote.policy_name
    quote.payload = dict(read.raw)


def build_quote(
    package: QuotePackage, read: QuoteAnswer, item: PolicyRequest | None, position: int
) -> Quote:
    quote = Quote(
        package=package,
        quote_id=read.quote_id,
        status=read.status,
        position=position,
        policy_type=read.policy_type[:LONGEST_TYPE],
    )
    _copy(quote, read)
    if item is not None:
        quote.line_reference = item.reference
        quote.label = item.label[:LONGEST_LABEL]
        quote.request = request_bodies.comparable(item)
    return quote


# Cancellations made here, in progress or complete: their refund is recorded.
OURS = (Cancellation.State.REQUESTED, Cancellation.State.CONFIRMED)


def was_cancelled_elsewhere(
    package: QuotePackage, quotes: Iterable[Quote], answer: PackageAnswer
) -> bool:
    """Return whether `answer` shows paid cover as cancelled that was not cancelled here.

    `quotes` are the stored quotes of `package`, so call this before applying the answer: a quote
    already stored as CANCELLED is not checked again. Makes two queries at most, and none without
    a cancellation.
    """
    cancelled = {read.quote_id for read in answer.quotes if read.status == Status.CANCELLED}
    gone = [quote for quote in quotes if quote.quote_id in cancelled and _counts(quote)]
    if not gone:
        return False
    ours = Cancellation.objects.filter(quotes__in=gone, state__in=OURS)
    known = set(ours.values_list("quotes", flat=True))
    return any(_is_paid(package, quote) for quote in gone if quote.pk not in known)


def _counts(quote: Quote) -> bool:
    if quote.status in {Status.CANCELLED, Status.DELETED}:
        return False
    return quote.status == Status.CONFIRMED or quote.choice == Choice.ACCEPTED


def _is_paid(package: QuotePackage, quote: Quote) -> bool:
    """Return whether money was taken: the cover is confirmed, or the shop reported a payment."""
    paid = Operation.objects.filter(package=package).reporting_payment()
    return quote.status == Status.CONFIRMED or paid.exists()
