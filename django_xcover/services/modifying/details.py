"""Changes that cost nothing: made at once (Quotes API: direct modification)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from django_xcover.models import Modification, OperationKind, QuotePackage
from django_xcover.services import card_numbers, operations
from django_xcover.services.modifying.changeable import (
    FieldsNotChangeable,
    NothingToChange,
    changeable_fields,
    require_changeable,
    require_idle,
)


def change_details(
    package: QuotePackage, policyholder: Mapping[str, Any], *, origin: str
) -> Modification:
    """Have the policyholder's details changed and return the change, which is being made.

    `policyholder` holds XCover's field names; only what differs from the last answer is sent.
    Talks to nobody. Raises NotModifiable, FieldsNotChangeable, NothingToChange, and CardNumberSent
    for a card number.
    """
    card_numbers.refuse(policyholder)
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        require_changeable(locked)
        require_idle(locked)
        changed = _changed(locked, policyholder)
        modification = Modification.objects.create(
            package=locked,
            state=Modification.State.REQUESTED,
            origin=origin,
            changes={"policyholder": changed},
            price_before=locked.total_price,
            price_after=locked.total_price,
            price_diff=Decimal(0),
            currency=locked.currency,
        )
        operations.enqueue(locked, OperationKind.MODIFY, subject=str(modification.pk))
    return modification


def _changed(package: QuotePackage, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs. An empty text and a missing value are the same to a person."""
    known = package.payload.get("policyholder") or {}
    changed = {
        name: value
        for name, value in wanted.items()
        if (value or None) != (known.get(name) or None)
    }
    if not changed:
        raise NothingToChange
    foreign = sorted(set(changed) - set(changeable_fields(package)))
    if foreign:
        raise FieldsNotChangeable(fields=", ".join(foreign))
    return changed
