"""What is left for a person to do about cancellations, changes, renewals and instalments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_xcover.exceptions import refusal
from django_xcover.formats import format_amount
from django_xcover.models import (
    Cancellation,
    Instalment,
    Modification,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
    Renewal,
)
from django_xcover.policies import modification as modifying
from django_xcover.policies.renewal.quoting import refuse_unless_waiting
from django_xcover.support.next_steps import NextStep, is_overdue, moment
from django_xcover.types import Money

# What `awaits_refund` says of a row, for a query.
AWAITS_REFUND = Q(state=Cancellation.State.CONFIRMED, refunded_at=None) & ~Q(total_refund=0)


def steps_after_sale(package: QuotePackage, quotes: Iterable[Quote]) -> Iterator[NextStep]:
    """Yield what to do about `package`, whose workflows and instalments should be prefetched."""
    for cancellation in package.cancellations.all():
        yield from cancellation_steps(cancellation)
    for modification in package.modifications.all():
        yield from modification_steps(modification)
    for renewal in package.renewals.all():
        yield from renewal_steps(renewal)
    for quote in quotes:
        yield from instalment_steps(quote.instalments.all())


def carried_out_by(
    row: Model, package: QuotePackage, kinds: Iterable[OperationKind]
) -> Operation | None:
    """Return the latest operation that was written for `row`, or None."""
    operations = Operation.objects.select_related("package").filter(package=package)
    # What can be asked for more than once has more in its subject than the row.
    mine = Q(subject=str(row.pk)) | Q(subject__startswith=f"{row.pk}:")
    return operations.filter(mine, kind__in=tuple(kinds)).order_by("-pk").first()


def awaits_refund(row: Cancellation) -> bool:
    """Return whether money is to go back to the customer and nobody has said that it did.

    What XCover has not named (None) may be anything, so somebody has to say.
    """
    is_cancelled = row.state == Cancellation.State.CONFIRMED
    return is_cancelled and row.total_refund != 0 and row.refunded_at is None


def is_expired(row: Cancellation, now: datetime) -> bool:
    """Return whether the preview can no longer be confirmed."""
    return row.confirm_before is not None and row.confirm_before < now


def cancellation_steps(row: Cancellation) -> Iterator[NextStep]:
    """Yield the refund that is still to be made and recorded."""
    if not awaits_refund(row):
        return
    what, to_do = _unnamed_refund(row) if row.refund is None else _refund(row.refund)
    yield NextStep(row=row, urgent=True, what=what, to_do=to_do, acts=("refund",))


def _refund(refund: Money) -> tuple[str, str]:
    facts = {"refund": format_amount(refund)}
    what = _("The cover is cancelled and %(refund)s is due to the customer.")
    to_do = _("Refund %(refund)s the way the customer paid, then record it.")
    return what % facts, to_do % facts


def _unnamed_refund(row: Cancellation) -> tuple[str, str]:
    what = _("The cover is cancelled, and XCover has not said what is due to the customer.")
    to_do = _(
        "Ask XCover with the package id %(package)s. Refund it the way the customer paid, then "
        "record what was refunded, 0 for nothing."
    )
    return what, to_do % {"package": row.package.package_id}


def modification_steps(row: Modification) -> Iterator[NextStep]:
    """Yield the difference that is to be settled before a quoted change is made."""
    if not modifying.is_open(row):
        return
    yield NextStep(
        row=row,
        urgent=False,
        what=_("A change of the cover is quoted and not made. %(difference)s")
        % {"difference": difference_text(row.difference)},
        # Whoever asked for a price has ordered nothing by it, and a refund needs no payment.
        to_do=_(
            "If the customer wants it, settle the difference and confirm; "
            "otherwise abandon the change."
        ),
        acts=("settle", "abandon"),
    )


def renewal_steps(row: Renewal) -> Iterator[NextStep]:
    """Yield the renewal that waits for a price, or for the customer's money."""
    if refusal(refuse_unless_waiting, row):
        return
    facts = {"when": moment(row.due_on)}
    if row.state == Renewal.State.DUE:
        what = _("The cover ends on %(when)s and can be renewed.") % facts
        to_do = _("Nothing: XCover is asked for the price by itself. You can ask for it now.")
    elif row.state == Renewal.State.QUOTED and row.premium:
        facts["premium"] = format_amount(row.premium)
        what = _("The cover ends on %(when)s; the next period costs %(premium)s.") % facts
        to_do = _("When the customer has paid, record the payment. Or decline for the customer.")
    else:
        return
    yield NextStep(row=row, urgent=False, what=what, to_do=to_do, acts=("pay", "decline", "quote"))


def instalment_steps(rows: Iterable[Instalment]) -> Iterator[NextStep]:
    """Yield one step for all the overdue instalments of a policy."""
    overdue = [row for row in rows if is_overdue(row, timezone.now())]
    if not overdue:
        return
    first = min(overdue, key=lambda row: row.number)
    told = ngettext(
        "%(count)s instalment is overdue (%(amount)s, since %(when)s).",
        "%(count)s instalments are overdue (%(amount)s, the oldest since %(when)s).",
        len(overdue),
    )
    total = sum((row.total_amount for row in overdue[1:]), overdue[0].total_amount)
    facts = {
        "count": len(overdue),
        "amount": format_amount(Money(total, first.currency)),
        "when": moment(first.period_start_date),
    }
    yield NextStep(
        row=first,
        urgent=True,
        what=told % facts,
        to_do=_("Collect the oldest and report the payment, or report that it failed."),
        acts=("paid", "failed"),
    )


def difference_text(difference: Money) -> str:
    """Return what a change costs or gives back, as a sentence."""
    facts = {"amount": format_amount(Money(abs(difference.amount), difference.currency))}
    if difference.amount > 0:
        return _("To charge: %(amount)s.") % facts
    if difference.amount < 0:
        return _("To refund: %(amount)s.") % facts
    return _("The price stays as it is.")
