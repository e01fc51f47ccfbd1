"""Find cover that ends soon, by its dates and by XCover's `RENEWAL_*` webhooks.

Renewals that were not paid in time expire.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.exceptions import ActionRefused, NotRenewable
from django_xcover.mirror import refresh
from django_xcover.models import BOOKED, Quote, QuotePackage, Renewal, Status
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import confirmation, quoting
from django_xcover.policies.renewal.quoting import WAITING

logger = safe_logging.get_logger("django_xcover.policies")

AHEAD = timedelta(days=30)
# How long a renewal stays open after the end of its period. XCover sends RENEWAL_EXPIRED when it is
# over; this is the fallback if that webhook is lost. No limit is documented.
GRACE = timedelta(days=60)
LIMIT = 500
State = Renewal.State
OPEN = (State.DUE, State.QUOTED, State.PAID, State.OPTING_OUT)


def find_due(within: timedelta = AHEAD) -> list[Renewal]:
    """Create renewals for cover that ends `within` this time; return the renewals to work on.

    Those need a quote, or a notice to the customer. At most LIMIT are returned, longest waiting
    first; another call finds the rest. Unpaid renewals expire.
    """
    now = timezone.now()
    _settle_renewed()
    _expire(now)
    for package_pk, due_on in _ending(now - GRACE, now + within):
        with transaction.atomic():
            note(QuotePackage.objects.locked().get(pk=package_pk), due_on)
    return _take_turns(now)


def _take_turns(now: datetime) -> list[Renewal]:
    """Return the next renewals and requeue them behind the rest, as XCover always refuses some."""
    todo = Q(state=State.DUE) | Q(state=State.QUOTED, notified_at=None)
    rows = Renewal.objects.select_related("package").filter(todo)
    renewals = list(rows.order_by("updated_at", "due_on")[:LIMIT])
    Renewal.objects.filter(pk__in=[row.pk for row in renewals]).update(updated_at=now)
    return renewals


def note(package: QuotePackage, due_on: datetime) -> Renewal:
    """Return the renewal of `package` for the period that ends at `due_on`; create it if needed.

    Call it in a transaction that holds the package's lock.
    """
    renewal, _ = Renewal.objects.get_or_create(
        package=package, due_on=due_on, defaults={"currency": package.currency}
    )
    return renewal


def settle_mirrored(package: QuotePackage) -> list[Renewal]:
    """Settle the renewals of `package` whose next period is stored; return them.

    A renewal that is being declined isn't settled: XCover renewed it against the customer's will.
    Call it in a transaction that holds the package's lock.
    """
    policies = list(package.quotes.all())
    wanted = (*WAITING, State.PAID)
    rows = package.renewals.select_related("package").filter(state__in=wanted)
    renewed = [row for row in rows if confirmation.is_renewed(row, policies)]
    for row in renewed:
        confirmation.settle(row, package)
    return renewed


def end_without_cover(package: QuotePackage) -> None:
    """Expire the open renewals of `package` if none of its cover is in force.

    Call it in a transaction that holds the package's lock.
    """
    if package.quotes.filter(status=Status.CONFIRMED).exists():
        return
    for renewal in package.renewals.filter(state__in=WAITING):
        transition(renewal, State.EXPIRED, field="state")


def _settle_renewed() -> None:
    """Settle renewals that XCover made automatically and a refresh stored."""
    followed = Quote.objects.filter(
        package=OuterRef("package"), policy_end_date=OuterRef("due_on"), status=Status.RENEWED
    )
    rows = Renewal.objects.filter(Exists(followed), state__in=WAITING)
    for package_pk in set(rows.values_list("package_id", flat=True)):
        with transaction.atomic():
            settle_mirrored(QuotePackage.objects.locked().get(pk=package_pk))


def _ending(after: datetime, until: datetime) -> list[tuple[int, datetime]]:
    """Return (package key, end) for the periods that end in this range and have no renewal.

    Returns one per package, because XCover renews a booking, and prices everything due in it.
    """
    mine = Renewal.objects.filter(package=OuterRef("package"))
    ending = Quote.objects.filter(
        ~Exists(mine.filter(state__in=OPEN)),
        ~Exists(mine.filter(due_on=OuterRef("policy_end_date"))),
        status=Status.CONFIRMED,
        is_renewable=True,
        policy_end_date__gt=after,
        policy_end_date__lte=until,
    )
    rows = ending.order_by("policy_end_date").values_list("package_id", "policy_end_date")[:LIMIT]
    first: dict[int, datetime] = {}
    for package_pk, ends in rows:
        if ends is not None:
            first.setdefault(package_pk, ends)
    return list(first.items())


def _expire(now: datetime) -> None:
    """Expire renewals that were not paid in time, and those whose cover is no longer in force."""
    alive = Quote.objects.filter(package=OuterRef("package"), status=Status.CONFIRMED)
    waiting = Renewal.objects.filter(state__in=WAITING)
    for renewal in waiting.filter(Q(due_on__lt=now - GRACE) | ~Exists(alive)):
        transition(renewal, State.EXPIRED, field="state")


# XCover's webhooks about renewals.

CREATED = "RENEWAL_CREATED"
NOTIFICATION = "RENEWAL_NOTIFICATION"
DUE = "RENEWAL_DUE"
EXPIRED = "RENEWAL_EXPIRED"
EVENTS = (CREATED, NOTIFICATION, DUE, EXPIRED)


def on_event(event: str, package_id: str, account: str, renewal_id: str = "") -> Renewal | None:
    """Handle a renewal event, and return its renewal; None if there is none.

    The signature of a webhook doesn't cover its body (Quotes API: authentication of a webhook), so
    the booking is read at XCover before anything changes; the announced id is stored unverified.
    Events may arrive twice, late and in any order. Raises XCoverError if the booking can't be
    read; the event must then be retried. Events not in EVENTS and unknown packages are ignored.
    """
    package = QuotePackage.objects.filter(account=account, package_id=package_id).first()
    if event not in EVENTS or package is None:
        logger.info("Ignored %s for package %s.", event, package_id)
        return None
    package = refresh.refresh(package)
    renewal = _concerned(package, renewal_id) if package.status in BOOKED else None
    if renewal is not None and renewal.state in quoting.WAITING:
        _handle(event, renewal)
    return renewal


def _concerned(package: QuotePackage, renewal_id: str) -> Renewal | None:
    """Return the renewal that the event is about, and store the announced id on it.

    The latest announcement wins, because an earlier body may have been forged.
    """
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        renewed = settle_mirrored(locked)
        end_without_cover(locked)
        renewal = _find(locked, renewal_id, renewed)
        if renewal is not None and renewal_id:
            renewal.announced_id = renewal_id
            renewal.save(update_fields=["announced_id", "updated_at"])
    return renewal


def _find(package: QuotePackage, renewal_id: str, renewed: list[Renewal]) -> Renewal | None:
    """Return the renewal with this id, else a settled or open one, else the current period's."""
    rows = list(package.renewals.select_related("package"))
    named = [row for row in rows if renewal_id and renewal_id in {row.renewal_id, row.announced_id}]
    candidates = named or renewed or [row for row in rows if row.state in OPEN]
    if candidates:
        return candidates[0]
    ends = _end_of_present_period(package)
    return note(package, ends) if ends else None


