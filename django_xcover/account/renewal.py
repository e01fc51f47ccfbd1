"""Pages for renewing a policy: the next period, its price, and declining it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from django_xcover.account.base import (
    error_message,
    find,
    policy_form,
    policy_post,
    policy_view,
    redirect_to,
    status_of,
    workflow_page,
)
from django_xcover.client import XCoverError
from django_xcover.exceptions import ActionRefused
from django_xcover.models import Quote, Renewal
from django_xcover.overview.renewals import view_of
from django_xcover.policies import renewal as renewal_service


@policy_view
def renewal(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show a renewal: its period and price, progress or result."""
    return _page(request, quote, _find(quote, pk))


@policy_post
def price(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Ask XCover for the price of the next period."""
    row = _find(quote, pk)
    try:
        renewal_service.quote(row)
    except (ActionRefused, XCoverError) as problem:
        return _refused(request, quote, row, problem)
    return redirect_to("renewal", quote, pk=pk)


@policy_form
def decline(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Ask for confirmation, listing every policy that ends, then decline the renewal.

    Declining again has no effect.
    """
    row = _find(quote, pk)
    if request.method != "POST":
        shown = view_of(row)
        return (
            workflow_page(request, quote, "decline", shown)
            if shown.is_open
            else redirect_to("renewal", quote, pk=pk)
        )
    try:
        renewal_service.opt_out(row)
    except ActionRefused as refusal:
        return _refused(request, quote, row, refusal)
    return redirect_to("renewal", quote, pk=pk)


def _find(quote: Quote, pk: int) -> Renewal:
    return find(Renewal.objects.all(), quote, pk)


def _refused(
    request: HttpRequest, quote: Quote, row: Renewal, problem: ActionRefused | XCoverError
) -> HttpResponse:
    row.refresh_from_db()
    return _page(request, quote, row, error=error_message(problem), status=status_of(problem))


def _page(
    request: HttpRequest, quote: Quote, row: Renewal, *, error: str = "", status: int = 200
) -> HttpResponse:
    shown = view_of(row)
    return workflow_page(
        request, quote, "renewal", shown, due=shown.due, error=error, status=status
    )
