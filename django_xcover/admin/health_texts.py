"""The texts of the health page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_xcover.admin.common.display import BAD, GOOD, PLAIN, WAITING
from django_xcover.clients.cache import CacheScope
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.support.health import Health, State
from django_xcover.support.status import AccountStatus, Status

TONES_OF_STATES = {State.ATTENTION: WAITING, State.ALARM: BAD}

CIRCUITS = {
    Circuit.CLOSED: (gettext_lazy("closed: calls go to XCover"), GOOD),
    Circuit.OPEN: (gettext_lazy("open: no calls go to XCover"), BAD),
    Circuit.HALF_OPEN: (gettext_lazy("half open: one trial call"), WAITING),
    Circuit.UNKNOWN: (gettext_lazy("unknown"), WAITING),
}
MEANINGS = {
    Circuit.CLOSED: gettext_lazy("Offers are requested as usual."),
    Circuit.OPEN: gettext_lazy(
        "XCover isn't answering, so no calls are made: shoppers see no new offers, and orders go "
        "through without waiting. Cover that was bought is booked as soon as XCover accepts it. "
        "You don't need to do anything: from %(until)s one call checks whether XCover is back, "
        "and the waits get longer until it is."
    ),
    Circuit.HALF_OPEN: gettext_lazy(
        "The next shopper's call checks whether XCover is back. Until one succeeds, other "
        "shoppers see no new offers, and orders go through without waiting."
    ),
    Circuit.UNKNOWN: gettext_lazy(
        "The cache can't be reached, so recent failures aren't known. Every call is made, and "
        "none takes longer than its deadline."
    ),
}
CACHES = {
    CacheScope.SHARED: "",
    CacheScope.PROCESS: gettext_lazy(
        "Each process has its own cache, so this page shows the circuits and rates of one "
        "process; others may differ. With a shared cache, such as Redis, all processes share them."
    ),
    CacheScope.NONE: gettext_lazy(
        "The cache stores nothing, so the state of circuits and rate limits isn't known."
    ),
    CacheScope.UNAVAILABLE: gettext_lazy(
        "The cache can't be reached, so the state of circuits and rate limits isn't known. "
        "Bookings don't need the cache."
    ),
}
RATES = {
    "sales": gettext_lazy("Quotes and bookings"),
    "other": gettext_lazy("Other calls"),
    "total": gettext_lazy("All calls"),
}

Verdict = tuple[str, str]


def clock(moment: datetime) -> str:
    """Return the time to the second, with the date unless it is today."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localdate()
    time = date_format(local, "H:i:s")
    return time if is_today else f"{date_format(local, 'SHORT_DATE_FORMAT')}, {time}"


def ago(moment: datetime | None, otherwise: str) -> str:
    """Return a time and how long ago it was, `otherwise` for none."""
    if moment is None:
        return otherwise
    if timezone.now() - moment < timedelta(minutes=1):
        return _("%(when)s (just now)") % {"when": clock(moment)}
    context = {"when": clock(moment), "time": timesince(moment)}
    return _("%(when)s (%(time)s ago)") % context


def meaning(account: AccountStatus) -> str:
    """Return what the circuit's state means for shoppers."""
    until = clock(account.open_until) if account.open_until else ""
    return str(MEANINGS[Circuit(account.circuit)]) % {"until": until}


def verdicts(report: Health) -> list[Verdict]:
    """Return the problems with their tones, worst first, or a message that there are none."""
    problems = [(item.sentence, TONES_OF_STATES[item.state]) for item in report.problems()]
    problems += _money(report.status)
    known = report.status.cache in {CacheScope.SHARED, CacheScope.PROCESS}
    well = (
        _("No problems found.")
        if known
        else _("No problems found, as far as can be known without the cache.")
    )
    return problems or [(well, GOOD)]


def _money(now: Status) -> Iterator[Verdict]:
    if now.refunds_to_record:
        text = ngettext(
            "%(count)s refund is to be recorded.",
            "%(count)s refunds are to be recorded.",
            now.refunds_to_record,
        )
        yield text % {"count": now.refunds_to_record}, WAITING
    if now.overdue_instalments:
        text = ngettext(
            "%(count)s instalment is overdue.",
            "%(count)s instalments are overdue.",
            now.overdue_instalments,
        )
        yield text % {"count": now.overdue_instalments}, WAITING


def figure_tone(count: int, *, bad: bool) -> str:
    """Return the tone of `count`; a `bad` one should be zero."""
    return BAD if bad and count else PLAIN
