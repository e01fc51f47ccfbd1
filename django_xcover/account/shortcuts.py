"""How the pages answer: where to go next, and what is wrong."""

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
from django_xcover.exceptions import Refused
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
    """Return the page of one policy, with what is wrong above it."""
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
    found: Cancellation,
    form: StatementForm,
    *,
    quote: Quote | None = None,
    token: str = "",
    error: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Return the page of a cancellation, below the policy `quote` or below a guest's link."""
    shown = view_of(found)
    complaint = next((str(errors[0]) for errors in form.errors.values()), "")
    if quote is not None:
        back_url = reverse("xcover:policy", args=[quote.quote_id])
        confirm_url = reverse("xcover:confirm_cancellation", args=[quote.quote_id, found.pk])
    else:
        back_url = reverse("xcover:withdraw", args=[token])
        confirm_url = reverse("xcover:confirm_withdrawal", args=[token, found.pk])
    context = {
        "cancellation": shown,
        "progress": shown.progress,
        "statement_form": form,
        "back_url": back_url,
        "confirm_url": confirm_url,
        "error": error or complaint,
    }
    return render(request, "xcover/mycover/cancellation.html", context, status=status)


def see(name: str, quote: Quote, *, place: str = "", **kwargs: Any) -> HttpResponse:
    """Send the browser on to another page, so that reloading it does nothing again.

    `place` is the id of what to see on it.
    """
    url = reverse(f"xcover:{name}", kwargs={"quote_id": quote.quote_id, **kwargs})
    return HttpResponseRedirect(f"{url}#{place}" if place else url, status=HTTPStatus.SEE_OTHER)


def sentence(problem: Refused | XCoverError) -> str:
    """Return what a shopper reads of `problem`.

    XCover's own words are for staff: they can name fields that no shopper has seen.
    """
    if isinstance(problem, Refused):
        return str(problem)
    if problem.permanent:
        return _("The insurer did not accept this. Nothing has changed. Please contact us.")
    return _("The insurer cannot be reached at the moment. Nothing has changed. Please try again.")


def status_of(problem: Refused | XCoverError) -> int:
    """Return the HTTP status for a page that says what is wrong."""
    unreachable = isinstance(problem, XCoverError) and not problem.permanent
    return HTTPStatus.SERVICE_UNAVAILABLE if unreachable else HTTPStatus.CONFLICT
