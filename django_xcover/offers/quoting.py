"""Quote a cart, with one deadline for all calls to XCover."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError
from django.db.models import Case, Q, Subquery, When
from django.http import HttpRequest
from django.utils import timezone

from django_xcover import exceptions, safe_logging
from django_xcover.client import Throttled, UnexpectedAnswer, XCoverClient, XCoverError
from django_xcover.client.connections import Deadline
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.clients import circuit_breaker, factory, rate_limits
from django_xcover.conf import get_config
from django_xcover.mirror import agreement, lapses, request_bodies
from django_xcover.mirror.presentation import Offer, build_offer
from django_xcover.models import OfferOutcome, Quote, QuoteAttempt, QuotePackage, Status
from django_xcover.offers import (
    background,
    carts,
    counts,
    quote_attempts,
    quote_storage,
    statistics,
)
from django_xcover.offers.carts import CartToInsure

logger = safe_logging.get_logger("django_xcover.offers")


def stored_offer(request: HttpRequest, cart: CartToInsure) -> Offer | None:
    """Return the fresh offer for exactly this cart, or None. One query, no call to XCover."""
    quotes = quotes_on_page(request, cart)
    return build_offer(quotes) if is_current(quotes, cart) else None


def look_on_page(request: HttpRequest, cart: CartToInsure) -> Look:
    """Return what is known at once for a page of the shop; begins nothing.

    One query; another one for the notice when it is known that no offer will come.
    """
    offer = stored_offer(request, cart)
    if offer is not None:
        return Look(offer=offer)
    if reason := _known_reason(cart):
        return replace(_lost(cart, reason), notice=_notice(cart))
    return NOT_YET


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The result of looking for an offer.

    If `offer` is None: `notice` is an offer without quotes that lists accepted cover that is no
    longer offered, or None. `is_waiting` means that an offer may follow: look again, and pass
    `is_begun` as `again`. `is_limited` means that this visitor has reached the limit on new quotes.
    """

    offer: Offer | None = None
    notice: Offer | None = None
    is_waiting: bool = False
    is_begun: bool = False
    is_limited: bool = False

    @property
    def shown(self) -> Offer | None:
        """Return what the shopper sees: the offer, or else the notice."""
        return self.offer or self.notice


# The query parameter that passes `is_begun` to the next look.
AGAIN = "again"
NOTHING = Look()
# Quoting hasn't begun: all threads are busy, or another state of the cart is being quoted.
NOT_YET = Look(is_waiting=True)
BEGUN = Look(is_waiting=True, is_begun=True)


def look(cart: CartToInsure, *, again: bool = False, wait: float = 0.0) -> Look:
    """Return the offer for `cart`, or begin to quote it in the background.

    `again` means that an earlier look has begun quoting: this one returns its progress and begins
    nothing. `wait` is the number of seconds to wait for an answer.

    XCover's failures are logged and counted but never raised, because the sale goes on. Nothing is
    sent while the circuit is open, or if XCover recently declined the same cart. If threads can't
    be used (see `background`), the cart is quoted before this function returns, within
    `XCOVER["OFFER_DEADLINE"]`.
    """
    result = _look(cart, again=again, wait=wait)
    return replace(result, notice=_notice(cart)) if result == NOTHING else result


def _look(cart: CartToInsure, *, again: bool, wait: float) -> Look:
    # Read before the quotes, so that an attempt that ends in between has stored them.
    attempt = quote_attempts.find(cart) if again else None
    quotes = latest_quotes(cart)
    if is_current(quotes, cart):
        return Look(offer=build_offer(quotes))
    if again:
        return NOTHING if attempt is None else _progress(attempt, cart)
    return _refusal(cart) or _begin(cart, quotes, wait)


def _notice(cart: CartToInsure) -> Offer | None:
    """Return an offer without quotes that lists lost accepted cover; None if nothing is lost."""
    newest = carts.open_packages(cart.account, cart.cart_reference)
    newest = newest.filter(shopper_reference=cart.shopper_reference)
    rows = Quote.objects.filter(package=Subquery(newest.values("pk")[:1]))
    return lost_offer(list(rows.select_related("package").order_by("pk")), cart)


