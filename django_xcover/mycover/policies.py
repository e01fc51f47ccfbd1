"""The list of a shopper's policies, and the page of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from django_xcover.models import Quote
from django_xcover.mycover.guarding import private, shows
from django_xcover.mycover.replies import policy_page
from django_xcover.services.my_cover import policies as listing


@private
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the policies of the orders that the shop's adapter names for this request."""
    page = listing.policies(request, page=_page_number(request))
    return render(request, "xcover/mycover/list.html", {"page": page})


@shows
def policy(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Show one policy with everything that can be done about it."""
    return policy_page(request, quote)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    # At most a million pages: a longer number is no page, and too big for the database.
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else 1
