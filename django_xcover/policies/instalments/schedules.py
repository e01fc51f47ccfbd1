"""XCover's instalment schedule for each policy that has one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas import policies
from django_xcover.client.schemas.policies import InstalmentSchedule, instalments_from_wire
from django_xcover.clients import factory
from django_xcover.models import (
    Instalment,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.models.workflows import InstalmentQuerySet
from django_xcover.outbox.transitions import INSTALMENTS, may_follow
from django_xcover.policies.instalments.reports import instalment_pk
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money

logger = safe_logging.get_logger("django_xcover.policies")

# If XCover shows no schedule this long after the booking, there won't be one.
EXPECTED_FOR = timedelta(days=30)
# No answer says whether a renewed policy is paid by instalments, and most are not. So its schedule
# is requested after the renewal and when the period begins, for this long.
ASKED_AGAIN_FOR = timedelta(days=2)
LIMIT = 200
LONGEST_STATUS = 16  # as its column; `payload` has the whole
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The paid and outstanding sums of a schedule; each instalment is rounded separately."""

    paid: Money
    due: Money

    @property
    def whole(self) -> Money:
        """Return the sum of all instalments, which differs slightly from the price."""
        return self.paid + self.due


def mirror(package: QuotePackage) -> list[Instalment]:
    """Update the schedules of `package` from XCover and return their rows, in order.

    An instalment reported as PAID stays PAID whatever an older answer says, and FAILED stays until
    it is paid, because XCover reports it as UNPAID. Raises XCoverError.
    """
    wire = factory.client_for(package.account).get_instalments(package.package_id)
    schedules = instalments_from_wire(wire)
    with transaction.atomic():
        # Lock order: the package first. Two readers at once would otherwise both add the rows.
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        quotes = {quote.quote_id: quote for quote in locked.quotes.all()}
        if any(schedule.currency != locked.currency for schedule in schedules):
            raise UnexpectedAnswer.at("currency", "is not the one that the booking was paid in")
        return [
            row
            for schedule in schedules
            if schedule.quote_id in quotes
            for row in _mirror(quotes[schedule.quote_id], schedule)
        ]


def unmirrored() -> list[QuotePackage]:
    """Return the bookings with a policy whose schedule has yet to be read.

    These are recent bookings and recent renewals, at most LIMIT of each, newest first, so that they
    don't queue behind schedules that have been missing for weeks.
    """
    now = timezone.now()
    return list(dict.fromkeys([*_booked_lately(now)[:LIMIT], *_renewed_lately(now)[:LIMIT]]))


def _booked_lately(now: datetime) -> QuerySet[QuotePackage]:
    planned = _unscheduled().exclude(instalment_plan="")
    packages = QuotePackage.objects.filter(Exists(planned), status=Status.CONFIRMED)
    return packages.filter(booked_at__gt=now - EXPECTED_FOR).order_by("-booked_at")


def _renewed_lately(now: datetime) -> QuerySet[QuotePackage]:
    """Return the bookings with a renewed policy whose predecessor was paid by instalments."""
    planned = Quote.objects.filter(status=Status.RENEWED).exclude(instalment_plan="")
    earlier = planned.filter(package=OuterRef("package"), line_reference=OuterRef("line_reference"))
    since = now - ASKED_AGAIN_FOR
    asked = Q(confirmed_at__gt=since) | Q(due_on__gt=since, due_on__lte=now)
    made = Renewal.objects.filter(
        asked, state=Renewal.State.CONFIRMED, due_on__gt=now - EXPECTED_FOR
    )
    packages = QuotePackage.objects.filter(Exists(_unscheduled().filter(Exists(earlier))))
    packages = packages.filter(pk__in=made.values("package"), status=Status.CONFIRMED)
    return packages.order_by("-pk")


def _unscheduled() -> QuerySet[Quote]:
    """Return the policies in force of the outer query's package that have no stored schedule."""
    scheduled = Instalment.objects.filter(quote=OuterRef("pk"))
    rows = Quote.objects.filter(package=OuterRef("pk"), status=Status.CONFIRMED)
    return rows.filter(~Exists(scheduled))


def has_plan(package: QuotePackage) -> bool:
    """Return whether any policy of `package` is or was paid by instalments."""
    return package.quotes.booked().exclude(instalment_plan="").exists()


@clears_frames
def overdue() -> InstalmentQuerySet:
    """Return the instalments to collect now for policies in force, oldest first.

    Leaves out instalments the shop has reported as paid, even before XCover has been notified.
    """
    rows = Instalment.objects.overdue(timezone.now())
    return rows.select_related("quote__package").order_by("period_start_date", "pk")


@clears_frames
def next_due(quote: Quote) -> Instalment | None:
    """Return the first instalment of `quote` that is still to be collected, or None.

    An instalment that was reported as paid counts as paid even before XCover has been notified.
    Returns None for a cancelled policy.
    """
    if quote.status not in COLLECTED_FOR:
        return None
    return quote.instalments.open().order_by("number").first()


@clears_frames
def sums(quote: Quote) -> Sums | None:
    """Return the paid and outstanding sums for `quote`, None if it has no schedule.

    An instalment that the shop has reported counts as paid, even before XCover has been notified.
    The sums are not computed by the database, because SQLite's SUM is a float.
    """
    rows = list(quote.instalments.all())
    if not rows:
        return None
    currency = rows[0].currency
    return Sums(
        paid=_sum((row for row in rows if not row.is_open), currency),
        due=_sum((row for row in rows if row.is_open), currency),
    )


def _sum(rows: Iterable[Instalment], currency: str) -> Money:
    return Money(sum((row.total_amount for row in rows), Decimal(0)), currency)


def _mirror(quote: Quote, schedule: InstalmentSchedule) -> list[Instalment]:
    """Save the schedule of one policy.

    Rows XCover no longer has are deleted, unless they are paid or a payment is being reported.
    """
    known = {row.number: row for row in quote.instalments.select_for_update()}
    rows = [_save(quote, known, read, schedule.currency) for read in schedule.instalments]
    gone = quote.instalments.open().exclude(number__in=[row.number for row in rows])
    written = Operation.objects.unfinished().filter(package=quote.package_id)
    reports = written.filter(kind=OperationKind.REPORT_INSTALMENT)
    gone.exclude(pk__in=[instalment_pk(operation) for operation in reports]).delete()
    return rows


def _save(
    quote: Quote, known: Mapping[int, Instalment], read: policies.Instalment, currency: str
) -> Instalment:
    row = known.get(read.number) or Instalment(quote=quote, number=read.number)
    row.status = _status(row, read)
    row.failures = max(row.failures, read.failures)
    row.instalment_id = read.instalment_id
    row.total_amount = _required(read.total_amount, "total_amount")
    row.currency = currency
    row.period_start_date = _required(read.period_start_date, "period_start_date")
    row.period_end_date = _required(read.period_end_date, "period_end_date")
    row.payload = dict(read.raw)
    row.save()
    return row


def _status(row: Instalment, read: policies.Instalment) -> str:
    has_failed = read.status == Instalment.Status.UNPAID and read.failures
    status = Instalment.Status.FAILED.value if has_failed else read.status[:LONGEST_STATUS]
    if row.pk is None or row.instalment_id != read.instalment_id:
        return status
    if status != row.status and not may_follow(row.status, status, INSTALMENTS):
        logger.info("Instalment %s stays %s; XCover says %s.", row.pk, row.status, read.status)
        return row.status
    return status


def _required(value: T | None, name: str) -> T:
    if value is None:
        raise UnexpectedAnswer.at(f"payment_schedule.{name}", "is missing")
    return value
