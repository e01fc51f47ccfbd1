"""Pages shared by the workflows of a policy: cancellation, modification, renewal."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from django_xcover import payments
from django_xcover.models import Cancellation, Modification, Quote, Renewal
from django_xcover.overview.policies import summarise
from django_xcover.overview.progress import Progress
from django_xcover.types import Due

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
