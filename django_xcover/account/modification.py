"""Changing: the policyholder's details at once; what has a price is settled with the shop first."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from django_xcover import exceptions
from django_xcover.account.decorators import acts, asks_and_acts, shows
from django_xcover.account.forms import DetailsForm, ValueForm
from django_xcover.account.shortcuts import policy_page, see, sentence, status_of
from django_xcover.account.workflows import find, workflow_page
from django_xcover.client import XCoverError
from django_xcover.exceptions import Refused, ValueNotChangeable
from django_xcover.models import BOOKED, Cancellation, Modification, Quote
from django_xcover.overview.insured_value import InsuredValue, insured_value, quote_value
from django_xcover.overview.modifications import view_of
from django_xcover.overview.policies import summarise
from django_xcover.overview.policy import booked_together, changeable
from django_xcover.policies import modification as modifying

# A change is asked for by the same people as a cancellation.
SHOPPER = Cancellation.Origin.SHOPPER


@asks_and_acts
def change(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Show the details as XCover has them, and have changed what the shopper changes."""
    names = changeable(quote)
    if not names:
        words = str(exceptions.NotModifiable())
        return policy_page(request, quote, error=words, status=HTTPStatus.CONFLICT)
    known = quote.package.answer.policyholder.details
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


@asks_and_acts
def change_value(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Ask for the new value, and lead to the page with its price. Nothing is changed."""
    value = insured_value(quote)
    if value is None:
        words = str(ValueNotChangeable())
        return policy_page(request, quote, error=words, status=HTTPStatus.CONFLICT)
    form = ValueForm(request.POST if request.method == "POST" else None, value=value)
    if not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return _value_page(request, quote, form, value, status=status)
    try:
        found = quote_value(quote, form.cleaned_data["amount"])
    except (Refused, XCoverError) as problem:
        words = sentence(problem)
        return _value_page(request, quote, form, value, error=words, status=status_of(problem))
    return see("modification", quote, pk=found.pk)


def _value_page(
    request: HttpRequest,
    quote: Quote,
    form: ValueForm,
    value: InsuredValue,
    *,
    error: str = "",
    status: int,
) -> HttpResponse:
    context: dict[str, Any] = {
        "policy": summarise(quote),
        "form": form,
        "value": value,
        "error": error,
    }
    return render(request, "xcover/mycover/value.html", context, status=status)
