"""Record the shopper's answer to one offered quote."""

from __future__ import annotations

from django.db import transaction

from django_xcover.exceptions import BeingPaid, OfferChanged, OfferClosed, PlanGone
from django_xcover.mirror import decisions, presentation
from django_xcover.mirror.presentation import Offer, OfferedQuote
from django_xcover.models import Choice, Quote, QuotePackage
from django_xcover.offers import carts, holds, quoting
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
    """Record the shopper's answer and return the updated offer.

    `plan` names the instalment plan of an acceptance, "" for one payment.

    `shown` is the `offer_hash` of the offer on the shopper's page. XCover changes a package in
    place and keeps its quote ids, so a second tab may show an older price under the same id;
    without `shown`, that goes unnoticed. Repeating the same answer changes nothing. Raises
    OfferChanged, OfferClosed, BeingPaid or PlanGone.
    """
    with transaction.atomic():
        package = _open_package(cart)
        quotes = carts.lock_offered(package)
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
    """Lock and return the cart's package, so that no order takes it over in the meantime."""
    every = carts.lock_all(cart.account, cart.cart_reference)
    package = quoting.counting(every[::-1], cart)
    if package is None or not quoting.matches(package, cart):
        raise OfferChanged
    if not package.is_open:
        raise OfferClosed
    # A hold may have no package: the cart was frozen before it was quoted.
    if package.is_held or holds.is_being_paid(cart.account, cart.cart_reference, cart.fingerprint):
        raise BeingPaid
    return package


def _plan(offered: OfferedQuote, name: str) -> str:
    if name and name not in {plan.name for plan in offered.plans}:
        raise PlanGone
    return name


def _find(quotes: list[Quote], quote_id: str) -> Quote:
    # Compared in Python, because some databases ignore case.
    for quote in quotes:
        if quote.quote_id == quote_id:
            return quote
    raise OfferChanged