def lost_offer(quotes: Sequence[Quote], cart: CartToInsure) -> Offer | None:
    """Return an offer that lists the accepted `quotes` of the newest package no longer offered.

    None of `quotes` is currently offered for `cart`. An accepted quote that has only aged isn't
    lost: it is charged as long as the cart is the same. Neither is one that is being paid for.
    """
    if not quotes or quotes[0].package.is_held:
        return None
    package = quotes[0].package
    counts = [q.line_reference for q in quotes if q.status == Status.RECEIVED]
    lost = lapses.find_lost(
        package,
        quotes,
        offered=counts if matches(package, cart) else (),
        asked={item.reference for item in cart.request.items},
    )
    currency = cart.request.currency
    return Offer(package_id="", currency=currency, quotes=(), lost=tuple(lost)) if lost else None


def fresh_offer(cart: CartToInsure) -> Offer | None:
    """Return the offer for `cart` as `look` does; None if there is none yet."""
    return look(cart).offer


def _refusal(cart: CartToInsure) -> Look | None:
    """Return the result that is known without a call to XCover, None if it needs one."""
    if reason := _known_reason(cart):
        return _lost(cart, reason)
    if not carts.may_quote(cart):
        _lost(cart, OfferOutcome.VISITOR_LIMIT)
        return Look(is_limited=True)
    return None


def _known_reason(cart: CartToInsure) -> OfferOutcome | None:
    """Return why there is no offer for this cart for a while, None when there may be one."""
    if reason := carts.remembered_no_offer(cart):
        return reason
    # Each is logged once, when it begins.
    if circuit_breaker.is_open(cart.account):
        return OfferOutcome.CIRCUIT_OPEN
    return OfferOutcome.RATE_LIMIT if rate_limits.is_paused(cart.account) else None


def _lost(cart: CartToInsure, reason: OfferOutcome) -> Look:
    counts.count(cart.account, reason)
    if counts.is_due() and background.is_possible():
        background.start(counts.write)
    return NOTHING


def _begin(cart: CartToInsure, quotes: Sequence[Quote], wait: float) -> Look:
    claim = quote_attempts.claim(cart)
    if not claim.is_mine:
        return _progress(claim.row, cart)
    if claim.quoted_at != (quotes[0].package.quoted_at if quotes else None):
        quotes = latest_quotes(cart)
        if is_current(quotes, cart):  # quoted by another process in between
            quote_attempts.release(claim.row)
            return Look(offer=build_offer(quotes))
    config = get_config()
    if not background.is_possible():
        carts.count_quote(cart)
        offered = _attempt(claim.row, cart, quotes, config.offer_call_deadline)
        return Look(offer=build_offer(offered)) if offered else NOTHING
    thread = background.start(
        lambda: _attempt(claim.row, cart, quotes, config.late_answer_deadline)
    )
    if thread is None:
        quote_attempts.release(claim.row)
        return NOT_YET
    carts.count_quote(cart)
    if wait:
        thread.join(wait)
        return _look(cart, again=True, wait=0.0)
    return BEGUN


def _progress(attempt: QuoteAttempt, cart: CartToInsure) -> Look:
    """Return the progress of a running attempt."""
    if quote_attempts.is_overdue(attempt):
        return NOTHING
    return BEGUN if attempt.fingerprint == cart.fingerprint else NOT_YET


def _attempt(
    attempt: QuoteAttempt, cart: CartToInsure, quotes: Sequence[Quote], seconds: float
) -> list[Quote]:
    """Quote `cart` within `seconds` and count the outcome; return [] without an offer."""
    outcome, offered = OfferOutcome.ERROR, []
    try:
        quoted = _quoted(cart, quotes, seconds)
        offered = [quote for quote in quoted if quote.status == Status.RECEIVED]
        outcome = OfferOutcome.OFFERED if offered else OfferOutcome.NOTHING_TO_SELL
        if offered and quote_attempts.is_overdue(attempt):
            outcome = OfferOutcome.LATE
    except exceptions.CircuitOpen:
        outcome = OfferOutcome.CIRCUIT_OPEN
    except XCoverError as error:
        # `rate_limits` logs that XCover throttles.
        level = logging.INFO if isinstance(error, Throttled) else logging.WARNING
        logger.log(level, "No offer: %s", error)
        outcome = counts.outcome_of(error)
    except IntegrityError:
        # XCover answered a new quote with the id of a stored package.
        logger.error("No offer: XCover reused the id of a stored package.")  # noqa: TRY400
    finally:
        if outcome in LASTING:
            carts.remember_no_offer(cart, outcome)
        quote_attempts.release(attempt)
        counts.count(cart.account, outcome)
        counts.write()
        statistics.write()
    return offered


