"""Each account on the page that says how everything stands, and what may be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_xcover.admin.actions import Button
from django_xcover.admin.badges import WAITING, badge
from django_xcover.admin.links import may_view
from django_xcover.admin.status_words import CIRCUITS, RATES, ago, clock, meaning
from django_xcover.models import AccountPause
from django_xcover.services.breaker import Circuit
from django_xcover.services.rate_limits import RateState
from django_xcover.services.status import AccountStatus, Status

GONE = (gettext_lazy("not in the settings any more"), WAITING)

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountShown:
    """An account as the page shows it.

    `passes` says that something about it is over by itself in a moment; `pause_url` is "" for those
    who may not pause it, and while it is paused.
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
    """Return each account with what this request's user may do to it."""
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
        return [(_("Left alone since"), ago(account.opened_at, _("not known")))]
    if not account.calls:
        return [(_("Last calls"), _("none in the past ten minutes"))]
    told = ngettext(
        "%(faults)s of the last %(calls)s failed",
        "%(faults)s of the last %(calls)s failed",
        account.calls,
    )
    return [(_("Last calls"), told % {"faults": account.faults, "calls": account.calls})]


def _rate(rate: RateState) -> Fact:
    told = _("at most %(rate)s a second") % {"rate": f"{rate.rate:g}"}
    if rate.paused_until:
        also = _("XCover asked for a pause until %(when)s")
        told = f"{told}; {also % {'when': clock(rate.paused_until)}}"
    return str(RATES[rate.group]), told


def _reconciled(account: AccountStatus) -> Fact:
    told = ago(account.reconciled_at, _("never"))
    if account.reconciling:
        told = _("%(last)s; one is under way") % {"last": told}
    elif account.reconciliation_error:
        facts = {"last": told, "error": account.reconciliation_error}
        told = _("%(last)s; the latest one failed (%(error)s)") % facts
    return _("Last comparison with XCover"), told


def _pause(request: HttpRequest, account: AccountStatus) -> list[Fact]:
    if account.paused_since is None:
        return []
    why = account.pause_reason if may_view(request, AccountPause) else ""
    return [(_("Paused since"), ago(account.paused_since, "")), *([(_("Why"), why)] if why else [])]


def _try(request: HttpRequest, account: AccountStatus) -> list[Button]:
    if account.circuit != Circuit.OPEN or not _may(request, "retry_operation"):
        return []
    url = reverse("admin:xcover_status_try", args=(account.name,))
    return [Button(url=url, label=_("Let the next call try"))]


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
