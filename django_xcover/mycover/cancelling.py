"""Cancelling: first what comes back, then the shopper's word, then the wait for XCover.

This is also the function by which a contract made online is withdrawn from (directive 2023/2673):
two clicks from the policy's page, as buying took two.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from django_xcover.client import XCoverError
from django_xcover.models import Cancellation, Quote
from django_xcover.mycover.forms import CancelForm
from django_xcover.mycover.guarding import acts, shows
from django_xcover.mycover.replies import policy_page, see, sentence, status_of
from django_xcover.mycover.workflow_pages import find, workflow_page
from django_xcover.services import cancelling
from django_xcover.services.my_cover.cancellation import view_of
from django_xcover.services.my_cover.details import booked_together
from django_xcover.services.refusals import Refused


@acts
def preview(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Ask XCover what comes back, and lead to the page that says so. Nothing is cancelled."""
    form = CancelForm(request.POST, booking=booked_together(quote), quote=quote)
    if not form.is_valid():
        return policy_page(
            request, quote, error=form.complaint, cancel_form=form, status=HTTPStatus.BAD_REQUEST
        )
    try:
        cancellation = cancelling.preview(
            quote.package,
            quotes=form.chosen,
            origin=Cancellation.Origin.SHOPPER,
            reason=form.cleaned_data["reason"],
        )
    except (Refused, XCoverError) as problem:
        words, status = sentence(problem), status_of(problem)
        return policy_page(request, quote, error=words, cancel_form=form, status=status)
    return see("cancellation", quote, pk=cancellation.pk)


@shows
def cancellation(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show a cancellation: the refund, the wait, or what came of it."""
    return _page(request, quote, _find(quote, pk))


@acts
def confirm(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Cancel what was previewed. A form sent twice cancels once, and leads to the same page."""
    found = _find(quote, pk)
    try:
        cancelling.request(found)
    except Refused as refusal:
        found.refresh_from_db()
        return _page(request, quote, found, error=str(refusal), status=HTTPStatus.CONFLICT)
    return see("cancellation", quote, pk=pk)


def _find(quote: Quote, pk: int) -> Cancellation:
    """Return the cancellation `pk` when this policy is one of those it is about, else 404."""
    return find(Cancellation.objects.filter(quotes=quote), quote, pk)


def _page(
    request: HttpRequest, quote: Quote, found: Cancellation, *, error: str = "", status: int = 200
) -> HttpResponse:
    shown = view_of(found)
    return workflow_page(request, quote, "cancellation", shown, error=error, status=status)
