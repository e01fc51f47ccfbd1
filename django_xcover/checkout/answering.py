"""From a valid form to an answer on record."""

from __future__ import annotations

from django.http import HttpRequest

from django_xcover.checkout.forms import ChoiceForm
from django_xcover.checkout.panels import TEMPLATE_VERSION
from django_xcover.services import choosing
from django_xcover.services.carts import read_cart
from django_xcover.services.choosing import NothingToInsure, OfferChanged
from django_xcover.services.offers import Offer, OfferedQuote


def record_answer(request: HttpRequest, form: ChoiceForm) -> tuple[Offer, OfferedQuote]:
    """Put the answer of a valid `form` on record; return the offer and the answered quote now.

    Raises ChoiceRefused, whose text is a sentence for the shopper.
    """
    cart = read_cart(request)
    if cart is None:
        raise NothingToInsure
    quote_id = form.cleaned_data["quote"]
    offer = choosing.choose(
        cart,
        quote_id=quote_id,
        accepted=form.accepted,
        template_version=TEMPLATE_VERSION,
        shown=form.cleaned_data["shown"],
        plan=form.cleaned_data["plan"],
    )
    return offer, _find_quote(offer, quote_id)


def _find_quote(offer: Offer, quote_id: str) -> OfferedQuote:
    for quote in offer.quotes:
        if quote.quote_id == quote_id:
            return quote
    raise OfferChanged
