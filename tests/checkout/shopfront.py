"""The pages of a shop around the tags, and whose cart they see."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from tests.shop import PRODUCTS, Cart

PAGE = """<!doctype html>{% load xcover %}<html lang="en"><head><title>Checkout</title>
{% xcover_assets %}<link rel="icon" href="data:,"></head><body>
<form id="checkout" method="post" action="/order/">{% csrf_token %}<button>Pay</button></form>
<p id="total">{% xcover_total base "GBP" form="checkout" %}</p>
{% for line in above %}<p>Before the offer</p>{% endfor %}
{% if element %}{% xcover_element cart ask=ask %}
{% else %}{% xcover_offer cart ask=ask placement=placement %}{% endif %}
{% for line in below %}<p>After the offer</p>{% endfor %}
</body></html>"""

PRODUCT = """<!doctype html>{% load xcover %}<html lang="en"><head><title>Aero 14</title>
{% xcover_assets %}<link rel="icon" href="data:,"></head><body><h1>Aero 14</h1>
{% xcover_price product %}
<p>After the price</p></body></html>"""

BASE = Decimal("120.00")


class Front:
    """Whose cart the next request carries, and what happened to it on the way."""

    def __init__(self) -> None:
        self.cart: Cart | None = Cart()
        self.shopper = ""
        self.orders: list[str] = []
        self.totals: list[str] = []
        self.ask = False
        # Whether the page has XCover's own element, and the host that its policy allows for it.
        self.element = False
        self.vendor = ""
        self.before: Callable[[HttpRequest], HttpResponse | None] = lambda request: None


FRONT = Front()


def with_cart(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Put the cart on the request, as a shop's own middleware would."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.cart = FRONT.cart  # type: ignore[attr-defined]
        request.shopper = FRONT.shopper  # type: ignore[attr-defined]
        response = FRONT.before(request) or get_response(request)
        # The strictest policy a shop could have: nothing inline, nothing from elsewhere.
        response["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' {FRONT.vendor}; style-src 'self'; "
            f"connect-src 'self' {FRONT.vendor}; img-src data:; form-action 'self'; "
            "base-uri 'none'; require-trusted-types-for 'script'; "
            "trusted-types xcover xcover-element"
        )
        return response

    return middleware


def checkout(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string(PAGE)
    context: dict[str, object] = {"cart": FRONT.cart, "base": BASE, "ask": FRONT.ask}
    context["element"] = FRONT.element
    context |= {side: range(int(request.GET.get(side, 0))) for side in ("above", "below")}
    context["placement"] = request.GET.get("placement", "")
    return HttpResponse(template.render(context, request))


def product(request: HttpRequest, reference: str) -> HttpResponse:
    template = engines["django"].from_string(PRODUCT)
    return HttpResponse(template.render({"product": PRODUCTS[reference]}, request))


def order(request: HttpRequest) -> HttpResponse:
    FRONT.totals.append(request.POST["xcover_total"])
    FRONT.orders.append("placed")
    return HttpResponse("<!doctype html><title>Thank you</title><h1>Thank you</h1>")


def render(source: str, context: dict[str, object], request: HttpRequest | None) -> str:
    """Return what `source` renders to, with the tags loaded."""
    template = engines["django"].from_string("{% load xcover %}" + source)
    return str(template.render(context, request))


urlpatterns = [
    path("checkout/", checkout),
    path("order/", order),
    path("products/<slug:reference>/", product),
    path("xcover/", include("django_xcover.urls")),
]
