"""How an answer is replied to: JSON for the script, a page for the plain form."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from django_xcover.checkout.panels import offer_context, saved_sentence, totals
from django_xcover.checkout.returning import safe_next
from django_xcover.services.carts import read_cart
from django_xcover.services.offers import Offer, OfferedQuote
from django_xcover.services.quoting import fresh_offer

ANCHOR = "#xcover-offer"


def current_offer(request: HttpRequest) -> Offer | None:
    """Return the offer for this request's cart, quoted within the deadline if need be."""
    cart = read_cart(request)
    return fresh_offer(cart) if cart else None


def saved(request: HttpRequest, offer: Offer, answered: OfferedQuote) -> HttpResponse:
    """Reply that the answer to the quote `answered` is on record."""
    if _from_script(request):
        news = {
            "choice": answered.choice,
            "plan": answered.plan,
            "message": saved_sentence(answered),
        }
        return JsonResponse({"quote": answered.quote_id} | news | totals(offer))
    back = safe_next(request) or reverse("xcover:offer_page")
    # 303: the browser gets the page again, and reloading it does not answer again.
    return HttpResponseRedirect(back.partition("#")[0] + ANCHOR, status=303)


def refused(
    request: HttpRequest, sentence: str, *, status: int, offer: Offer | None
) -> HttpResponse:
    """Reply with what is wrong and with the offer as it stands now, so that nothing is lost."""
    quote_id = request.POST.get("quote", "")
    context = offer_context(request, offer, error=sentence, quote_id=quote_id)
    if not _from_script(request):
        return render(request, "xcover/offer_page.html", context, status=status)
    html = render_to_string("xcover/offer.html", context, request)
    return JsonResponse({"error": sentence, "html": html}, status=status)


def _from_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
