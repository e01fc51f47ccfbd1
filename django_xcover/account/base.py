"""What the "My cover" views share: access checks, pages, redirects and error messages.

The views don't run in the shop's `ATOMIC_REQUESTS` transaction: some of them call XCover, and no
transaction stays open during the call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_cookie

from django_xcover import payments
from django_xcover.account.forms import CancelForm, StatementForm
from django_xcover.client import XCoverError
from django_xcover.exceptions import ActionRefused, PolicyMissing
from django_xcover.models import Cancellation, Modification, Quote, Renewal
from django_xcover.overview.cancellations import view_of
from django_xcover.overview.policies import own_policy, summarise
from django_xcover.overview.policy import details
from django_xcover.overview.progress import Progress
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Due

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
PolicyView = Callable[Concatenate[HttpRequest, Quote, P], HttpResponse]
GuardedView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]


def private(view: View[P]) -> View[P]:
    """Keep the page out of caches, and its form data out of error reports.

    No login is required: the adapter decides whether a guest may see a policy.
    """
    hidden = sensitive_post_parameters()(never_cache(vary_on_cookie(view)))
    return clears_frames(login_not_required(non_atomic_requests(hidden)))


def policy_view(view: PolicyView[P]) -> GuardedView[P]:
    """Pass the shopper's policy to a read-only view; raise Http404 if it isn't theirs."""
    return private(require_safe(_own(view)))


def policy_post(view: PolicyView[P]) -> GuardedView[P]:
    """Pass the shopper's policy to a POST-only view; raise Http404 if it isn't theirs."""
    return private(require_POST(_own(view)))


def policy_form(view: PolicyView[P]) -> GuardedView[P]:
    """Pass the shopper's policy to a view with a form; raise Http404 if it isn't theirs."""
    return private(require_http_methods(["GET", "HEAD", "POST"])(_own(view)))


def _own(view: PolicyView[P]) -> GuardedView[P]:
    @wraps(view)
    def guarded(
        request: HttpRequest, quote_id: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            quote = own_policy(request, quote_id)
        except PolicyMissing as missing:
            # The same response as for an unknown policy, so it doesn't reveal which ones exist.
            raise Http404 from missing
        return view(request, quote, *args, **kwargs)

    return cast("GuardedView[P]", guarded)


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


Row = TypeVar("Row", Cancellation, Modification, Renewal)


class WorkflowView(Protocol):
    """The view of a workflow that a page shows."""

    @property
    def progress(self) -> Progress:
        """Return the progress of the workflow."""


def find(rows: QuerySet[Row], quote: Quote, pk: int) -> Row:
    """Return the row `pk` if it belongs to this policy's booking; raise Http404 otherwise."""
    return get_object_or_404(rows.select_related("package"), pk=pk, package=quote.package)


def workflow_page(
    request: HttpRequest,
    quote: Quote,
    name: str,
    shown: WorkflowView,
    *,
    due: Due | None = None,
    error: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Return the page `name` for `shown`, with the payment link for `due` and any `error`."""
    context = {
        "quote_id": quote.quote_id,
        "policy": summarise(quote),
        name: shown,
        "payment_url": payments.payment_url(request, due),
        "progress": shown.progress,
        "error": error,
    }
    return render(request, f"xcover/mycover/{name}.html", context, status=status)
