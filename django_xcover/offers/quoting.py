"""From a cart to an offer, with one deadline for everything XCover has to do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError
from django.db.models import Case, Q, Subquery, When
from django.http import HttpRequest
from django.utils import timezone

from django_xcover import exceptions, safe_logging
from django_xcover.client import UnexpectedAnswer, XCoverClient, XCoverError
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.clients import circuit_breaker, factory, rate_limits
from django_xcover.clients import factory as gateway
from django_xcover.conf import get_config
from django_xcover.mirror import lost_cover, matching, price_checks, request_bodies
from django_xcover.mirror.presentation import Offer, build_offer
from django_xcover.models import OfferOutcome, Quote, QuoteAttempt, QuotePackage, Status
from django_xcover.offers import (
    background,
    cart_packages,
    counts,
    declined_carts,
    quote_attempts,
    quote_storage,
    quote_update,
    visitors,
)
from django_xcover.offers.carts import CartToInsure

logger = safe_logging.get_logger("django_xcover.offers")


def stored_offer(request: HttpRequest, cart: CartToInsure) -> Offer | None:
    """Return the offer quoted for exactly this cart while it is fresh. One query, no vendor."""
    quotes = quotes_on_page(request, cart)
    return build_offer(quotes) if is_current(quotes, cart) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What looking for an offer has found.

    Without an `offer`: `notice` is an offer without quotes, which says what accepted cover is gone;
    None when there is nothing to say. `is_waiting` says that one may come, so look again, and hand
    `is_begun` on to that look as `again`. `is_limited` says that this visitor has caused too many
    quotes.
    """

    offer: Offer | None = None
    notice: Offer | None = None
    is_waiting: bool = False
    is_begun: bool = False
    is_limited: bool = False

    @property
    def shown(self) -> Offer | None:
        """Return what the shopper reads: the offer, or the notice without one."""
        return self.offer or self.notice


# The query parameter in which a door hands `is_begun` on to the next look.
AGAIN = "again"
NOTHING = Look()
# Quoting has not begun: all threads are busy, or another state of the cart is being quoted.
NOT_YET = Look(is_waiting=True)
BEGUN = Look(is_waiting=True, is_begun=True)


def look(cart: CartToInsure, *, again: bool = False, wait: float = 0.0) -> Look:
    """Return the offer for `cart`, or begin to quote it in the background and say "not yet".

    `again` says that an earlier look has begun: this one asks how that goes and begins nothing.
    `wait` is for how many seconds to wait for an answer here.

    A vendor's fault is logged and counted and never raised, because the sale goes on. XCover is not
    asked while the circuit is open, nor again soon for a cart that it has refused. Where no threads
    can be used (see `background`), the cart is quoted before this returns, within
    `XCOVER["OFFER_DEADLINE"]`.
    """
    found = _look(cart, again=again, wait=wait)
    return replace(found, notice=_notice(cart)) if found == NOTHING else found


def _look(cart: CartToInsure, *, again: bool, wait: float) -> Look:
    # Before the quotes are read: an attempt that ends in between has stored them.
    attempt = quote_attempts.find(cart) if again else None
    quotes = latest_quotes(cart)
    if is_current(quotes, cart):
        return Look(offer=build_offer(quotes))
    if again:
        return NOTHING if attempt is None else _progress(attempt, cart)
    return _refusal(cart) or _begin(cart, quotes, wait)


def _notice(cart: CartToInsure) -> Offer | None:
    """Return an offer without quotes that says what accepted cover is gone; None if none is."""
    newest = cart_packages.open_packages(cart.account, cart.cart_reference)
    newest = newest.filter(shopper_reference=cart.shopper_reference)
    rows = Quote.objects.filter(package=Subquery(newest.values("pk")[:1]))
    return lost_offer(list(rows.select_related("package").order_by("pk")), cart)


def lost_offer(quotes: Sequence[Quote], cart: CartToInsure) -> Offer | None:
    """Return what is gone of the newest package's `quotes`, none of which is offered for `cart`.

    A yes that has only aged is not gone: it is charged while the cart is the same. Nor is one that
    is being paid for.
    """
    if not quotes or quotes[0].package.is_held:
        return None
    package = quotes[0].package
    counts = [q.line_reference for q in quotes if q.status == Status.RECEIVED]
    lost = lost_cover.find(
        package,
        quotes,
        offered=counts if matches(package, cart) else (),
        asked={item.reference for item in cart.request.items},
    )
    currency = cart.request.currency
    return Offer(package_id="", currency=currency, quotes=(), lost=tuple(lost)) if lost else None


def fresh_offer(cart: CartToInsure) -> Offer | None:
    """Return the offer for `cart` as `look` does; None when there is none, or not yet."""
    return look(cart).offer


def _refusal(cart: CartToInsure) -> Look | None:
    """Return what is known without asking XCover, None when it has to be asked."""
    if reason := declined_carts.remembered(cart):
        return _lost(cart, reason)
    if circuit_breaker.is_open(cart.account):
        return _lost(cart, OfferOutcome.CIRCUIT_OPEN)  # logged once, when it opened
    if not visitors.may_quote(cart):
        _lost(cart, OfferOutcome.VISITOR_LIMIT)
        return Look(is_limited=True)
    return None


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
        visitors.count(cart)
        found = _attempt(claim.row, cart, quotes, config.offer_call_deadline)
        return Look(offer=build_offer(found)) if found else NOTHING
    thread = background.start(
        lambda: _attempt(claim.row, cart, quotes, config.late_answer_deadline)
    )
    if thread is None:
        quote_attempts.release(claim.row)
        return NOT_YET
    visitors.count(cart)
    if wait:
        thread.join(wait)
        return _look(cart, again=True, wait=0.0)
    return BEGUN


