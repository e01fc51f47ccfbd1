"""The health page: XCover accounts, operations, reconciliation and workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

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
from django.utils.translation import gettext_lazy, ngettext

from django_xcover.admin.common.display import TONES, WAITING, badge, may_view
from django_xcover.admin.common.row_actions import Button
from django_xcover.admin.health_texts import (
    CACHES,
    CIRCUITS,
    RATES,
    ago,
    clock,
    figure_tone,
    meaning,
    verdicts,
)
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.clients.rate_limits import RateState
from django_xcover.models import (
    AccountPause,
    Cancellation,
    Discrepancy,
    Instalment,
    Operation,
    OperationState,
    QuotePackage,
    WebhookDelivery,
)
from django_xcover.support.health import health
from django_xcover.support.status import AccountStatus, Status, count_text

GONE = (gettext_lazy("no longer in the settings"), WAITING)

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountShown:
    """An account on the page.

    `passes` means that its state will soon change by itself. `pause_url` is "" while it is paused,
    and for users who may not pause it.
    """

    name: str
    circuit: SafeString
    meaning: str
    is_down: bool
    facts: list[Fact]
    pause: list[Fact]
    buttons: list[Button]
    pause_url: str
    passes: bool


def shown(request: HttpRequest, now: Status) -> list[AccountShown]:
    """Return each account with the actions of this user."""
    may_resume = may_view(request, AccountPause) and _may(request, "resume_accountpause")
    pauses = {row.account: row.pk for row in AccountPause.objects.all()} if may_resume else {}
    return [_shown(request, account, pauses.get(account.name)) for account in now.accounts]


def _shown(request: HttpRequest, account: AccountStatus, pause: int | None) -> AccountShown:
    label, tone = CIRCUITS[Circuit(account.circuit)] if account.rates else GONE
    is_down = account.opened_at is not None
    return AccountShown(
        name=account.name,
        circuit=badge(label, tone),
        meaning=meaning(account) if account.rates else "",
        is_down=is_down,
        facts=[*_circuit(account), *map(_rate, account.rates), _reconciled(account)],
        pause=_pause(request, account),
        buttons=[*_try(request, account), *_resume(pause)],
        pause_url=_pause_url(request, account),
        passes=is_down or any(rate.paused_until for rate in account.rates),
    )


def _circuit(account: AccountStatus) -> list[Fact]:
    if not account.rates:
        return []
    if account.circuit != Circuit.CLOSED:
        return [(_("No calls since"), ago(account.opened_at, _("not known")))]
    if not account.calls:
        return [(_("Last calls"), _("none in the past ten minutes"))]
    text = ngettext(
        "%(faults)s of the last %(calls)s failed",
        "%(faults)s of the last %(calls)s failed",
        account.calls,
    )
    return [(_("Last calls"), text % {"faults": account.faults, "calls": account.calls})]


def _rate(rate: RateState) -> Fact:
    text = _("at most %(rate)s a second") % {"rate": f"{rate.rate:g}"}
    if rate.paused_until:
        also = _("XCover asked for a pause until %(when)s")
        text = f"{text}; {also % {'when': clock(rate.paused_until)}}"
    return str(RATES[rate.group]), text


def _reconciled(account: AccountStatus) -> Fact:
    text = ago(account.reconciled_at, _("never"))
    if account.reconciling:
        text = _("%(last)s; one is running now") % {"last": text}
    elif account.reconciliation_error:
        context = {"last": text, "error": account.reconciliation_error}
        text = _("%(last)s; the latest one failed (%(error)s)") % context
    return _("Last comparison with XCover"), text


def _pause(request: HttpRequest, account: AccountStatus) -> list[Fact]:
    if account.paused_since is None:
        return []
    why = account.pause_reason if may_view(request, AccountPause) else ""
    return [(_("Paused since"), ago(account.paused_since, "")), *([(_("Why"), why)] if why else [])]


def _try(request: HttpRequest, account: AccountStatus) -> list[Button]:
    if account.circuit != Circuit.OPEN or not _may(request, "retry_operation"):
        return []
    url = reverse("admin:xcover_status_try", args=(account.name,))
    return [Button(url=url, label=_("Let the next call through"))]


def _resume(pause: int | None) -> list[Button]:
    if pause is None:
        return []
    return [
        Button(url=reverse("admin:xcover_accountpause_resume", args=(pause,)), label=_("Resume"))
    ]


def _pause_url(request: HttpRequest, account: AccountStatus) -> str:
    may = may_view(request, AccountPause) and _may(request, "add_accountpause")
    if account.paused_since or not may:
        return ""
    return f"{reverse('admin:xcover_accountpause_add')}?{urlencode({'account': account.name})}"


def _may(request: HttpRequest, codename: str) -> bool:
    return bool(request.user.has_perm(f"xcover.{codename}"))


STATUS = "admin/xcover/status.html"
# Seconds between reloads while an account's state is about to change.
RELOAD = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A count and the URL of its list; `url` is "" for users who may not see it."""

    label: str
    count: int
    url: str
    tone: str


def status_page(model_admin: ModelAdmin[Operation], request: HttpRequest) -> HttpResponse:
    """Return the page; raise PermissionDenied for users who may not see operations."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    report = health()
    now = report.status
    site: AdminSite = model_admin.admin_site
    accounts = shown(request, now)
    context: dict[str, Any] = {
        **site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "title": _("System health"),
        "verdicts": verdicts(report),
        "people": _people(request, now),
        "outbox": _outbox(request, now),
        "accounts": accounts,
        "facts": [
            (_("Oldest due operation"), ago(now.oldest_due, _("nothing is due"))),
            (_("Last sweep by a worker"), ago(now.last_sweep, _("never"))),
        ],
        "cache_note": str(CACHES[now.cache]),
        "asked_at": date_format(timezone.localtime(), "H:i:s T"),
        "way_back": request.path,
        "reload_after": RELOAD if any(account.passes for account in accounts) else 0,
    }
    return TemplateResponse(request, STATUS, context)


def _people(request: HttpRequest, now: Status) -> list[Figure]:
    stopped = now.operations[OperationState.NEEDS_PERSON.value]
    rows: list[tuple[str, int, type[Model], str]] = [
        (_("Stopped operations"), stopped, Operation, "state__exact=needs_person"),
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


def list_url(request: HttpRequest, model: type[Model], query: str = "") -> str:
    """Return the URL of a filtered list, "" if this user may not see it."""
    if not may_view(request, model):
        return ""
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{url}?{query}" if query else url
