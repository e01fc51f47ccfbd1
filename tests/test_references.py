"""A reference that no column has room for is refused before the database does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.exceptions import ReferenceTooLong
from django_xcover.models import Cancellation, Modification, Operation, Renewal
from django_xcover.policies import cancellation, modification
from django_xcover.policies import renewal as renewing
from django_xcover.testing.factories import (
    CancellationFactory,
    ModificationFactory,
    RenewalFactory,
)
from django_xcover.types import Money
from django_xcover.values import LONGEST_REFERENCE

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db, pytest.mark.usefixtures("shop")]
TOO_LONG = "This reference is too long: it may have 100 characters."
COLUMNS = (
    (Cancellation, "refund_reference"),
    (Modification, "settlement_reference"),
    (Renewal, "payment_reference"),
)


def refund(reference: str) -> None:
    row = CancellationFactory.create(confirmed=True)
    cancellation.record_refund(row, Money(Decimal(1), row.currency), reference=reference)


def settlement(reference: str) -> None:
    modification.settle(ModificationFactory.create(), reference=reference)


def premium(reference: str) -> None:
    renewing.record_payment(RenewalFactory.create(), reference=reference)


def premium_of_the_older_flow(reference: str) -> None:
    renewing.confirm_legacy(RenewalFactory.create(), reference=reference)


@pytest.mark.parametrize(
    "record", [refund, settlement, premium, premium_of_the_older_flow], ids=lambda act: act.__name__
)
def test_a_reference_is_kept_whole_or_refused_with_a_sentence(
    record: Callable[[str], None],
) -> None:
    with pytest.raises(ReferenceTooLong) as refused:
        record("r" * (LONGEST_REFERENCE + 1))

    assert str(refused.value) == TOO_LONG
    assert not Operation.objects.exists()
    record("r" * LONGEST_REFERENCE)


@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_the_columns_have_room_for_the_longest(model: Any, column: str) -> None:
    assert model._meta.get_field(column).max_length == LONGEST_REFERENCE
