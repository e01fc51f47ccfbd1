"""The list of policies, the page of one policy, and sending its documents again."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from django_xcover import exceptions
from django_xcover.account.base import policy_page, policy_post, policy_view, private, redirect_to
from django_xcover.models import Quote
from django_xcover.overview import documents
from django_xcover.overview import policies as listing


@policy_post
def send_documents(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Ask XCover to e-mail the documents again. Submitting twice sends one e-mail."""
    try:
        documents.send(quote)
    except exceptions.SentRecently as refusal:
        return policy_page(request, quote, error=str(refusal), status=HTTPStatus.TOO_MANY_REQUESTS)
    except exceptions.NothingToSend as refusal:
        return policy_page(request, quote, error=str(refusal), status=HTTPStatus.CONFLICT)
    return redirect_to("policy", quote, fragment="documents")


@private
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the policies of the orders that the adapter returns for this request."""
    page = listing.policies(request, page=_page_number(request))
    return render(request, "xcover/mycover/list.html", {"page": page})


@policy_view
def policy(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Show one policy and the available actions."""
    return policy_page(request, quote)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    # At most six digits: a longer number would overflow the database's OFFSET.
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else 1