# Outcomes that would be the same for another request for the same cart.
LASTING = {OfferOutcome.REFUSED, OfferOutcome.NOT_AUTHORISED, OfferOutcome.NOTHING_TO_SELL}


def _quoted(cart: CartToInsure, quotes: Sequence[Quote], seconds: float) -> list[Quote]:
    until = Deadline.after(seconds)
    deadline = get_config().offer_deadline
    # A longer deadline must not keep the breaker from counting a late answer as a fault.
    patience = deadline if seconds > deadline else None
    with circuit_breaker.guard(cart.account, patience=patience), rate_limits.at_once():
        return _update(cart, quotes, until) or _create(cart, until)


def quotes_on_page(request: HttpRequest, cart: CartToInsure) -> list[Quote]:
    """Return `latest_quotes`, read once per request for the offer, the totals and the badge.

    For display only. Code that decides reads again, with a lock.
    """
    read: dict[tuple[str, ...], list[Quote]] = request.__dict__.setdefault("_xcover_quotes", {})
    key = (cart.account, cart.cart_reference, cart.fingerprint)
    if key not in read:
        read[key] = latest_quotes(cart)
    return read[key]


def latest_quotes(cart: CartToInsure) -> list[Quote]:
    """Return the quotes of the open package that counts for the cart, in display order."""
    packages = carts.open_packages(cart.account, cart.cart_reference)
    held = Q(held_until__gt=timezone.now(), fingerprint=cart.fingerprint)
    held &= Q(shopper_reference=cart.shopper_reference)
    first = packages.order_by(Case(When(held, then=0), default=1), "-pk")
    rows = Quote.objects.on_offer().filter(package=Subquery(first.values("pk")[:1]))
    return list(rows.select_related("package").order_by("position"))


def counting(packages: Sequence[QuotePackage], cart: CartToInsure | None) -> QuotePackage | None:
    """Return the package that counts among the cart's open ones (newest first).

    That is the one that is being paid for, if it was quoted for exactly this cart, or else the
    newest.
    """
    held = (row for row in packages if row.is_held and cart and matches(row, cart))
    return next(held, packages[0] if packages else None)


def is_current(quotes: Sequence[Quote], cart: CartToInsure) -> bool:
    """Return whether `quotes` were made for exactly this cart and shopper, and are fresh.

    Quotes that are being paid for are current at any age.
    """
    if not quotes or not matches(quotes[0].package, cart):
        return False
    if quotes[0].package.is_held:
        return True
    return timezone.now() - quotes[0].package.quoted_at < get_config().offer_max_age


def matches(package: QuotePackage, cart: CartToInsure) -> bool:
    """Return whether `package` was quoted for exactly this cart and shopper."""
    same_shopper = package.shopper_reference == cart.shopper_reference
    return same_shopper and package.fingerprint == cart.fingerprint


def _create(cart: CartToInsure, until: Deadline) -> list[Quote]:
    client = factory.client_for(cart.account)
    payload = request_bodies.quote_payload(cart.request, now=timezone.now())
    began = time.monotonic()
    wire = client.create_quote(payload, deadline=until.left_for_a_call())
    milliseconds = quote_storage.milliseconds_since(began)
    answer = package_from_wire(wire)
    if answer.status != Status.RECEIVED:
        # The shopper couldn't answer it: only an open quote package accepts a choice.
        raise UnexpectedAnswer.at("status", "is not that of an offer")
    if not agreement.are_sellable(answer, cart.request.currency):
        return []
    if answer.failed:
        logger.warning("XCover could not quote %s items of a cart.", len(answer.failed))
    lines = request_bodies.lines_of(answer, cart.request.items)
    return quote_storage.record_package(cart, answer, lines, milliseconds=milliseconds)


def _update(cart: CartToInsure, quotes: Sequence[Quote], until: Deadline) -> list[Quote]:
    """Change the newest package in place, or return [] if the cart needs a new package."""
    if not quotes or not quote_storage.can_update(quotes[0].package, cart):
        return []
    client: XCoverClient = factory.client_for(cart.account)
    try:
        return quote_storage.update_package(client, cart, quotes, until)
    except XCoverError as error:
        if not error.permanent:
            raise
        logger.info("A package could not be changed, so the cart is quoted again: %s", error)
        return []
