"""Ask XCover for the price of a change, while a user waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max

from django_xcover import signals, validators
from django_xcover.client import ValidationFailed, XCoverError
from django_xcover.client.connections import Deadline
from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas.policies import ModificationAnswer, modification_from_wire
from django_xcover.client.schemas.stored import without_booking
from django_xcover.clients import factory
from django_xcover.exceptions import (
    ActionRefused,
    ChangeNotAccepted,
    ChangeOutdated,
    NothingToChange,
)
from django_xcover.mirror import refresh
from django_xcover.models import Modification, Quote, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.policies.modification.details import require_changeable, require_idle
from django_xcover.policies.modification.settlement import is_outdated
from django_xcover.policies.modification.texts import typed
from django_xcover.tracebacks import clears_frames


def open_change(
    quote: Quote, update_fields: Mapping[str, object], *, after: int = 0
) -> Modification | None:
    """Return the policy's open change to exactly these values, None if there is none.

    Only considers primary keys above `after`. The amounts "1600" and 1600.00 are equal.
    """
    rows = Modification.objects.filter(package=quote.package_id, pk__gt=after)
    for row in rows.filter(state=Modification.State.QUOTED):
        if _is_same(row, quote, update_fields) and not is_outdated(quote.package, row):
            return row
    return None


def _is_same(row: Modification, quote: Quote, wanted: Mapping[str, object]) -> bool:
    if row.quote_ids != [quote.quote_id]:
        return False
    fields = row.requested.policies[0].update_fields
    return bool(typed(quote.policy_type, (), fields) == typed(quote.policy_type, (), wanted))


# Seconds for all calls that a user waits for.
DEADLINE = 5.0


@dataclass(frozen=True, slots=True)
class _Before:
    """The booking before the call to XCover: its latest change and its price."""

    latest: int
    total_price: Decimal

    @classmethod
    def of(cls, package: QuotePackage) -> _Before:
        total = QuotePackage.objects.values_list("total_price", flat=True).get(pk=package.pk)
        latest = package.modifications.aggregate(latest=Max("pk"))["latest"]
        return cls(latest or 0, total)

    def require_unmoved(self, package: QuotePackage) -> None:
        """Raise BeingChanged or ChangeOutdated if another change came first.

        Such a change is confirmed before this one is stored, so `is_outdated` would not notice that
        this one's price is older.
        """
        require_idle(package)
        if package.total_price != self.total_price:
            raise ChangeOutdated


@clears_frames
def quote_change(
    package: QuotePackage, *, quote: Quote, update_fields: Mapping[str, object], origin: str
) -> Modification:
    """Ask XCover what it costs to change the policy `quote`, and return it; nothing changes.

    `update_fields` are fields of its policy type with their new values, Decimal for amounts. Show
    the `difference`, then settle (`settle`) or abandon (`abandon`) it. Two identical requests at
    the same time return the same change. Takes at most `DEADLINE` seconds; hold no transaction
    meanwhile. Raises NotModifiable, NothingToChange, ChangeNotAccepted, ChangeOutdated if another
    change has outdated the price, CardNumberSent for a card number, and XCoverError if XCover can't
    be reached or its answer is invalid.
    """
    until = Deadline.after(DEADLINE)
    validators.refuse(update_fields)
    require_changeable(package, [quote.quote_id])
    require_idle(package)
    if not update_fields:
        raise NothingToChange
    body = {"quotes": [{"id": quote.quote_id, "update_fields": dict(update_fields)}]}
    before = _Before.of(package)
    try:
        answer = _ask(package, body, until)
    except ValidationFailed as refused:
        raise _why_refused(package, quote, refused, until) from refused
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        first = open_change(quote, update_fields, after=before.latest)
        if first is not None:
            return first
        before.require_unmoved(locked)
        return _record(locked, body, answer, origin)


def _ask(package: QuotePackage, body: dict[str, Any], until: Deadline) -> ModificationAnswer:
    wire = factory.client_for(package.account).booking_modification_quote(
        package.package_id,
        body,
        idempotency_key=new_idempotency_key(),
        deadline=until.left_for_a_call(),
    )
    answer = modification_from_wire(wire)
    if not answer.preview:
        raise UnexpectedAnswer.at("update_id", "is missing")
    if answer.booking.currency != package.currency:
        raise UnexpectedAnswer.at("currency", "is not the one that the booking was paid in")
    return answer


def _why_refused(
    package: QuotePackage, quote: Quote, refused: ValidationFailed, until: Deadline
) -> ActionRefused:
    """Return the reason in the user's terms: the state of the cover, or else the values."""
    try:
        refresh.refresh_once(package, deadline=until.left_for_a_call())
        require_changeable(QuotePackage.objects.get(pk=package.pk), [quote.quote_id])
    except ActionRefused as reason:
        return reason
    except XCoverError:
        return ChangeNotAccepted(refused.field_errors)
    return ChangeNotAccepted(refused.field_errors)


def _record(
    package: QuotePackage, body: dict[str, Any], answer: ModificationAnswer, origin: str
) -> Modification:
    after, difference = answer.booking.total, answer.total_price_diff
    if difference is None:
        difference = after - package.total_price
    modification = Modification.objects.create(
        package=package,
        update_id=answer.update_id,
        origin=origin,
        changes=body,
        price_before=after - difference,
        price_after=after,
        price_diff=difference,
        currency=answer.booking.currency,
        payload={**without_booking(answer.booking.raw), "price_diffs": dict(answer.price_diffs)},
    )
    transaction.on_commit(
        partial(
            signals.modification_quoted.send_robust, sender=Modification, modification=modification
        )
    )
    return modification
