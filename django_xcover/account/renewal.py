"""Renewing: the next period and its price, then paying it at the shop, or letting the cover end."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from django_xcover.account.decorators import acts, asks_and_acts, shows
from django_xcover.account.shortcuts import see, sentence, status_of
from django_xcover.account.workflows import find, workflow_page
from django_xcover.client import XCoverError
from django_xcover.exceptions import Refused
from django_xcover.models import Quote, Renewal
from django_xcover.overview.renewals import view_of
from django_xcover.policies import renewal as renewing


@shows
def renewal(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show the next period and its price, the wait, or what came of it."""
    return _page(request, quote, _find(quote, pk))


@acts
def price(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Ask XCover what the next period costs."""
    found = _find(quote, pk)
    try:
        renewing.quote(found)
    except (Refused, XCoverError) as problem:
        return _refused(request, quote, found, problem)
    return see("renewal", quote, pk=pk)


@asks_and_acts
def decline(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Ask once, naming every policy that ends; then let the cover end with its period.

    Declining twice declines once.
    """
    found = _find(quote, pk)
    if request.method != "POST":
        shown = view_of(found)
        return (
            workflow_page(request, quote, "decline", shown)
            if shown.is_open
            else see("renewal", quote, pk=pk)
        )
    try:
        renewing.opt_out(found)
    except Refused as refusal:
        return _refused(request, quote, found, refusal)
    return see("renewal", quote, pk=pk)


def _find(quote: Quote, pk: int) -> Renewal:
    return find(Renewal.objects.all(), quote, pk)


def _refused(
    request: HttpRequest, quote: Quote, found: Renewal, problem: Refused | XCoverError
) -> HttpResponse:
    found.refresh_from_db()
    return _page(request, quote, found, error=sentence(problem), status=status_of(problem))


def _page(
    request: HttpRequest, quote: Quote, found: Renewal, *, error: str = "", status: int = 200
) -> HttpResponse:
    shown = view_of(found)
    return workflow_page(
        request, quote, "renewal", shown, due=shown.due, error=error, status=status
    )
