"""Having a policy's documents sent by e-mail once more."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from django_xcover import exceptions
from django_xcover.account.decorators import acts, private, shows
from django_xcover.account.shortcuts import policy_page, see
from django_xcover.models import Quote
from django_xcover.overview import documents
from django_xcover.overview import policies as listing


@acts
def send_documents(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Have XCover write again, to the address it knows. A form sent twice sends once."""
    try:
        documents.send(quote)
    except exceptions.SentRecently as refusal:
        return policy_page(request, quote, error=str(refusal), status=HTTPStatus.TOO_MANY_REQUESTS)
    except exceptions.NothingToSend as refusal:
        return policy_page(request, quote, error=str(refusal), status=HTTPStatus.CONFLICT)
    return see("policy", quote, place="documents")


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
