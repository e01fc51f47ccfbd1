"""The page that says how everything stands: XCover, the outbox, the comparison, the workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from django_xcover.admin.badges import TONES, badge
from django_xcover.admin.links import may_view
from django_xcover.admin.status_accounts import shown
from django_xcover.admin.status_words import CACHES, ago, figure_tone, verdicts
from django_xcover.models import (
    Cancellation,
    Discrepancy,
    Instalment,
    Operation,
    OperationState,
    QuotePackage,
    WebhookDelivery,
)
from django_xcover.services.health import health
from django_xcover.services.status import Status, count_text

STATUS = "admin/xcover/status.html"
# Seconds, while something passes by itself: then somebody is watching.
RELOAD = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number and where its rows are listed; `url` is "" for those who may not see them."""

    label: str
    count: int
    url: str
    tone: str


def status_page(model_admin: ModelAdmin[Operation], request: HttpRequest) -> HttpResponse:
    """Return the page, for those who may see operations."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    found = health()
    now = found.status
    site: AdminSite = model_admin.admin_site
    accounts = shown(request, now)
    context: dict[str, Any] = {
        **site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "title": _("How everything stands"),
        "verdicts": verdicts(found),
        "people": _people(request, now),
        "outbox": _outbox(request, now),
        "accounts": accounts,
        "facts": _facts(now),
        "cache_note": str(CACHES[now.cache]),
        "asked_at": date_format(timezone.localtime(), "H:i:s T"),
        "way_back": request.path,
        "reload_after": RELOAD if any(one.passes for one in accounts) else 0,
    }
    return TemplateResponse(request, STATUS, context)


def _people(request: HttpRequest, now: Status) -> list[Figure]:
    stopped = now.operations[OperationState.NEEDS_PERSON.value]
    rows: list[tuple[str, int, type[Model], str]] = [
        (_("Operations that stopped"), stopped, Operation, "state__exact=needs_person"),
        (_("Flagged bookings"), now.flagged_packages, QuotePackage, "attention=flagged"),
        (_("Open discrepancies"), now.open_discrepancies, Discrepancy, "state__exact=open"),
        (_("Failed webhooks"), now.failed_webhooks, WebhookDelivery, "state__exact=failed"),
        (_("Refunds to record"), now.refunds_to_record, Cancellation, "refund=missing"),
        (_("Overdue instalments"), now.overdue_instalments, Instalment, "payment=overdue"),
    ]
    return [
        Figure(
            label=label,
            count=count,
            url=list_url(request, model, query),
            tone=figure_tone(count, bad=True),
        )
        for label, count, model, query in rows
    ]


def _outbox(request: HttpRequest, now: Status) -> list[tuple[SafeString, str, str]]:
    return [
        (
            badge(OperationState(state).label, TONES.get(state, "") if count else "plain"),
            count_text(count),
            list_url(request, Operation, f"state__exact={state}"),
        )
        for state, count in now.operations.items()
    ]


def _facts(now: Status) -> list[tuple[str, str]]:
    return [
        (_("Oldest that is due"), ago(now.oldest_due, _("nothing is due"))),
        (_("Last sweep of the worker"), ago(now.last_sweep, _("never"))),
    ]


def list_url(request: HttpRequest, model: type[Model], query: str = "") -> str:
    """Return the address of a filtered list, "" for those who may not see it."""
    if not may_view(request, model):
        return ""
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{url}?{query}" if query else url
