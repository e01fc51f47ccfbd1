"""What may be changed of a booking, and changing a policyholder's details, which is free."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from django_xcover import validators
from django_xcover.exceptions import (
    BeingChanged,
    FieldsNotChangeable,
    NothingToChange,
    NotModifiable,
)
from django_xcover.models import Cancellation, Modification, OperationKind, QuotePackage, Status
from django_xcover.outbox import operations
from django_xcover.tracebacks import clears_frames

# Used if XCover lists no fields. Country and age are left out, because they determine what can be
# insured and at what price.
DETAILS = (
    "first_name",
    "middle_name",
    "last_name",
    "company",
    "email",
    "secondary_email",
    "phone",
    "address1",
    "address2",
    "city",
    "postcode",
    "region",
)


@clears_frames
def changeable_fields(package: QuotePackage) -> tuple[str, ...]:
    """Return the policyholder's fields that may be changed, as XCover's last answer has them.

    Uses `fields_allowed_to_update` if it lists any. Otherwise the usual details may be tried and
    XCover decides: `allow_updates` is false in every recorded booking, yet a new phone number was
    accepted.
    """
    return package.answer.policyholder.changeable or DETAILS


def require_changeable(package: QuotePackage, quote_ids: Collection[str] = ()) -> None:
    """Raise NotModifiable unless the package and the given policies can be changed now."""
    if package.status != Status.CONFIRMED:
        raise NotModifiable
    quotes = package.quotes.all() if quote_ids else ()
    in_force = {quote.quote_id for quote in quotes if quote.status == Status.CONFIRMED}
    if not in_force.issuperset(quote_ids):
        raise NotModifiable
    # Filtered in Python, so that a page with prefetched rows makes no query.
    if any(row.state == Cancellation.State.REQUESTED for row in package.cancellations.all()):
        raise NotModifiable


def require_idle(package: QuotePackage) -> None:
    """Raise BeingChanged while a change is in progress: the next would not see its outcome."""
    if package.modifications.filter(state=Modification.State.REQUESTED).exists():
        raise BeingChanged


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
