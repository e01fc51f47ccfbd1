"""From a cart to an offer, with one deadline for everything XCover has to do."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.db import IntegrityError
from django.db.models import Case, Q, Subquery, When
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.client import UnexpectedAnswer, XCoverClient, XCoverError
from django_xcover.client.answers import package_from_wire
from django_xcover.conf import get_config
from django_xcover.models import OfferOutcome, Quote, QuotePackage, Status
from django_xcover.services import (
    breaker,
    cart_packages,
    deadlines,
    gateway,
    matching,
    mirroring,
    offer_counts,
    payloads,
    prices,
    rate_limits,
    refused_carts,
    updating,
)
from django_xcover.services.carts import CartToInsure
from django_xcover.services.offers import Offer, build_offer

logger = logging.getLogger(__name__)


def stored_offer(request: HttpRequest, cart: CartToInsure) -> Offer | None:
    """Return the offer quoted for exactly this cart while it is fresh. One query, no vendor."""
    quotes = quotes_on_page(request, cart)
    return build_offer(quotes) if is_current(quotes, cart) else None


def fresh_offer(cart: CartToInsure) -> Offer | None:
    """Return an offer for `cart`, quoting within `XCOVER["OFFER_DEADLINE"]` if need be.

    None means that there is no offer to show: XCover is slow, at fault or does not insure this.
    A vendor's fault is logged and never raised, because the sale goes on. XCover is not asked
    while the circuit is open, nor again soon for a cart that it has refused.
    """
    quotes = latest_quotes(cart)
    if is_current(quotes, cart):
        return build_offer(quotes)
    if refused_carts.is_remembered(cart):
        return None
    try:
        quotes = [quote for quote in _quoted(cart, quotes) if quote.status == Status.RECEIVED]
    except breaker.CircuitOpen:
        offer_counts.count(cart.account, OfferOutcome.CIRCUIT_OPEN)
        return None  # logged once, when it opened
    except XCoverError as error:
        logger.warning("No offer: %s", error)
        offer_counts.count(cart.account, offer_counts.outcome_of(error))
        if refused_carts.is_refusal(error):
            refused_carts.remember(cart)
        return None
    except IntegrityError:
        # XCover gave a new quote the id of a package that is stored already.
        logger.error("No offer: XCover named a package anew that is known.")  # noqa: TRY400
        return None
    if not quotes:
        offer_counts.count(cart.account, OfferOutcome.NOTHING_TO_SELL)
        refused_carts.remember(cart)
    return build_offer(quotes) if quotes else None


def _quoted(cart: CartToInsure, quotes: Sequence[Quote]) -> list[Quote]:
    until = time.monotonic() + get_config().offer_call_deadline
    with breaker.guard(cart.account), rate_limits.at_once():
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
    payload = payloads.quote_payload(cart.request, now=timezone.now())
    wire = client.create_quote(payload, deadline=deadlines.remaining(until))
    answer = package_from_wire(wire)
    if answer.status != Status.RECEIVED:
        # Shown, it could not be answered: nothing but a quote package is open to a choice.
        raise UnexpectedAnswer.at("status", "is not that of an offer")
    if not prices.are_sellable(answer, cart.request.currency):
        return []
    if answer.failed:
        logger.warning("XCover could not quote %s items of a cart.", len(answer.failed))
    lines = matching.lines_of(answer, cart.request.items)
    return mirroring.record_package(cart, answer, lines)


def _update(cart: CartToInsure, quotes: Sequence[Quote], until: float) -> list[Quote]:
    """Change the newest package in place, or return [] when it has to be quoted anew."""
    if not quotes or not updating.is_possible(quotes[0].package, cart):
        return []
    client: XCoverClient = gateway.client_for(cart.account)
    try:
        return updating.update(client, cart, quotes, until)
    except XCoverError as error:
        if not error.permanent:
            raise
        logger.info("A package could not be changed and is quoted anew: %s", error)
        return []
