"""Find cover that ends soon, and expire renewals that were not paid."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from django_xcover.models import Quote, QuotePackage, Renewal, Status
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import confirmation
from django_xcover.policies.renewal.quoting import WAITING

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
