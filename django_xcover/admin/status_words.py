"""What a look at everything means, in sentences for whoever has to decide whether to get up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_xcover.admin.badges import BAD, GOOD, PLAIN, WAITING
from django_xcover.services.breaker import Circuit
from django_xcover.services.cache_reach import Reach
from django_xcover.services.rate_limits import RateState
from django_xcover.services.status import AccountStatus, Status

# Beat sends the sweeper round every half minute: ten rounds that did not come are no delay.
SWEEP_LATE = timedelta(minutes=5)

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
        "The cache is the memory of each process, so circuits, rates and the last sweep are shown "
        "as this one process knows them. Another one may know otherwise. With a shared cache, such "
        "as Redis, all know the same."
    ),
    Reach.NOBODY: gettext_lazy(
        "The cache keeps nothing, so circuits, pauses of rates and the last sweep are not known."
    ),
    Reach.AWAY: gettext_lazy(
        "The cache is away, so circuits, pauses of rates and the last sweep are not known. "
        "Bookings need no cache."
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


def sweep_is_late(now: Status) -> bool:
    """Return whether the sweeper should have come round and has not, as far as one can know."""
    if now.last_sweep is None:
        return now.cache == Reach.SHARED
    return timezone.now() - now.last_sweep > SWEEP_LATE


def verdicts(now: Status) -> list[Verdict]:
    """Return what is wrong, worst first, each with its tone; that all is well when it is."""
    faults = [*_people(now), *_workers(now), *_circuits(now), *_rates(now), *_pauses(now)]
    found = [*faults, *_money(now)]
    known = now.cache in {Reach.SHARED, Reach.PROCESS}
    well = _("All is well.") if known else _("As far as one can know, all is well.")
    return found or [(well, GOOD)]


def _people(now: Status) -> Iterator[Verdict]:
    if now.needs_person:
        told = ngettext(
            "%(count)s thing waits for a person.",
            "%(count)s things wait for a person.",
            now.needs_person,
        )
        yield told % {"count": now.needs_person}, BAD


def _workers(now: Status) -> Iterator[Verdict]:
    if now.without_worker:
        told = ngettext(
            "%(count)s operation has waited for a worker for more than 15 minutes: Celery's worker "
            "or beat seems to be down. Nothing is lost; it goes on when they are back.",
            "%(count)s operations have waited for a worker for more than 15 minutes: Celery's "
            "worker or beat seems to be down. Nothing is lost; they go on when they are back.",
            now.without_worker,
        )
        yield told % {"count": now.without_worker}, BAD
    elif sweep_is_late(now):
        yield _("No sweep has come round lately: look whether Celery's beat and worker run."), BAD


def _circuits(now: Status) -> Iterator[Verdict]:
    down = [one.name for one in now.accounts if one.circuit in {Circuit.OPEN, Circuit.HALF_OPEN}]
    if down:
        told = _("XCover does not answer (%(accounts)s): shoppers see no new offers. See below.")
        yield told % {"accounts": ", ".join(down)}, WAITING


def _rates(now: Status) -> Iterator[Verdict]:
    # A shopper does not wait for a turn, so a pause of the sales is one of the offers.
    held = [one.name for one in now.accounts for rate in one.rates if _holds_offers(rate)]
    if held:
        told = _(
            "XCover asked for a pause (%(accounts)s): until it is over, no new offers. See below."
        )
        yield told % {"accounts": ", ".join(held)}, WAITING


def _holds_offers(rate: RateState) -> bool:
    return rate.paused_until is not None and rate.group != "other"


def _pauses(now: Status) -> Iterator[Verdict]:
    paused = [one.name for one in now.accounts if one.paused_since]
    if paused:
        told = _("Paused (%(accounts)s): what was bought is booked when somebody resumes it.")
        yield told % {"accounts": ", ".join(paused)}, WAITING


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
