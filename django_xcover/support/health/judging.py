"""Turn figures into states and sentences, without any call to XCover."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.clients.rate_limits import RateState
from django_xcover.conf import Config, get_config
from django_xcover.models import OfferOutcome, Operation, WebhookRefusal
from django_xcover.support.health import facts
from django_xcover.support.health.facts import KNOWN_KEY, Offers
from django_xcover.support.status import AccountStatus, Status, status


class State(IntEnum):
    """The state of a subject; the value is the exit code for Nagios and similar monitors."""

    WELL = 0
    ATTENTION = 1
    ALARM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One subject of the health. `account` is "" if it concerns all accounts."""

    name: str
    state: State
    sentence: str
    account: str = ""

    @property
    def exit_code(self) -> int:
        """Return the exit code for a monitor that watches only this subject."""
        return int(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All subjects, and the figures behind them."""

    subjects: tuple[Subject, ...]
    status: Status

    @property
    def state(self) -> State:
        """Return the worst state of any subject."""
        return max((subject.state for subject in self.subjects), default=State.WELL)

    def problems(self) -> Iterator[Subject]:
        """Yield the subjects that are not well, worst first."""
        ill = (subject for subject in self.subjects if subject.state != State.WELL)
        yield from sorted(ill, key=lambda subject: -subject.state)


Verdict = tuple[State, str]
WELL: Verdict = (State.WELL, "")

# Requests that anybody can send. The other reasons mean that XCover's webhooks are refused.
UNAUTHENTICATED = (
    WebhookRefusal.Reason.UNSIGNED,
    WebhookRefusal.Reason.METHOD,
)


def health() -> Health:
    """Return the health of every subject. No call to XCover."""
    now = status()
    return Health(subjects=tuple(_subjects(now, get_config())), status=now)


def _subjects(now: Status, config: Config) -> Iterator[Subject]:
    for account in now.accounts:
        yield _subject("pause", _pause(account), account.name)
    yield _subject("people", _people(now))
    yield _subject("holds", _holds(facts.holds_without_order()))
    yield _subject("orders", _orders(facts.unsettled_orders()))
    yield _subject("workers", _workers(now, config))
    yield _subject("operations", _operations(now, config))
    known = [account for account in now.accounts if account.name in config.accounts]
    offers, refused = facts.offers(), facts.keys_refused()
    silent, refusals = facts.silent_receivers(config), facts.refused_webhooks()
    never = [account.name for account in known if account.reconciled_at is None]
    limit = timezone.now() - timedelta(seconds=config.alarm_reconciliation)
    uncompared = facts.with_bookings(never, before=limit)
    for account in known:
        name, quoting = account.name, offers.get(account.name, Offers())
        yield _subject("credentials", _credentials(account, quoting, refused.get(name)), name)
        yield _subject("offers", _offers(name, quoting, config), name)
        yield _subject("circuit", _circuit(account), name)
        yield _subject("rate", _rate(name, quoting, account.rates), name)
        yield _subject("reconciliation", _reconciliation(account, limit, uncompared), name)
        yield _subject("webhooks", _webhooks(name, silent, config), name)
    for name in sorted({"", *config.accounts}):
        yield _subject("refused_webhooks", _refusals(refusals.get(name, {}), config), name)


def _subject(name: str, verdict: Verdict, account: str = "") -> Subject:
    state, sentence = verdict
    return Subject(name=name, account=account, state=state, sentence=sentence or _("Well."))


def _people(now: Status) -> Verdict:
    if not now.needs_person:
        return WELL
    text = ngettext(
        "%(count)s item needs a person.",
        "%(count)s items need a person.",
        now.needs_person,
    )
    return State.ATTENTION, text % {"count": now.needs_person}


def _holds(count: int) -> Verdict:
    if not count:
        return WELL
    text = ngettext(
        "%(count)s premium was held, but no order followed: check whether it was charged.",
        "%(count)s premiums were held, but no orders followed: check whether they were charged.",
        count,
    )
    return State.ATTENTION, text % {"count": count}


def _orders(count: int) -> Verdict:
    if not count:
        return WELL
    text = ngettext(
        "%(count)s order could not be settled: the shop's adapter failed. A person has to look at "
        "it.",
        "%(count)s orders could not be settled: the shop's adapter failed. A person has to look "
        "at them.",
        count,
    )
    return State.ATTENTION, text % {"count": count}


def _workers(now: Status, config: Config) -> Verdict:
    """Judge beat and workers by the sweep, which beat sends and a worker carries out."""
    if now.last_sweep is None:
        # A shop that hasn't sold anything may not have started them yet.
        if not Operation.objects.exists():
            return WELL
        return State.ALARM, _("No sweep has ever run: start Celery's worker and beat.")
    # A time in the future comes from a fast clock and proves nothing.
    age = abs(timezone.now() - now.last_sweep)
    if age <= timedelta(seconds=config.alarm_sweep):
        return WELL
    text = _("No sweep has run recently: check that Celery's beat and worker are running.")
    return State.ALARM, text


def _operations(now: Status, config: Config) -> Verdict:
    if not now.without_worker:
        return WELL
    text = ngettext(
        "%(count)s operation has waited for a worker for more than %(minutes)s minutes: Celery's "
        "worker or beat seems to be down. Nothing is lost; it continues when they are back.",
        "%(count)s operations have waited for a worker for more than %(minutes)s minutes: "
        "Celery's worker or beat seems to be down. Nothing is lost; they continue when they are "
        "back.",
        now.without_worker,
    )
    values = {"count": now.without_worker, "minutes": round(config.alarm_operation / 60)}
    return State.ALARM, text % values


def _credentials(account: AccountStatus, quoting: Offers, refused: datetime | None) -> Verdict:
    """Judge the key by the latest answer to any call with it."""
    failed = account.reconciliation_error == facts.REFUSED_KEY
    refused_at = _latest(
        refused,
        quoting.last((OfferOutcome.NOT_AUTHORISED,)),
        account.reconciliation_failed_at if failed else None,
    )
    accepted_at = _latest(quoting.last(KNOWN_KEY), account.reconciled_at)
    if refused_at is None or (accepted_at is not None and accepted_at > refused_at):
        return WELL
    if facts.is_key_accepted_since(account.name, refused_at):
        return WELL
    text = _(
        "XCover refuses the key of account %(account)s (401 or 403): no offers are shown, and "
        "nothing is booked. Check PARTNER_CODE, API_KEY and API_SECRET, and this machine's clock."
    )
    return State.ALARM, text % {"account": account.name}


def _offers(name: str, quoting: Offers, config: Config) -> Verdict:
    now, limit = timezone.now(), timedelta(seconds=config.alarm_offers)
    came = quoting.last((OfferOutcome.OFFERED, OfferOutcome.LATE))
    lost = quoting.lost()
    if lost < config.alarm_offers_lost or (came is not None and now - came < limit):
        return WELL
    reasons = [str(outcome.label) for outcome in quoting.outcomes if outcome not in facts.NO_LOSS]
    text = ngettext(
        "%(count)s offer of account %(account)s was lost since the last one that was shown: "
        "%(reasons)s.",
        "%(count)s offers of account %(account)s were lost since the last one that was shown: "
        "%(reasons)s.",
        lost,
    )
    return State.ALARM, text % {"count": lost, "account": name, "reasons": ", ".join(reasons)}


def _circuit(account: AccountStatus) -> Verdict:
    if account.circuit not in {Circuit.OPEN, Circuit.HALF_OPEN}:
        return WELL
    text = _("XCover does not answer (%(accounts)s): shoppers see no new offers.")
    return State.ATTENTION, text % {"accounts": account.name}


def _rate(name: str, quoting: Offers, rates: Iterable[RateState]) -> Verdict:
    # Shoppers don't wait for the rate limit, so a pause of the "sales" group affects offers.
    sales = [rate for rate in rates if rate.group != "other"]
    came = quoting.last((OfferOutcome.OFFERED, OfferOutcome.LATE))
    refused = _latest(*(rate.throttled_at for rate in sales))
    # Between two pauses, too, as long as none of them has brought an offer.
    is_lasting = refused is not None and (came is None or came < refused)
    if not is_lasting and not any(rate.paused_until is not None for rate in sales):
        return WELL
    text = _("XCover asked for a pause (%(accounts)s): there are no new offers until it is over.")
    return State.ATTENTION, text % {"accounts": name}


def _reconciliation(account: AccountStatus, limit: datetime, uncompared: set[str]) -> Verdict:
    if account.reconciliation_error:
        text = _("The last comparison with XCover failed (%(account)s, %(error)s).")
        values = {"account": account.name, "error": account.reconciliation_error}
        return State.ATTENTION, text % values
    if account.reconciled_at is None:
        if account.name not in uncompared:
            return WELL
        text = _("The bookings of account %(account)s have never been compared with XCover's.")
        return State.ATTENTION, text % {"account": account.name}
    if account.reconciled_at >= limit:
        return WELL
    text = _("The bookings of account %(account)s were last compared with XCover's %(time)s ago.")
    values = {"account": account.name, "time": timesince(account.reconciled_at)}
    return State.ATTENTION, text % values


def _webhooks(name: str, silent: Iterable[str], config: Config) -> Verdict:
    if name not in silent:
        return WELL
    text = _(
        "No webhook has arrived for account %(account)s in %(hours)s hours, although cover was "
        "booked."
    )
    return State.ATTENTION, text % {
        "account": name,
        "hours": round(config.alarm_webhooks / 3600),
    }


def _refusals(counts: dict[str, int], config: Config) -> Verdict:
    alarming = {why: number for why, number in counts.items() if why not in UNAUTHENTICATED}
    total = sum(alarming.values())
    if total < config.alarm_webhooks_refused:
        return WELL
    reasons = [
        f"{number} {WebhookRefusal.Reason(why).label}" for why, number in sorted(alarming.items())
    ]
    text = ngettext(
        "%(count)s webhook was refused since yesterday: %(reasons)s.",
        "%(count)s webhooks were refused since yesterday: %(reasons)s.",
        total,
    )
    return State.ATTENTION, text % {"count": total, "reasons": ", ".join(reasons)}


def _pause(account: AccountStatus) -> Verdict:
    if account.paused_since is None:
        return WELL
    text = _("Paused (%(accounts)s): orders are booked when the account is resumed.")
    return State.ATTENTION, text % {"accounts": account.name}


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
