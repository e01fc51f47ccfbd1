"""A preview is no cancellation: nothing was cancelled, so nothing can have been refunded for it."""

from __future__ import annotations

import pytest

from django_xcover import exceptions
from django_xcover.models import Cancellation, QuotePackage
from django_xcover.policies import cancellation

pytestmark = pytest.mark.django_db


def test_a_refund_of_what_was_only_previewed_is_not_recorded(booked: QuotePackage) -> None:
    found = cancellation.preview(booked, origin=Cancellation.Origin.STAFF)

    with pytest.raises(exceptions.RefundNotRecorded, match="the cover was not cancelled"):
        cancellation.record_refund(found, booked.total)

    found.refresh_from_db()
    assert found.refunded is None
