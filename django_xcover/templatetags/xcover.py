"""`{% load xcover %}`: the offer, the policies of an order, and the files they need.

Put `{% xcover_offer cart %}` outside the shop's own `<form>`: HTML has no nested forms.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template.context import Context
from django.utils.safestring import SafeString

from django_xcover.checkout import tags
from django_xcover.cover import Cover
from django_xcover.tracebacks import clears_frames

register = template.Library()


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_offer(
    context: Context, cart: Any = None, *, ask: bool = False, placement: str = ""
) -> SafeString:
    """Show the offer for `cart` (by default the request's), or a placeholder for it.

    With `ask`, "Please choose yes or no." appears once when an order is sent without an answer.
    `placement` is a name for this place in the daily numbers, at most 40 characters. Doesn't call
    XCover.
    """
    return tags.offer_block(_request(context), cart, ask=ask, placement=placement)


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_element(
    context: Context, cart: Any = None, *, ask: bool = False, placement: str = ""
) -> SafeString:
    """Show XCover's own element (XCover Elements) instead of the offer.

    If its script fails or is late, the offer is shown. So it is without `ELEMENTS_SCRIPT`.
    Doesn't call XCover.
    """
    return tags.element_block(
        _request(context), cart, _nonce(context), ask=ask, placement=placement
    )


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_prepare(context: Context, cart: Any = None) -> SafeString:
    """Request the offer for `cart` early, by a script on the page before the checkout.

    Shows nothing. The offer is then usually ready when the checkout opens.
    """
    return tags.prepare_script(_request(context), cart, _nonce(context))


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_price(context: Context, product: Any) -> SafeString:
    """Show what cover for `product` costs, on its page.

    If the price isn't cached, a script fills the empty place. Doesn't call XCover.
    """
    return tags.price_block(_request(context), product, _nonce(context))


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_total(
    context: Context, base: Decimal, currency: str, *, form: str, cover: Cover | None = None
) -> SafeString:
    """Show `base`, the shop's total, plus the premium of the currently chosen cover.

    The script keeps it up to date. A hidden field submits the same amount with the form whose id
    is `form`; check it with `django_xcover.cover.require_shown`. Pass the result of
    `current_cover` as `cover` to save a query.
    """
    return tags.total_block(_request(context), base, currency, form=form, cover=cover)


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_policies(context: Context, order: Any) -> SafeString:
    """Show the state of the cover of `order`, with its policies and documents."""
    return tags.policies_block(_request(context), order)


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_after_sale(context: Context, order: Any) -> SafeString:
    """Offer the cover that `order` doesn't have, on its page, for `XCOVER["AFTER_SALE_DAYS"]`.

    Shows nothing after a no, or once the order has cover. If the price isn't stored, a script fills
    the place. Doesn't call XCover.
    """
    return tags.after_sale_block(_request(context), order, _nonce(context))


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_assets(context: Context) -> SafeString:
    """Link the style sheet and the script, with the page's CSP nonce if it has one.

    The nonce is `csp_nonce` of the context (Django 6) or of the request (django-csp).
    """
    return tags.asset_links(_nonce(context))


def _nonce(context: Context) -> object:
    nonce = context.get("csp_nonce")
    if nonce is None:
        nonce = getattr(context.get("request"), "csp_nonce", None)
    return nonce


def _request(context: Context) -> HttpRequest:
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise ImproperlyConfigured(
            "The xcover tags need the request. Render the page with it, and add "
            "'django.template.context_processors.request' to the context processors."
        )
    return request