def _end_of_present_period(package: QuotePackage) -> datetime | None:
    """Return when the cover in force ends; None if none is in force.

    A period that hasn't begun has no renewal: such an event is a late one about the last period.
    """
    now = timezone.now()
    policies = package.quotes.filter(status=Status.CONFIRMED, is_renewable=True)
    running = policies.filter(policy_start_date__lte=now, policy_end_date__gt=now - GRACE)
    first = running.order_by("policy_end_date").first()
    return first.policy_end_date if first else None


def _handle(event: str, renewal: Renewal) -> None:
    try:
        if event == EXPIRED:
            quoting.ask(renewal.package)
            logger.warning(
                "Renewal %s was reported as expired, but XCover still quotes it.", renewal.pk
            )
        elif event != CREATED and renewal.state == State.DUE:
            quoting.quote(renewal)
        elif event != CREATED:
            quoting.notify(renewal)
    except NotRenewable:
        _note_refusal(event, renewal)
    except ActionRefused as overtaken:
        logger.info("%s about renewal %s was overtaken: %s.", event, renewal.pk, overtaken.code)


def _note_refusal(event: str, renewal: Renewal) -> None:
    if event == EXPIRED:
        transition(renewal, State.EXPIRED, field="state")
    else:
        logger.warning("Received %s, but XCover quotes no renewal %s.", event, renewal.pk)
