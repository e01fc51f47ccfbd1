"""Pages for cancelling: the refund, the confirmation, and the result.

They are also the withdrawal function that directive 2023/2673 requires for contracts made online:
two steps from the policy's page, even while XCover can't be reached.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from django_xcover.account.base import (
    cancellation_page,
    find,
    policy_page,
    policy_post,
    policy_view,
    redirect_to,
)
from django_xcover.account.forms import CancelForm, StatementForm
from django_xcover.exceptions import ActionRefused
from django_xcover.models import Cancellation, Quote, Withdrawal
from django_xcover.overview.policy import booked_together, policyholder
from django_xcover.policies import withdrawal


@policy_post
def preview(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Redirect to the confirmation page, which shows the refund if XCover answers in time."""
    form = CancelForm(request.POST, booking=booked_together(quote), quote=quote)
    if not form.is_valid():
        return policy_page(
            request, quote, error=form.first_error, cancel_form=form, status=HTTPStatus.BAD_REQUEST
        )
    try:
        cancellation = withdrawal.prepare(
            quote.package, quotes=form.chosen, reason=form.cleaned_data["reason"]
        )
    except ActionRefused as refusal:
        return policy_page(
            request, quote, error=str(refusal), cancel_form=form, status=HTTPStatus.CONFLICT
        )
    return redirect_to("cancellation", quote, pk=cancellation.pk)


@policy_view
def cancellation(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Show a cancellation: its refund, progress or result."""
    row = _find(quote, pk)
    return cancellation_page(
        request, row, StatementForm(known=policyholder(row.package)), quote=quote
    )


@policy_post
def confirm(request: HttpRequest, quote: Quote, pk: int) -> HttpResponse:
    """Submit the withdrawal. Submitting again, here or in another tab, leads to the same page."""
    row = _find(quote, pk)
    form = StatementForm(request.POST, known=policyholder(quote.package))
    if not form.is_valid():
        return cancellation_page(request, row, form, quote=quote, status=HTTPStatus.BAD_REQUEST)
    try:
        stated = withdrawal.withdraw(row, channel=Withdrawal.Channel.PAGE, **form.cleaned_data)
    except ActionRefused as refusal:
        row.refresh_from_db()
        return cancellation_page(
            request, row, form, quote=quote, error=str(refusal), status=HTTPStatus.CONFLICT
        )
    return redirect_to("cancellation", quote, pk=stated.cancellation_id)


def _find(quote: Quote, pk: int) -> Cancellation:
    """Return the cancellation `pk` if it includes this policy; raise Http404 otherwise."""
    return find(Cancellation.objects.filter(quotes=quote), quote, pk)
