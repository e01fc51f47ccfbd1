"""Looking ahead: which cover ends soon, and which renewals came to nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from django_xcover.models import Quote, QuotePackage, Renewal, Status
from django_xcover.outbox.transitions import move
from django_xcover.policies.renewal import confirmation
from django_xcover.policies.renewal.quoting import WAITING

AHEAD = timedelta(days=30)
# How long after the end of a period its renewal is left open. XCover says RENEWAL_EXPIRED when it
# is over; this is for when that webhook is lost, and no limit is documented.
GRACE = timedelta(days=60)
LIMIT = 500
State = Renewal.State
OPEN = (State.DUE, State.QUOTED, State.PAID, State.OPTING_OUT)


def find_due(within: timedelta = AHEAD) -> list[Renewal]:
    """Note which cover ends `within` this time, and return the renewals that need something done.

    Those are the ones to be quoted and the ones whose customer is to be told, LIMIT at most, those
    first that have waited longest; looking again finds the rest. Renewals nobody paid expire.
    """
    now = timezone.now()
    _settle_renewed()
    _expire(now)
    for package_pk, due_on in _ending(now - GRACE, now + within):
        with transaction.atomic():
            note(QuotePackage.objects.locked().get(pk=package_pk), due_on)
    return _take_turns(now)


def _take_turns(now: datetime) -> list[Renewal]:
    """Return what is to be done, and put it behind the rest: some XCover refuses every time."""
    todo = Q(state=State.DUE) | Q(state=State.QUOTED, notified_at=None)
    rows = Renewal.objects.select_related("package").filter(todo)
    found = list(rows.order_by("updated_at", "due_on")[:LIMIT])
    Renewal.objects.filter(pk__in=[row.pk for row in found]).update(updated_at=now)
    return found


def note(package: QuotePackage, due_on: datetime) -> Renewal:
    """Return the renewal of `package` at the end of the period that ends at `due_on`.

    Call it in a transaction that holds the package's lock.
    """
    renewal, _ = Renewal.objects.get_or_create(
        package=package, due_on=due_on, defaults={"currency": package.currency}
    )
    return renewal


def settle_mirrored(package: QuotePackage) -> list[Renewal]:
    """Settle the renewals of `package` whose next period its mirror shows; return them.

    Not one that is being declined: XCover has made it against the customer's will. Call it in a
    transaction that holds the package's lock.
    """
    policies = list(package.quotes.all())
    wanted = (*WAITING, State.PAID)
    rows = package.renewals.select_related("package").filter(state__in=wanted)
    renewed = [row for row in rows if confirmation.is_renewed(row, policies)]
    for row in renewed:
        confirmation.settle(row, package)
    return renewed


def end_without_cover(package: QuotePackage) -> None:
    """End the open renewals of `package` when none of its cover is in force.

    Call it in a transaction that holds the package's lock.
    """
    if package.quotes.filter(status=Status.CONFIRMED).exists():
        return
    for renewal in package.renewals.filter(state__in=WAITING):
        move(renewal, State.EXPIRED, field="state")


def _settle_renewed() -> None:
    """Settle what XCover renewed by itself, and a refresh brought here."""
    followed = Quote.objects.filter(
        package=OuterRef("package"), policy_end_date=OuterRef("due_on"), status=Status.RENEWED
    )
    rows = Renewal.objects.filter(Exists(followed), state__in=WAITING)
    for package_pk in set(rows.values_list("package_id", flat=True)):
        with transaction.atomic():
            settle_mirrored(QuotePackage.objects.locked().get(pk=package_pk))


def _ending(after: datetime, until: datetime) -> list[tuple[int, datetime]]:
    """Return package and end of the periods that end then and have no renewal.

    One for each package: XCover renews a booking, and prices whatever in it is due.
    """
    mine = Renewal.objects.filter(package=OuterRef("package"))
    found = Quote.objects.filter(
        ~Exists(mine.filter(state__in=OPEN)),
        ~Exists(mine.filter(due_on=OuterRef("policy_end_date"))),
        status=Status.CONFIRMED,
        is_renewable=True,
        policy_end_date__gt=after,
        policy_end_date__lte=until,
    )
    rows = found.order_by("policy_end_date").values_list("package_id", "policy_end_date")[:LIMIT]
    first: dict[int, datetime] = {}
    for package_pk, ends in rows:
        if ends is not None:
            first.setdefault(package_pk, ends)
    return list(first.items())


def _expire(now: datetime) -> None:
    """End the renewals that were not paid in time, and those whose cover is no longer in force."""
    alive = Quote.objects.filter(package=OuterRef("package"), status=Status.CONFIRMED)
    waiting = Renewal.objects.filter(state__in=WAITING)
    for renewal in waiting.filter(Q(due_on__lt=now - GRACE) | ~Exists(alive)):
        move(renewal, State.EXPIRED, field="state")
