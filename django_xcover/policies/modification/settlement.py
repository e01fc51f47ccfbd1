"""The difference of a priced change, settled by the shop, or the change given up."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_xcover.exceptions import (
    ChangeAbandoned,
    ChangeMade,
    ChangeNotAccepted,
    ChangeOutdated,
    NotModifiable,
    refusal,
)
from django_xcover.models import (
    Cancellation,
    Modification,
    Operation,
    OperationKind,
    QuotePackage,
)
from django_xcover.outbox import operations
from django_xcover.outbox.failures import Fault, fault_of, said
from django_xcover.outbox.transitions import move
from django_xcover.policies.modification.eligibility import require_changeable
from django_xcover.policies.modification.texts import label_at
from django_xcover.policies.staleness import changes_since
from django_xcover.validators import refuse_long

State = Modification.State
UNDER_WAY = frozenset({State.REQUESTED, State.CONFIRMED})


def settle(modification: Modification, *, reference: str = "") -> Operation:
    """Confirm a priced change, because its difference has been charged or refunded.

    `reference` is the payment's in the shop. Of a change without a difference nothing is settled:
    this confirms it. The same reference again returns the same operation, so that a payment may be
    reported twice; another one raises ChangeMade, because the customer paid twice. Also raises
    ChangeAbandoned, ChangeOutdated, NotModifiable and ReferenceTooLong: then nothing is changed,
    and what was charged for it is to be given back.
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


def abandon(modification: Modification) -> None:
    """Give a priced change up; XCover needs not be told. Raises ChangeMade when it is too late."""
    with transaction.atomic():
        # As `settle` does, so that nothing is given up that is just being settled.
        QuotePackage.objects.locked().get(pk=modification.package_id)
        modification.refresh_from_db()
        if modification.state in UNDER_WAY:
            raise ChangeMade
        if modification.state == State.QUOTED:
            move(modification, State.ABANDONED, field="state", changes={})


def refusal_of(modification: Modification) -> str:
    """Return the sentence that tells why XCover did not make the change, "" when there is none.

    It holds XCover's words about the values, and so perhaps what a person typed: show it to those
    who may see the booking, and log it never. What else XCover says is for staff: the operation
    has it.
    """
    if modification.state != State.REFUSED:
        return ""
    operation = _operation(modification).first()
    error = operation.error if operation is not None else {}
    if fault_of(error) == Fault.STATE:
        return str(NotModifiable.message)
    fields = error.get("field_errors") or {}
    words = said({"field_errors": {label_at(path): texts for path, texts in fields.items()}})
    return " ".join(text for text in (str(ChangeNotAccepted.message), words) if text)


def _known(modification: Modification, reference: str) -> Operation | None:
    """Return the operation that this payment has settled, raise ChangeMade for another payment.

    Also where XCover has refused the change since: staff are told to give the payment back, and
    whoever reports it again must not do so as well.
    """
    is_same = reference == modification.settlement_reference
    if modification.state in UNDER_WAY and not is_same:
        raise ChangeMade
    is_settled = modification.state in UNDER_WAY or modification.settled_at is not None
    return _operation(modification).get() if is_settled and is_same else None


def _note(modification: Modification, reference: str) -> None:
    refuse_long(reference)
    settled = timezone.now() if modification.price_diff else None
    if not move(
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
    """Return whether `settle` would confirm the change, as things stand.

    No query where what hangs on its package is prefetched: a page may show many.
    """
    return refusal(_require_open, modification.package, modification) is None


def is_outdated(package: QuotePackage, modification: Modification) -> bool:
    """Return whether the booking's total has moved, or is about to, since the change was priced."""
    since = modification.created_at
    changed = [row for row in changes_since(package, since) if row != modification]
    return bool(changed) or any(
        row.state == Cancellation.State.CONFIRMED and row.confirmed_at and row.confirmed_at >= since
        for row in package.cancellations.all()
    )
