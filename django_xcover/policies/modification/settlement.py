"""Settle the price difference of a change, or abandon a change that is not made any more."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from django_xcover.exceptions import (
    ChangeAbandoned,
    ChangeMade,
    ChangeNotAccepted,
    ChangeOutdated,
    NotModifiable,
)
from django_xcover.exceptions.base import refusal
from django_xcover.models import Cancellation, Modification, Operation, OperationKind, QuotePackage
from django_xcover.outbox import operations
from django_xcover.outbox.failures import Fault, fault_of, vendor_text
from django_xcover.outbox.transitions import transition
from django_xcover.policies.modification.details import require_changeable
from django_xcover.policies.modification.texts import label_at
from django_xcover.policies.staleness import changes_since
from django_xcover.tracebacks import clears_frames
from django_xcover.validators import refuse_long

State = Modification.State
UNDER_WAY = frozenset({State.REQUESTED, State.CONFIRMED})


@clears_frames
def settle(modification: Modification, *, reference: str = "") -> Operation:
    """Confirm a priced change, because its difference has been charged or refunded.

    `reference` is the shop's own for the payment. If the price does not change, this only confirms
    the modification. Repeating a reference returns the same operation, so that a payment may be
    reported twice; a different one raises ChangeMade, because the customer paid twice. Also raises
    ChangeAbandoned, ChangeOutdated, NotModifiable and ReferenceTooLong. Then nothing changes, and
    the shop has to refund what it charged.
    """
    with transaction.atomic():
        package = QuotePackage.objects.locked().get(pk=modification.package_id)
        modification.refresh_from_db()
        known = _known(modification, reference)
        if known is not None:
            return known
        _require_open(package, modification)
        _note(modification, reference)
        return operations.enqueue(package, OperationKind.MODIFY, subject=str(modification.pk))


@clears_frames
def abandon(modification: Modification) -> None:
    """Give a priced change up; XCover needs not be told. Raises ChangeMade when it is too late."""
    with transaction.atomic():
        # The same lock as `settle`, so that a change that is being settled is not abandoned.
        QuotePackage.objects.locked().get(pk=modification.package_id)
        modification.refresh_from_db()
        if modification.state in UNDER_WAY:
            raise ChangeMade
        if modification.state == State.QUOTED:
            transition(modification, State.ABANDONED, field="state", changes={})


@clears_frames
def refusal_of(modification: Modification, *, quoting: bool = True) -> str:
    """Return a sentence that explains why XCover did not make the change, "" if there is none.

    It quotes XCover about the values, and so may contain what the user typed: show it only to those
    who may see the booking's personal data, and never log it. Without `quoting` it only names the
    fields. The rest of XCover's answer is for staff and is kept with the operation.
    """
    if modification.state != State.REFUSED:
        return ""
    operation = _operation(modification).first()
    error = operation.error if operation is not None else {}
    if fault_of(error) == Fault.STATE:
        return str(NotModifiable.message)
    fields = {label_at(path): texts for path, texts in (error.get("field_errors") or {}).items()}
    words = vendor_text({"field_errors": fields}) if quoting else ", ".join(fields)
    return " ".join(text for text in (str(ChangeNotAccepted.message), words) if text)


def _known(modification: Modification, reference: str) -> Operation | None:
    """Return the operation that this payment settled; raise ChangeMade for a different payment.

    This also applies if XCover has since refused the change: staff are asked to refund the payment,
    so a repeated report must not lead to a second refund.
    """
    is_same = reference == modification.settlement_reference
    if modification.state in UNDER_WAY and not is_same:
        raise ChangeMade
    is_settled = modification.state in UNDER_WAY or modification.settled_at is not None
    return _operation(modification).get() if is_settled and is_same else None


def _note(modification: Modification, reference: str) -> None:
    refuse_long(reference)
    settled = timezone.now() if modification.price_diff else None
    if not transition(
        modification,
        State.REQUESTED,
        field="state",
        settled_at=settled,
        settlement_reference=reference,
    ):
        raise ChangeAbandoned


def _operation(modification: Modification) -> QuerySet[Operation]:
    return Operation.objects.filter(
        package=modification.package_id, kind=OperationKind.MODIFY, subject=str(modification.pk)
    )


def _require_open(package: QuotePackage, modification: Modification) -> None:
    if modification.state != State.QUOTED:
        raise ChangeAbandoned
    require_changeable(package, modification.quote_ids)
    if is_outdated(package, modification):
        raise ChangeOutdated


def is_open(modification: Modification) -> bool:
    """Return whether `settle` would currently confirm the change.

    Makes no query if the package's related rows are prefetched, because a page may show many.
    """
    return refusal(_require_open, modification.package, modification) is None


def is_outdated(package: QuotePackage, modification: Modification) -> bool:
    """Return whether the booking's total has changed, or will, since the change was priced."""
    since = modification.created_at
    changed = [row for row in changes_since(package, since) if row != modification]
    return bool(changed) or any(
        row.state == Cancellation.State.CONFIRMED and row.confirmed_at and row.confirmed_at >= since
        for row in package.cancellations.all()
    )


# XCover may still refuse one of these, which would make other changes possible again.
PASSING = (OperationKind.MODIFY, OperationKind.CANCEL)


def give_up_outdated() -> list[Modification]:
    """Abandon the priced changes that can no longer be settled, and return them.

    Running this daily is enough, because an outdated change is never offered for payment. Only
    changes whose package has changed since are checked, because most unpaid quotes never change
    again.
    """
    under_way = Operation.objects.unfinished().filter(package=OuterRef("package"), kind__in=PASSING)
    rows = Modification.objects.select_related("package").filter(
        ~Exists(under_way),
        state=Modification.State.QUOTED,
        package__updated_at__gte=F("created_at"),
    )
    over = [row for row in rows if not is_open(row)]
    for row in over:
        abandon(row)
    return over
