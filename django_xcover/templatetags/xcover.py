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
def xcover_offer(context: Context, cart: Any = None, *, ask: bool = False) -> SafeString:
    """Show the offer for `cart` (by default the request's own), or a place for it to arrive in.

    `ask` puts "Please choose yes or no." at each quote without an answer. Never calls XCover.
    """
    return tags.offer_block(_request(context), cart, ask=ask)


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_prepare(context: Context, cart: Any = None) -> SafeString:
    """Have `cart` quoted early, by a script on the page before the checkout.

    Shows nothing. The offer is then there when the checkout opens.
    """
    return tags.prepare_script(_request(context), cart, _nonce(context))


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_total(
    context: Context, base: Decimal, currency: str, *, form: str, cover: Cover | None = None
) -> SafeString:
    """Show `base`, the shop's own total, plus the premium of the cover chosen now.

    The script keeps it up to date. A hidden field sends the same amount along with the form whose
    id is `form`; compare it with `django_xcover.offers.shown_totals.require_shown`. `cover` is
    what `current_cover` has returned to the view, and read here without it.
    """
    return tags.total_block(_request(context), base, currency, form=form, cover=cover)


@register.simple_tag(takes_context=True)
@clears_frames
def xcover_policies(context: Context, order: Any) -> SafeString:
    """Show what became of the cover of the shop's `order`, with its policies and documents."""
    return tags.policies_block(_request(context), order)


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
            "The xcover tags need the request: render the page with it, and add "
            "'django.template.context_processors.request' to the context processors."
        )
    return request
