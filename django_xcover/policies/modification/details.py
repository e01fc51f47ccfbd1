"""Free changes, made without a quote (Quotes API: direct modification)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from django_xcover import validators
from django_xcover.exceptions import FieldsNotChangeable, NothingToChange
from django_xcover.models import Modification, OperationKind, QuotePackage
from django_xcover.outbox import operations
from django_xcover.policies.modification.eligibility import (
    changeable_fields,
    require_changeable,
    require_idle,
)
from django_xcover.tracebacks import clears_frames


@clears_frames
def change_details(
    package: QuotePackage, policyholder: Mapping[str, object], *, origin: str
) -> Modification:
    """Have the policyholder's details changed and return the change, which is being made.

    `policyholder` uses XCover's field names; only what differs from the last answer is sent.
    Requesting the same change again returns the existing one. Makes no calls. Raises BeingChanged
    while another change is in progress, NotModifiable, FieldsNotChangeable, NothingToChange, and
    CardNumberSent for a card number.
    """
    validators.refuse(policyholder)
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        same = _under_way(locked, policyholder)
        if same is not None:
            return same
        require_changeable(locked)
        require_idle(locked)
        return _record(locked, _changed(locked, policyholder), origin)


def _under_way(package: QuotePackage, wanted: Mapping[str, object]) -> Modification | None:
    """Return the change in progress if it is identical, because the form was sent twice."""
    rows = package.modifications.filter(state=Modification.State.REQUESTED, update_id="")
    row = rows.first()
    if row is None:
        return None
    made = row.requested.policyholder
    is_same = made.keys() <= wanted.keys() and not _differing(
        wanted, {**package.answer.policyholder.details, **made}
    )
    return row if is_same else None


def _record(package: QuotePackage, changed: Mapping[str, object], origin: str) -> Modification:
    modification = Modification.objects.create(
        package=package,
        state=Modification.State.REQUESTED,
        origin=origin,
        changes={"policyholder": changed},
        price_before=package.total_price,
        price_after=package.total_price,
        price_diff=Decimal(0),
        currency=package.currency,
    )
    operations.enqueue(package, OperationKind.MODIFY, subject=str(modification.pk))
    return modification


def _changed(package: QuotePackage, wanted: Mapping[str, object]) -> dict[str, Any]:
    changed = _differing(wanted, package.answer.policyholder.details)
    if not changed:
        raise NothingToChange
    foreign = sorted(set(changed) - set(changeable_fields(package)))
    if foreign:
        raise FieldsNotChangeable(fields=", ".join(foreign))
    return changed


def _differing(wanted: Mapping[str, object], known: Mapping[str, object]) -> dict[str, Any]:
    """Return what differs. An empty text and a missing value count as equal."""
    return {
        name: value
        for name, value in wanted.items()
        if (value or None) != (known.get(name) or None)
    }
