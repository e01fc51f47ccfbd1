"""What staff read about a flag is true of the order."""

from __future__ import annotations

import pytest

from django_xcover.models import Attention, OperationKind
from django_xcover.support import flag_texts
from django_xcover.testing.factories import FlagFactory, OperationFactory, QuotePackageFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("subject", "is_paid"), [("", True), ("unpaid", False)])
def test_cover_that_was_not_booked_is_refunded_only_if_it_was_paid(
    subject: str, *, is_paid: bool
) -> None:
    package = QuotePackageFactory.create(ordered=True)
    OperationFactory.create(package=package, kind=OperationKind.BOOK, subject=subject)
    flag = FlagFactory.create(package=package, reason=Attention.POLICY_MISSING)

    what, to_do = flag_texts.about(flag, package, list(package.quotes.all()))

    assert ("paid for cover" in what, "refund" in to_do) == (is_paid, is_paid)
    assert package.package_id in to_do
