"""Cancelling: first what comes back, then the shopper's word, then the wait for XCover.

This is also the function by which a contract made online is withdrawn from (directive 2023/2673):
two steps from the policy's page, whether or not XCover can be reached.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from django_xcover.account.decorators import acts, shows
from django_xcover.account.forms import CancelForm, StatementForm
from django_xcover.account.shortcuts import cancellation_page, policy_page, see
from django_xcover.account.workflows import find
from django_xcover.exceptions import Refused
from django_xcover.models import Cancellation, Quote, Withdrawal
from django_xcover.overview.policy import booked_together, policyholder
from django_xcover.policies import withdrawal


@acts
def preview(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Lead to the page that is confirmed, with the refund if XCover says it in time."""
    form = CancelForm(request.POST, booking=booked_together(quote), quote=quote)
    if not form.is_valid():
        return policy_page(
            request, quote, error=form.complaint, cancel_form=form, status=HTTPStatus.BAD_REQUEST
        )
    try:
        cancellation = withdrawal.prepare(
            quote.package, quotes=form.chosen, reason=form.cleaned_data["reason"]
        )
    except Refused as refusal:
        return policy_page(
            request, quote, error=str(refusal), cancel_form=form, status=HTTPStatus.CONFLICT
        )
    return see("cancellation", quote, pk=cancellation.pk)


@shows
def cancellation(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show a cancellation: the refund, the wait, or what came of it."""
    found = _find(quote, pk)
    return cancellation_page(request, found, _form(found), quote=quote)


@acts
def confirm(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Withdraw. A form sent twice, here or in another tab, leads to the same page."""
    found = _find(quote, pk)
    form = StatementForm(request.POST, known=policyholder(quote.package))
    if not form.is_valid():
        return cancellation_page(request, found, form, quote=quote, status=HTTPStatus.BAD_REQUEST)
    try:
        stated = withdrawal.withdraw(found, channel=Withdrawal.Channel.PAGE, **form.cleaned_data)
    except Refused as refusal:
        found.refresh_from_db()
        return cancellation_page(
            request, found, form, quote=quote, error=str(refusal), status=HTTPStatus.CONFLICT
        )
    return see("cancellation", quote, pk=stated.cancellation_id)


def _find(quote: Quote, pk: int) -> Cancellation:
    """Return the cancellation `pk` when this policy is one of those it is about, else 404."""
    return find(Cancellation.objects.filter(quotes=quote), quote, pk)


def _form(cancellation: Cancellation) -> StatementForm:
    return StatementForm(known=policyholder(cancellation.package))