def _progress(attempt: QuoteAttempt, cart: CartToInsure) -> Look:
    """Return how far an attempt is that is under way."""
    if quote_attempts.is_overdue(attempt):
        return NOTHING
    return BEGUN if attempt.fingerprint == cart.fingerprint else NOT_YET


def _attempt(
    attempt: QuoteAttempt, cart: CartToInsure, quotes: Sequence[Quote], seconds: float
) -> list[Quote]:
    """Quote `cart` within so many seconds and count how it ended; return [] without an offer."""
    outcome, found = OfferOutcome.ERROR, []
    try:
        quoted = _quoted(cart, quotes, seconds)
        found = [quote for quote in quoted if quote.status == Status.RECEIVED]
        outcome = OfferOutcome.OFFERED if found else OfferOutcome.NOTHING_TO_SELL
        if found and quote_attempts.is_overdue(attempt):
            outcome = OfferOutcome.LATE
    except exceptions.CircuitOpen:
        outcome = OfferOutcome.CIRCUIT_OPEN
    except XCoverError as error:
        logger.warning("No offer: %s", error)
        outcome = counts.outcome_of(error)
    except IntegrityError:
        # XCover gave a new quote the id of a package that is stored already.
        logger.error("No offer: XCover named a package anew that is known.")  # noqa: TRY400
    finally:
        if outcome in LASTING:
            declined_carts.remember(cart, outcome)
        quote_attempts.release(attempt)
        counts.count(cart.account, outcome)
        counts.write()
    return found


# Asking for the same cart again would be answered the same.
LASTING = {OfferOutcome.REFUSED, OfferOutcome.NOT_AUTHORISED, OfferOutcome.NOTHING_TO_SELL}


def _quoted(cart: CartToInsure, quotes: Sequence[Quote], seconds: float) -> list[Quote]:
    until = time.monotonic() + seconds
    deadline = get_config().offer_deadline
    # An answer that may come late must not keep the breaker from hearing that it is late.
    patience = deadline if seconds > deadline else None
    with circuit_breaker.guard(cart.account, patience=patience), rate_limits.at_once():
        return _update(cart, quotes, until) or _create(cart, until)


def quotes_on_page(request: HttpRequest, cart: CartToInsure) -> list[Quote]:
    """Return `latest_quotes`, read once however often one page asks: offer, totals, badge.

    Only for showing. Whoever decides reads anew, behind a lock.
    """
    read: dict[tuple[str, ...], list[Quote]] = request.__dict__.setdefault("_xcover_quotes", {})
    key = (cart.account, cart.cart_reference, cart.fingerprint)
    if key not in read:
        read[key] = latest_quotes(cart)
    return read[key]


def latest_quotes(cart: CartToInsure) -> list[Quote]:
    """Return the quotes of the cart's open package that counts, in the order they are shown."""
    packages = cart_packages.open_packages(cart.account, cart.cart_reference)
    held = Q(held_until__gt=timezone.now(), fingerprint=cart.fingerprint)
    held &= Q(shopper_reference=cart.shopper_reference)
    first = packages.order_by(Case(When(held, then=0), default=1), "-pk")
    rows = Quote.objects.on_offer().filter(package=Subquery(first.values("pk")[:1]))
    return list(rows.select_related("package").order_by("position"))


def counting(packages: Sequence[QuotePackage], cart: CartToInsure | None) -> QuotePackage | None:
    """Return which of the cart's open packages (newest first) counts.

    The one that is being paid for, when it was quoted for exactly this cart, else the newest.
    """
    held = (row for row in packages if row.is_held and cart and matches(row, cart))
    return next(held, packages[0] if packages else None)


def is_current(quotes: Sequence[Quote], cart: CartToInsure) -> bool:
    """Return whether `quotes` were made for exactly this cart and shopper, not long ago.

    What is being paid for stays as it is, however old.
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


def _create(cart: CartToInsure, until: float) -> list[Quote]:
    client = gateway.client_for(cart.account)
    payload = request_bodies.quote_payload(cart.request, now=timezone.now())
    wire = client.create_quote(payload, deadline=factory.remaining(until))
    answer = package_from_wire(wire)
    if answer.status != Status.RECEIVED:
        # Shown, it could not be answered: nothing but a quote package is open to a choice.
        raise UnexpectedAnswer.at("status", "is not that of an offer")
    if not price_checks.are_sellable(answer, cart.request.currency):
        return []
    if answer.failed:
        logger.warning("XCover could not quote %s items of a cart.", len(answer.failed))
    lines = matching.lines_of(answer, cart.request.items)
    return quote_storage.record_package(cart, answer, lines)


def _update(cart: CartToInsure, quotes: Sequence[Quote], until: float) -> list[Quote]:
    """Change the newest package in place, or return [] when it has to be quoted anew."""
    if not quotes or not quote_update.is_possible(quotes[0].package, cart):
        return []
    client: XCoverClient = gateway.client_for(cart.account)
    try:
        return quote_update.update(client, cart, quotes, until)
    except XCoverError as error:
        if not error.permanent:
            raise
        logger.info("A package could not be changed and is quoted anew: %s", error)
        return []
