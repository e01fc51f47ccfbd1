"""What the template tags put on a page. Nothing here calls XCover."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from django_xcover.checkout.panels import offer_context
from django_xcover.services.carts import read_cart
from django_xcover.services.cover import order_cover
from django_xcover.services.quoting import stored_offer


def offer_block(request: HttpRequest, cart: Any = None, *, ask: bool = False) -> SafeString:
    """Return the offer when it is stored, else a place that the script fills."""
    to_insure = read_cart(request, cart)
    if to_insure is None:
        return SafeString()
    here = {"next": request.get_full_path(), "items": to_insure.request.items}
    context = offer_context(request, stored_offer(request, to_insure), ask=ask) | here
    return render_to_string("xcover/place.html", context, request)


def policies_block(request: HttpRequest, order: Any) -> SafeString:
    """Return what became of the cover of the shop's `order`; nothing when none was offered."""
    cover = order_cover(order)
    if cover.state == "none":
        return SafeString()
    return render_to_string("xcover/policies.html", {"cover": cover, "order": order}, request)


def asset_links(nonce: object = None) -> SafeString:
    """Return the style sheet's link and the script's tag, with `nonce` when the page has one."""
    # Both Django's and django-csp's nonce are lazy and false until they are read as text.
    text = "" if nonce is None else str(nonce)
    attribute = format_html(' nonce="{}"', text) if text else ""
    return format_html(
        '<link rel="stylesheet" href="{}"{}>\n<script src="{}" defer{}></script>',
        static("xcover/xcover.css"),
        attribute,
        static("xcover/xcover.js"),
        attribute,
    )
