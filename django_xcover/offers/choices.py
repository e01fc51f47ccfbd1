"""The shopper's yes or no to one offered quote."""

from __future__ import annotations

from django.db import transaction

from django_xcover.exceptions import BeingPaid, OfferChanged, OfferClosed, PlanGone
from django_xcover.mirror import decisions, presentation
from django_xcover.mirror.presentation import Offer, OfferedQuote
from django_xcover.models import Choice, Quote, QuotePackage
from django_xcover.offers import cart_packages, holds, quoting
from django_xcover.offers.carts import CartToInsure


def choose(
    cart: CartToInsure,
    *,
    quote_id: str,
    accepted: bool,
    template_version: str,
    shown: str = "",
    plan: str = "",
) -> Offer:
    """Record yes or no and return the offer as it stands now.

    `plan` is the name of the instalment plan by which a yes is paid, "" for all at once.

    `shown` is the `offer_hash` of what the shopper's page showed. XCover changes a package in
    place and keeps its quote ids, so a second tab may still show an older price under the same
    id; without the hash that is not noticed. The same answer again changes nothing. Raises
    OfferChanged, OfferClosed, BeingPaid or PlanGone.
    """
    with transaction.atomic():
        package = _open_package(cart)
        quotes = cart_packages.lock_offered(package)
        quote = _find(quotes, quote_id)
        offered = presentation.present(quote)
        if shown and shown != presentation.offer_hash(offered):
            raise OfferChanged
        wanted = Choice.ACCEPTED if accepted else Choice.DECLINED
        plan = _plan(offered, plan) if accepted else ""
        if (quote.choice, quote.instalment_plan) != (wanted, plan):
            decisions.record(quote, wanted, template_version=template_version, plan=plan)
        return presentation.build_offer(quotes)


def _open_package(cart: CartToInsure) -> QuotePackage:
    """Lock and return the cart's package, so that no order is made of it meanwhile."""
    every = cart_packages.lock_all(cart.account, cart.cart_reference)
    package = quoting.counting(every[::-1], cart)
    if package is None or not quoting.matches(package, cart):
        raise OfferChanged
    if not package.is_open:
        raise OfferClosed
    # A hold may be on no package at all: the cart was frozen before it was quoted.
    if package.is_held or holds.is_being_paid(cart.account, cart.cart_reference, cart.fingerprint):
        raise BeingPaid
    return package


def _plan(offered: OfferedQuote, name: str) -> str:
    if name and name not in {plan.name for plan in offered.plans}:
        raise PlanGone
    return name


def _find(quotes: list[Quote], quote_id: str) -> Quote:
    # Compared here, exactly: some databases would find an id of another case.
    for quote in quotes:
        if quote.quote_id == quote_id:
            return quote
    raise OfferChanged
