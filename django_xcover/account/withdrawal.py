"""Withdrawal through a signed link: the same two steps for guests, without session or login."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from django_xcover.account.base import cancellation_page, private
from django_xcover.account.forms import CancelForm, StatementForm
from django_xcover.exceptions import ActionRefused, LinkExpired, LinkInvalid
from django_xcover.models import Cancellation, QuotePackage, Withdrawal
from django_xcover.overview.cancellations import WithdrawableBooking, withdrawable
from django_xcover.overview.policy import policyholder
from django_xcover.policies import withdrawal as withdrawal_service

P = ParamSpec("P")
LinkView = Callable[Concatenate[HttpRequest, str, list[QuotePackage], P], HttpResponse]
GuardedView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]


def by_link(view: LinkView[P]) -> GuardedView[P]:
    """Pass the packages of the link's order to the view; show an error for an invalid link.

    Anyone with the URL can open the page, so headers keep it from other sites and search
    engines.
    """

    @wraps(view)
    def guarded(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            packages = withdrawal_service.read_link(token)
        except LinkExpired as expired:
            response = _page(request, error=str(expired), status=HTTPStatus.GONE)
        except LinkInvalid as invalid:
            response = _page(request, error=str(invalid), status=HTTPStatus.NOT_FOUND)
        else:
            response = view(request, token, packages, *args, **kwargs)
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return private(cast("GuardedView[P]", guarded))


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, token: str, packages: list[QuotePackage]) -> HttpResponse:
    """Show the order's cover; a submitted form redirects to the confirmation page."""
    if request.method != "POST":
        return _page(request, token, packages)
    booking = _booking(packages, request.POST.getlist("policies"))
    form = CancelForm(request.POST, booking=booking.quotes, quote=booking.quotes[0])
    if not form.is_valid():
        return _page(
            request, token, packages, error=form.first_error, status=HTTPStatus.BAD_REQUEST
        )
    try:
        row = withdrawal_service.prepare(
            booking.package, quotes=form.chosen, reason=form.cleaned_data["reason"]
        )
    except ActionRefused as refusal:
        return _page(request, token, packages, error=str(refusal), status=HTTPStatus.CONFLICT)
    return _redirect(token, row.pk)


@by_link
@require_safe
def withdrawal(
    request: HttpRequest, token: str, packages: list[QuotePackage], pk: int
) -> HttpResponse:
    """Show a cancellation: its refund, progress or result."""
    row = _find(packages, pk)
    return cancellation_page(request, row, _form(row), token=token)


@by_link
@require_POST
def confirm(
    request: HttpRequest, token: str, packages: list[QuotePackage], pk: int
) -> HttpResponse:
    """Submit the withdrawal. Submitting again leads to the same page."""
    row = _find(packages, pk)
    form = _form(row, request.POST)
    if not form.is_valid():
        return cancellation_page(request, row, form, token=token, status=HTTPStatus.BAD_REQUEST)
    try:
        stated = withdrawal_service.withdraw(
            row, channel=Withdrawal.Channel.LINK, **form.cleaned_data
        )
    except ActionRefused as refusal:
        row.refresh_from_db()
        return cancellation_page(
            request, row, form, token=token, error=str(refusal), status=HTTPStatus.CONFLICT
        )
    return _redirect(token, stated.cancellation_id)


def _booking(packages: list[QuotePackage], ids: list[str]) -> WithdrawableBooking:
    """Return the booking with a policy of `ids`, else the first one; raise Http404 if none."""
    bookings = [booking for booking in map(withdrawable, packages) if booking.quotes]
    if not bookings:
        raise Http404
    matching = (b for b in bookings if any(quote.quote_id in ids for quote in b.quotes))
    return next(matching, bookings[0])


def _find(packages: list[QuotePackage], pk: int) -> Cancellation:
    """Return the cancellation `pk` of these packages; raise Http404 otherwise."""
    rows = Cancellation.objects.select_related("package").filter(package__in=packages)
    return get_object_or_404(rows, pk=pk)


def _form(row: Cancellation, data: Any = None) -> StatementForm:
    return StatementForm(data, known=policyholder(row.package), shows=False)


def _redirect(token: str, pk: int) -> HttpResponse:
    url = reverse("xcover:withdrawal", args=[token, pk])
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)


def _page(
    request: HttpRequest,
    token: str = "",
    packages: list[QuotePackage] | None = None,
    *,
    error: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "token": token,
        "bookings": [withdrawable(package) for package in packages or ()],
        "error": error,
    }
    return render(request, "xcover/mycover/withdraw.html", context, status=status)
