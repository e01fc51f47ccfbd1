"""Responses and error messages shared by the "My cover" views."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from django_xcover import payments
from django_xcover.account.forms import CancelForm, StatementForm
from django_xcover.client import XCoverError
from django_xcover.exceptions import ActionRefused
from django_xcover.models import Cancellation, Quote
from django_xcover.overview.cancellations import view_of
from django_xcover.overview.policy import details


def policy_page(
    request: HttpRequest,
    quote: Quote,
    *,
    error: str = "",
    cancel_form: CancelForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Return the page of one policy, with `error` above it."""
    shown = details(quote)
    context: dict[str, Any] = {
        "details": shown,
        "policy": shown.policy,
        "instalment_url": payments.payment_url(
            request, shown.schedule.due if shown.schedule else None
        ),
        "error": error,
        "cancel_form": cancel_form or CancelForm(booking=[quote], quote=quote),
    }
    return render(request, "xcover/mycover/policy.html", context, status=status)


def cancellation_page(
    request: HttpRequest,
    row: Cancellation,
    form: StatementForm,
    *,
    quote: Quote | None = None,
    token: str = "",
    error: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Return the page of a cancellation, reached from the policy `quote` or a guest's link."""
    shown = view_of(row)
    form_error = next((str(errors[0]) for errors in form.errors.values()), "")
    if quote is not None:
        back_url = reverse("xcover:policy", args=[quote.quote_id])
        confirm_url = reverse("xcover:confirm_cancellation", args=[quote.quote_id, row.pk])
    else:
        back_url = reverse("xcover:withdraw", args=[token])
        confirm_url = reverse("xcover:confirm_withdrawal", args=[token, row.pk])
    context = {
        "cancellation": shown,
        "progress": shown.progress,
        "statement_form": form,
        "back_url": back_url,
        "confirm_url": confirm_url,
        "error": error or form_error,
    }
    return render(request, "xcover/mycover/cancellation.html", context, status=status)


def redirect_to(name: str, quote: Quote, *, fragment: str = "", **kwargs: Any) -> HttpResponse:
    """Return a redirect after a POST, so that reloading the page doesn't repeat the action.

    `fragment` is the id of the element to show.
    """
    url = reverse(f"xcover:{name}", kwargs={"quote_id": quote.quote_id, **kwargs})
    return HttpResponseRedirect(
        f"{url}#{fragment}" if fragment else url, status=HTTPStatus.SEE_OTHER
    )


def error_message(problem: ActionRefused | XCoverError) -> str:
    """Return the shopper's message for `problem`.

    XCover's own message is for staff: it can name fields that the shopper has never seen.
    """
    if isinstance(problem, ActionRefused):
        return str(problem)
    if problem.permanent:
        return _("The insurer didn't accept this. Nothing has changed. Please contact us.")
    return _(
        "We can't reach the insurer at the moment. Nothing has changed. Please try again later."
    )


def status_of(problem: ActionRefused | XCoverError) -> int:
    """Return the HTTP status of the page that shows `problem`."""
    unreachable = isinstance(problem, XCoverError) and not problem.permanent
    return HTTPStatus.SERVICE_UNAVAILABLE if unreachable else HTTPStatus.CONFLICT
