"""Pages for changing the policyholder's details, which is free, or the insured value."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from django_xcover import exceptions
from django_xcover.account.base import (
    error_message,
    find,
    policy_form,
    policy_page,
    policy_post,
    policy_view,
    redirect_to,
    status_of,
    workflow_page,
)
from django_xcover.account.forms import DetailsForm, ValueForm
from django_xcover.client import XCoverError
from django_xcover.exceptions import ActionRefused, ValueNotChangeable
from django_xcover.models import BOOKED, Cancellation, Modification, Quote
from django_xcover.overview.modifications import InsuredValue, insured_value, quote_value, view_of
from django_xcover.overview.policies import summarise
from django_xcover.overview.policy import booked_together, changeable
from django_xcover.policies import modification as modification_service

# Modifications use the origins of cancellations.
SHOPPER = Cancellation.Origin.SHOPPER


@policy_form
def change(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Show the policyholder's details, and submit the changed ones to XCover."""
    names = changeable(quote)
    if not names:
        error = str(exceptions.NotModifiable())
        return policy_page(request, quote, error=error, status=HTTPStatus.CONFLICT)
    known = quote.package.answer.policyholder.details
    sent = request.POST if request.method == "POST" else None
    form = DetailsForm(sent, names=names, known=known)
    if not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return _form_page(request, quote, form, status=status)
    try:
        row = modification_service.change_details(quote.package, form.cleaned_data, origin=SHOPPER)
    except ActionRefused as refusal:
        return _form_page(request, quote, form, error=str(refusal), status=HTTPStatus.CONFLICT)
    return redirect_to("modification", quote, pk=row.pk)


@policy_view
def modification(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show a change: its price, progress or result."""
    return _page(request, quote, _find(quote, pk))


@policy_post
def confirm(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Confirm a change that doesn't alter the price.

    Raises Http404 for any other change: the shop confirms it after the payment or refund.
    """
    row = _find(quote, pk)
    if row.price_diff:
        raise Http404
    try:
        modification_service.settle(row)
    except ActionRefused as refusal:
        return _refused(request, quote, row, refusal)
    return redirect_to("modification", quote, pk=pk)


@policy_post
def abandon(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Abandon the change."""
    row = _find(quote, pk)
    try:
        modification_service.abandon(row)
    except ActionRefused as refusal:
        return _refused(request, quote, row, refusal)
    return redirect_to("modification", quote, pk=pk)


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
    request: HttpRequest, quote: Quote, row: Modification, refusal: ActionRefused
) -> HttpResponse:
    row.refresh_from_db()
    return _page(request, quote, row, error=str(refusal), status=HTTPStatus.CONFLICT)


def _page(
    request: HttpRequest, quote: Quote, row: Modification, *, error: str = "", status: int = 200
) -> HttpResponse:
    shown = view_of(row)
    return workflow_page(
        request, quote, "modification", shown, due=shown.due, error=error, status=status
    )


@policy_form
def change_value(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Show the form for the new value; redirect to the page with its price. Changes nothing yet."""
    value = insured_value(quote)
    if value is None:
        error = str(ValueNotChangeable())
        return policy_page(request, quote, error=error, status=HTTPStatus.CONFLICT)
    form = ValueForm(request.POST if request.method == "POST" else None, value=value)
    if not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return _value_page(request, quote, form, value, status=status)
    try:
        row = quote_value(quote, form.cleaned_data["amount"])
    except (ActionRefused, XCoverError) as problem:
        error = error_message(problem)
        return _value_page(request, quote, form, value, error=error, status=status_of(problem))
    return redirect_to("modification", quote, pk=row.pk)


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
