"""Changing: the policyholder's details at once; what has a price is settled with the shop first."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from django_xcover.models import BOOKED, Cancellation, Modification, Quote
from django_xcover.mycover.forms import DetailsForm
from django_xcover.mycover.guarding import acts, asks_and_acts, shows
from django_xcover.mycover.replies import policy_page, see
from django_xcover.mycover.workflow_pages import find, workflow_page
from django_xcover.services import modifying
from django_xcover.services.my_cover.details import booked_together, changeable
from django_xcover.services.my_cover.modification import view_of
from django_xcover.services.my_cover.policies import summarise
from django_xcover.services.refusals import Refused

# A change is asked for by the same people as a cancellation.
SHOPPER = Cancellation.Origin.SHOPPER


@asks_and_acts
def change(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Show the details as XCover has them, and have changed what the shopper changes."""
    names = changeable(quote)
    if not names:
        words = str(modifying.NotModifiable())
        return policy_page(request, quote, error=words, status=HTTPStatus.CONFLICT)
    known = quote.package.payload.get("policyholder") or {}
    sent = request.POST if request.method == "POST" else None
    form = DetailsForm(sent, names=names, known=known)
    if not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return _form_page(request, quote, form, status=status)
    try:
        made = modifying.change_details(quote.package, form.cleaned_data, origin=SHOPPER)
    except Refused as refusal:
        words, status = str(refusal), HTTPStatus.CONFLICT
        return _form_page(request, quote, form, error=words, status=status)
    return see("modification", quote, pk=made.pk)


@shows
def modification(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show what a change costs, the wait, or what came of it."""
    return _page(request, quote, _find(quote, pk))


@acts
def confirm(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Have a change made that costs nothing.

    One with a difference is for the shop to confirm, when it has the money: 404 here.
    """
    found = _find(quote, pk)
    if found.price_diff:
        raise Http404
    try:
        modifying.settle(found)
    except Refused as refusal:
        return _refused(request, quote, found, refusal)
    return see("modification", quote, pk=pk)


@acts
def abandon(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Leave the policy as it is."""
    found = _find(quote, pk)
    try:
        modifying.abandon(found)
    except Refused as refusal:
        return _refused(request, quote, found, refusal)
    return see("modification", quote, pk=pk)


def _find(quote: Quote, pk: int) -> Modification:
    return find(Modification.objects.all(), quote, pk)


def _form_page(
    request: HttpRequest, quote: Quote, form: DetailsForm, *, error: str = "", status: int
) -> HttpResponse:
    context: dict[str, Any] = {
        "policy": summarise(quote),
        "together": [summarise(row) for row in booked_together(quote) if row.status in BOOKED],
        "form": form,
        "error": error,
    }
    return render(request, "xcover/mycover/change.html", context, status=status)


def _refused(
    request: HttpRequest, quote: Quote, found: Modification, refusal: Refused
) -> HttpResponse:
    found.refresh_from_db()
    return _page(request, quote, found, error=str(refusal), status=HTTPStatus.CONFLICT)


def _page(
    request: HttpRequest, quote: Quote, found: Modification, *, error: str = "", status: int = 200
) -> HttpResponse:
    shown = view_of(found)
    return workflow_page(
        request, quote, "modification", shown, due=shown.due, error=error, status=status
    )
