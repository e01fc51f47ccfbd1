"""Record the shopper's answer to offered quotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from django_xcover.exceptions import BeingPaid, OfferChanged, OfferClosed, PlanGone
from django_xcover.mirror import decisions, presentation
from django_xcover.mirror.presentation import Offer
from django_xcover.models import Choice, Quote, QuotePackage
from django_xcover.offers import carts, holds, quoting
from django_xcover.offers.carts import CartToInsure


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Yes or no to one quote.

    `shown` is the `offer_hash` of the offer on the shopper's page. XCover changes a package in
    place and keeps its quote ids, so a second tab may show an older price under the same id; an
    empty hash leaves that unnoticed. `plan` names the instalment plan of a yes, "" for one payment.
    None keeps the plan of an earlier yes as long as it is offered.
    """

    accepted: bool
    shown: str = ""
    plan: str | None = ""


def choose(
    cart: CartToInsure,
    *,
    quote_id: str,
    accepted: bool,
    template_version: str,
    shown: str = "",
    plan: str = "",
) -> Offer:
    """Record the shopper's answer to one quote and return the updated offer: see `choose_each`."""
    answer = Answer(accepted=accepted, shown=shown, plan=plan)
    return choose_each(cart, {quote_id: answer}, template_version=template_version)


def choose_each(
    cart: CartToInsure, answers: Mapping[str, Answer], *, template_version: str
) -> Offer:
    """Record the answers to the quotes with these ids, all or none; return the updated offer.

    Repeating an answer changes nothing. Raises OfferChanged, OfferClosed, BeingPaid or PlanGone.
    """
    with transaction.atomic():
        package = open_package(cart)
        quotes = carts.lock_offered(package)
        answered = [(_find(quotes, quote_id), answer) for quote_id, answer in answers.items()]
        for quote, answer in answered:
            _record(quote, answer, template_version)
        return presentation.build_offer(quotes)


def _record(quote: Quote, answer: Answer, template_version: str) -> None:
    offered = presentation.present(quote)
    if answer.shown and answer.shown != presentation.offer_hash(offered):
        raise OfferChanged
    wanted = Choice.ACCEPTED if answer.accepted else Choice.DECLINED
    plan = ""
    if answer.accepted:
        names = {"", *(one.name for one in offered.plans)}
        # A plan that the page no longer offers isn't kept: the page shows one payment.
        kept = quote.instalment_plan if quote.instalment_plan in names else ""
        plan = kept if answer.plan is None else answer.plan
        if plan not in names:
            raise PlanGone
    if (quote.choice, quote.instalment_plan) != (wanted, plan):
        decisions.record(quote, wanted, template_version=template_version, plan=plan)


def open_package(cart: CartToInsure) -> QuotePackage:
    """Lock and return the cart's package, so that no order takes it over in the meantime.

    Raises OfferChanged, OfferClosed or BeingPaid if its quotes can't be answered.
    """
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


def _find(quotes: list[Quote], quote_id: str) -> Quote:
    # Compared in Python, because some databases ignore case.
    for quote in quotes:
        if quote.quote_id == quote_id:
            return quote
    raise OfferChanged
