"""From a valid form to an answer on record."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_xcover.checkout.forms import ChoiceForm
from django_xcover.checkout.panels import TEMPLATE_VERSION, mark_of
from django_xcover.services import choosing
from django_xcover.services.carts import read_cart
from django_xcover.services.choosing import ChoiceRefused, OfferChanged
from django_xcover.services.offers import Offer, OfferedQuote


class NothingToInsure(ChoiceRefused):
    """The cart was emptied, or nothing in it can be insured any more."""

    message = _("There is nothing left in your cart to insure.")


def record_answer(request: HttpRequest, form: ChoiceForm) -> tuple[Offer, OfferedQuote]:
    """Put the answer of a valid `form` on record; return the offer and the answered quote now.

    Raises ChoiceRefused, whose text is a sentence for the shopper.
    """
    cart = read_cart(request)
    if cart is None:
        raise NothingToInsure
    quote_id = form.cleaned_data["quote"]
    # One transaction, so that an answer to what is no longer offered is taken back with it.
    with transaction.atomic():
        offer = choosing.choose(
            cart,
            quote_id=quote_id,
            accepted=form.accepted,
            template_version=TEMPLATE_VERSION,
        )
        answered = _find_quote(offer, quote_id)
        if not _was_shown(answered, form.cleaned_data["shown"]):
            raise OfferChanged
    return offer, answered


def _find_quote(offer: Offer, quote_id: str) -> OfferedQuote:
    for quote in offer.quotes:
        if quote.quote_id == quote_id:
            return quote
    raise OfferChanged


def _was_shown(quote: OfferedQuote, mark: str) -> bool:
    """Return whether the shopper's page showed `quote` as it is; without a mark, believe so.

    XCover changes a package in place and keeps its quote ids, so a second tab may still show an
    older price under the same id.
    """
    return not mark or mark == mark_of(quote)
