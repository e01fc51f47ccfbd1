"""Next steps for staff about cancellations, changes, renewals and instalments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_xcover.exceptions.base import refusal
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
from django_xcover.policies.modification import is_open
from django_xcover.policies.renewal.quoting import refuse_unless_waiting
from django_xcover.support.next_steps import NextStep, is_overdue, moment
from django_xcover.types import Money

# The condition of `awaits_refund`, for queries.
AWAITS_REFUND = Q(state=Cancellation.State.CONFIRMED, refunded_at=None) & ~Q(total_refund=0)


def steps_after_sale(package: QuotePackage, quotes: Iterable[Quote]) -> Iterator[NextStep]:
    """Yield the steps for `package`. Prefetch its workflows and instalments."""
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
    """Return the latest operation for `row`, or None."""
    operations = Operation.objects.select_related("package").filter(package=package)
    # The subject of a repeatable operation has more than the row's primary key.
    mine = Q(subject=str(row.pk)) | Q(subject__startswith=f"{row.pk}:")
    return operations.filter(mine, kind__in=tuple(kinds)).order_by("-pk").first()


def awaits_refund(row: Cancellation) -> bool:
    """Return whether a refund is due to the customer and not recorded yet.

    An unknown refund (None) may be any amount, so it has to be recorded, too.
    """
    is_cancelled = row.state == Cancellation.State.CONFIRMED
    return is_cancelled and row.total_refund != 0 and row.refunded_at is None


def is_expired(row: Cancellation, now: datetime) -> bool:
    """Return whether the preview can no longer be confirmed."""
    return row.confirm_before is not None and row.confirm_before < now


def cancellation_steps(row: Cancellation) -> Iterator[NextStep]:
    """Yield the step for a refund that has to be made and recorded."""
    if not awaits_refund(row):
        return
    what, to_do = _unnamed_refund(row) if row.refund is None else _refund(row.refund)
    yield NextStep(row=row, urgent=True, what=what, to_do=to_do, row_actions=("refund",))


def _refund(refund: Money) -> tuple[str, str]:
    values = {"refund": format_amount(refund)}
    what = _("The cover is cancelled and %(refund)s is due to the customer.")
    to_do = _("Refund %(refund)s the way the customer paid, then record it.")
    return what % values, to_do % values


def _unnamed_refund(row: Cancellation) -> tuple[str, str]:
    what = _("The cover is cancelled, but XCover has not named the amount due to the customer.")
    to_do = _(
        "Ask XCover for the amount, with the package id %(package)s. Refund it the way the "
        "customer paid, then record what was refunded (0 if nothing)."
    )
    return what, to_do % {"package": row.package.package_id}


def modification_steps(row: Modification) -> Iterator[NextStep]:
    """Yield the step for a quoted change, whose difference has to be settled first."""
    if not is_open(row):
        return
    yield NextStep(
        row=row,
        urgent=False,
        what=_("A change of the cover is quoted but not made. %(difference)s")
        % {"difference": difference_text(row.difference)},
        # A request for a price isn't an order, and a refund needs no payment.
        to_do=_(
            "If the customer wants it, settle the difference and confirm; "
            "otherwise abandon the change."
        ),
        row_actions=("settle", "abandon"),
    )


def renewal_steps(row: Renewal) -> Iterator[NextStep]:
    """Yield the step for a renewal that waits for a price or for its payment."""
    if refusal(refuse_unless_waiting, row):
        return
    values = {"when": moment(row.due_on)}
    if row.state == Renewal.State.DUE:
        what = _("The cover ends on %(when)s and can be renewed.") % values
        to_do = _("Nothing: the price is requested automatically. You can request it now.")
    elif row.state == Renewal.State.QUOTED and row.premium:
        values["premium"] = format_amount(row.premium)
        what = _("The cover ends on %(when)s; the next period costs %(premium)s.") % values
        to_do = _(
            "When the customer has paid, record the payment, or decline on the customer's behalf."
        )
    else:
        return
    yield NextStep(
        row=row, urgent=False, what=what, to_do=to_do, row_actions=("pay", "decline", "quote")
    )


def instalment_steps(rows: Iterable[Instalment]) -> Iterator[NextStep]:
    """Yield one step for all overdue instalments of a policy."""
    overdue = [row for row in rows if is_overdue(row, timezone.now())]
    if not overdue:
        return
    first = min(overdue, key=lambda row: row.number)
    text = ngettext(
        "%(count)s instalment is overdue (%(amount)s, since %(when)s).",
        "%(count)s instalments are overdue (%(amount)s, the oldest since %(when)s).",
        len(overdue),
    )
    total = sum((row.total_amount for row in overdue[1:]), overdue[0].total_amount)
    values = {
        "count": len(overdue),
        "amount": format_amount(Money(total, first.currency)),
        "when": moment(first.period_start_date),
    }
    yield NextStep(
        row=first,
        urgent=True,
        what=text % values,
        to_do=_("Collect the oldest and report the payment, or report that it failed."),
        row_actions=("paid", "failed"),
    )


def difference_text(difference: Money) -> str:
    """Return the amount to charge or refund for a change, as a sentence."""
    values = {"amount": format_amount(Money(abs(difference.amount), difference.currency))}
    if difference.amount > 0:
        return _("To charge: %(amount)s.") % values
    if difference.amount < 0:
        return _("To refund: %(amount)s.") % values
    return _("The price does not change.")
