"""The HTML of the template tags. Nothing here calls XCover."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from django_xcover.checkout import placements
from django_xcover.checkout.forms import PLEASE_CHOOSE
from django_xcover.checkout.presenters import (
    after_sale_context,
    offer_context,
    price_sentence,
    script_timeout,
)
from django_xcover.conf import get_config
from django_xcover.cover import Cover, current_cover, order_cover
from django_xcover.formats import format_amount, plain_amount
from django_xcover.offers import after_sale_quotes, elements, product_price, shop_values
from django_xcover.offers.carts import CartToInsure, read_cart
from django_xcover.offers.quoting import Look, look_on_page, stored_offer
from django_xcover.offers.shown_totals import FIELD, as_text
from django_xcover.types import Money

# The script shows the base plus the premium, and submits the sum with the given form.
TOTAL = (
    '<span data-xcover-total data-xcover-base="{}" data-xcover-currency="{}" lang="{}">{}</span>'
)
SHOWN = (
    '<input type="hidden" name="{}" value="{}" form="{}" autocomplete="off"'
    ' data-xcover-total data-xcover-base="{}" data-xcover-currency="{}">'
)


def offer_block(
    request: HttpRequest, cart: Any = None, *, ask: bool = False, placement: str = ""
) -> SafeString:
    """Return the offer if it is stored, else a placeholder that the script fills.

    Return "" if it is known that no offer will come: the circuit is open, or XCover has just
    refused this cart. If accepted cover is gone, this says so instead.

    With `ask`, the script holds the first order without an answer and points at the offer. In the
    response to a POST, unanswered quotes are pointed at right away: the shop has refused an order.
    `placement` names the place on the shop's pages, for the daily numbers.

    Raises ImproperlyConfigured if the package's URLs aren't included: the placeholder would then
    point to the page itself.
    """
    to_insure = _to_insure(request, cart)
    if to_insure is None:
        return SafeString()
    return _place(request, to_insure, look_on_page(request, to_insure), ask, placement)


def element_block(
    request: HttpRequest, cart: Any, nonce: object, *, ask: bool = False, placement: str = ""
) -> SafeString:
    """Return XCover's own element, with the offer in reserve.

    Return what `offer_block` does without `XCOVER["ELEMENTS_SCRIPT"]`, and if there is an answer
    already or cover was lost: the element would forget the one and say nothing of the other.
    """
    script = get_config().elements_script
    to_insure = _to_insure(request, cart)
    if to_insure is None:
        return SafeString()
    look = look_on_page(request, to_insure)
    card = _place(request, to_insure, look, ask, placement)
    is_new = not (look.notice or (look.offer and any(quote.choice for quote in look.offer.quotes)))
    if not (script and card and is_new):
        return card
    context = {
        "card": card,
        "script": script,
        "request_json": elements.quote_request(to_insure),
        "timeout": script_timeout(),
    }
    return render_to_string("xcover/element.html", context, request) + format_html(
        '<script src="{}" defer{}></script>', static("xcover/element.js"), _attribute(nonce)
    )


def _to_insure(request: HttpRequest, cart: Any) -> CartToInsure | None:
    try:
        reverse("xcover:offer")
    except NoReverseMatch:
        raise ImproperlyConfigured(
            'The URLs of the offer are missing. Add path("xcover/", '
            'include("django_xcover.urls")) to the urlpatterns of your root URLconf.'
        ) from None
    return read_cart(request, cart)


def _place(
    request: HttpRequest, to_insure: CartToInsure, look: Look, ask: bool, placement: str
) -> SafeString:
    if not look.shown and not look.is_waiting:
        return SafeString()
    placements.note(look, placement)
    extra = {"next": request.get_full_path(), "items": to_insure.request.items}
    context = offer_context(request, look.shown, ask=ask and request.method == "POST") | extra
    context["ask"] = PLEASE_CHOOSE if ask else ""
    context["placement"] = placements.sign(placement)
    return render_to_string("xcover/place.html", context, request)


def total_block(
    request: HttpRequest, base: Decimal, currency: str, *, form: str, cover: Cover | None = None
) -> SafeString:
    """Return the total with the currently chosen cover, and a hidden field for `form`.

    `base` is the shop's total without cover. Pass `cover` if it's already known, to save a query.
    """
    premium = (cover or current_cover(request)).premium
    total = Money(base, currency) + (premium or Money(Decimal(0), currency))
    plain = plain_amount(Money(base, currency))
    shown = format_html(TOTAL, plain, currency, get_language() or "en", format_amount(total))
    sent = format_html(SHOWN, FIELD, as_text(total), form, plain, currency)
    return shown + sent


def prepare_script(request: HttpRequest, cart: Any, nonce: object) -> SafeString:
    """Return a script that requests the offer early; "" if it is stored already."""
    to_insure = read_cart(request, cart)
    if to_insure is None or stored_offer(request, to_insure) is not None:
        return SafeString()
    return format_html(
        '<script src="{}" data-offer="{}?{}=1" defer{}></script>',
        static("xcover/prepare.js"),
        reverse("xcover:offer"),
        placements.UNSEEN,
        _attribute(nonce),
    )


def price_block(request: HttpRequest, product: Any, nonce: object) -> SafeString:
    """Return the price of cover for `product`, or an empty place that a script fills.

    Return "" if it is known that there is no price.
    """
    look = product_price.look_on_page(request, product)
    if look.offer is not None:
        context = {"text": price_sentence(look.offer.premium)}
        return render_to_string("xcover/price.html", context, request)
    if not look.reference:
        return SafeString()
    return render_to_string("xcover/price.html", {"text": ""}, request) + format_html(
        '<script src="{}" data-price="{}?{}" defer{}></script>',
        static("xcover/price.js"),
        reverse("xcover:price"),
        urlencode({"product": look.reference}),
        _attribute(nonce),
    )


def policies_block(request: HttpRequest, order: Any) -> SafeString:
    """Return the state of the cover of `order`; "" if none was offered."""
    cover = order_cover(order)
    if cover.state == "none":
        return SafeString()
    return render_to_string("xcover/policies.html", {"cover": cover, "order": order}, request)


def after_sale_block(request: HttpRequest, order: Any, nonce: object) -> SafeString:
    """Return the offer after the sale if it is stored, or a place that a script fills.

    Return "" if it is known that there is no offer.
    """
    look = after_sale_quotes.look_on_page(request, order)
    if look.late is None and not look.is_waiting:
        return SafeString()
    context = after_sale_context(request, shop_values.order_reference(order), look.late)
    context["next"] = request.get_full_path()
    place = render_to_string("xcover/after_sale.html", context, request)
    if look.late is not None:
        return place
    return place + format_html(
        '<script src="{}" data-offer="{}offer/?{}" defer{}></script>',
        static("xcover/after_sale.js"),
        context["action"],
        urlencode({"next": context["next"]}),
        _attribute(nonce),
    )


def asset_links(nonce: object = None) -> SafeString:
    """Return the style sheet's link and the script's tag, with `nonce` if the page has one."""
    attribute = _attribute(nonce)
    return format_html(
        '<link rel="stylesheet" href="{}"{}>\n<script src="{}" defer{}></script>',
        static("xcover/xcover.css"),
        attribute,
        static("xcover/xcover.js"),
        attribute,
    )


def _attribute(nonce: object) -> SafeString | str:
    # The nonces of Django and django-csp are lazy, and false until they're read as text.
    text = "" if nonce is None else str(nonce)
    return format_html(' nonce="{}"', text) if text else ""
