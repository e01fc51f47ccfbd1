"""What a look at everything means, in sentences for whoever has to decide whether to get up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_xcover.admin.display import BAD, GOOD, PLAIN, WAITING
from django_xcover.clients.cache import Reach
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.support.health import Health, State
from django_xcover.support.status import AccountStatus, Status

TONES_OF_STATES = {State.ATTENTION: WAITING, State.ALARM: BAD}

CIRCUITS = {
    Circuit.CLOSED: (gettext_lazy("closed: XCover is asked"), GOOD),
    Circuit.OPEN: (gettext_lazy("open: XCover is left alone"), BAD),
    Circuit.HALF_OPEN: (gettext_lazy("half open: one call tries"), WAITING),
    Circuit.UNKNOWN: (gettext_lazy("unknown"), WAITING),
}
MEANINGS = {
    Circuit.CLOSED: gettext_lazy("Offers are asked for as usual."),
    Circuit.OPEN: gettext_lazy(
        "XCover does not answer, so it is left alone: shoppers see no new offer, and every order "
        "goes through without waiting. Cover that was bought is booked as soon as XCover takes it. "
        "Nobody has to do anything: from %(until)s one call tries whether XCover is back, and the "
        "waits get longer while it is not."
    ),
    Circuit.HALF_OPEN: gettext_lazy(
        "The next shopper's call tries whether XCover is back. Until one succeeds, the others see "
        "no new offer, and every order goes through without waiting."
    ),
    Circuit.UNKNOWN: gettext_lazy(
        "The cache is away, so nothing is known of faults. Every call is made, and none takes "
        "longer than its deadline."
    ),
}
CACHES = {
    Reach.SHARED: "",
    Reach.PROCESS: gettext_lazy(
        "The cache is the memory of each process, so circuits and rates are shown "
        "as this one process knows them. Another one may know otherwise. With a shared cache, such "
        "as Redis, all know the same."
    ),
    Reach.NOBODY: gettext_lazy(
        "The cache keeps nothing, so circuits and pauses of rates are not known."
    ),
    Reach.AWAY: gettext_lazy(
        "The cache is away, so circuits and pauses of rates are not known. Bookings need no cache."
    ),
}
RATES = {
    "sales": gettext_lazy("Quotes and bookings"),
    "other": gettext_lazy("Other calls"),
    "total": gettext_lazy("All calls"),
}

Verdict = tuple[str, str]


def clock(moment: datetime) -> str:
    """Return the time of day to the second, with the day unless it is today."""
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
    facts = {"when": clock(moment), "time": timesince(moment)}
    return _("%(when)s (%(time)s ago)") % facts


def meaning(account: AccountStatus) -> str:
    """Return what the circuit of `account` means for shoppers."""
    until = clock(account.open_until) if account.open_until else ""
    return str(MEANINGS[Circuit(account.circuit)]) % {"until": until}


def verdicts(found: Health) -> list[Verdict]:
    """Return what is not well, worst first, each with its tone; that all is well when it is."""
    problems = [(one.sentence, TONES_OF_STATES[one.state]) for one in found.problems()]
    problems += _money(found.status)
    known = found.status.cache in {Reach.SHARED, Reach.PROCESS}
    well = _("All is well.") if known else _("As far as one can know, all is well.")
    return problems or [(well, GOOD)]


def _money(now: Status) -> Iterator[Verdict]:
    if now.refunds_to_record:
        told = ngettext(
            "%(count)s refund is to be recorded.",
            "%(count)s refunds are to be recorded.",
            now.refunds_to_record,
        )
        yield told % {"count": now.refunds_to_record}, WAITING
    if now.overdue_instalments:
        told = ngettext(
            "%(count)s instalment is overdue.",
            "%(count)s instalments are overdue.",
            now.overdue_instalments,
        )
        yield told % {"count": now.overdue_instalments}, WAITING


def figure_tone(count: int, *, bad: bool) -> str:
    """Return the tone of a number that should be nought if it is `bad`."""
    return BAD if bad and count else PLAIN
