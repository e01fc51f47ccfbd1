"""Lost offers are counted with their reason, and the facts survive the process."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError
from django.utils import timezone

from django_xcover.client import (
    AuthenticationFailed,
    ConnectionFailed,
    DeadlineExceeded,
    HeldBack,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    ValidationFailed,
    XCoverError,
)
from django_xcover.models import OfferCount, OfferOutcome
from django_xcover.offers import counts

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    counts._counted.clear()


def test_counts_that_cannot_be_written_cost_no_offer_and_are_written_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise DatabaseError("gone")

    counts.count("default", OfferOutcome.OFFERED)
    with monkeypatch.context() as patched:
        patched.setattr(counts, "_add", fail)
        counts.write()

    counts.write()

    assert "were not counted" in caplog.text
    assert OfferCount.objects.get().count == 1


def test_an_outcome_is_one_row_an_hour_with_its_last_time() -> None:
    with time_machine.travel("2026-03-02T10:10:00Z", tick=False) as clock:
        for _ in range(3):
            counts.count("default", OfferOutcome.NOT_AUTHORISED)
        counts.write()
        clock.shift(600)
        counts.count("default", OfferOutcome.NOT_AUTHORISED)
        counts.write()
        clock.shift(3600)
        counts.count("default", OfferOutcome.NOT_AUTHORISED)
        counts.write()

        rows = OfferCount.objects.order_by("hour").values_list("count", flat=True)
        assert list(rows) == [4, 1]
        last = counts.last_times("default")[OfferOutcome.NOT_AUTHORISED]
        assert last == timezone.now()
        day = timezone.now() - timedelta(days=1)
        assert counts.auth_refusals_since("default", day) == 5
        assert counts.auth_refusals_since("default", timezone.now()) == 1


def test_a_refusal_is_an_answer_and_no_offer() -> None:
    counts.count("default", OfferOutcome.NOT_AUTHORISED)
    counts.write()

    assert counts.last_answer("default") is not None
    assert counts.last_offer("default") is None


def test_the_silence_of_a_vendor_is_neither_answer_nor_offer() -> None:
    counts.count("default", OfferOutcome.NO_ANSWER)
    counts.write()

    assert counts.last_answer("default") is None
    assert counts.last_offer("default") is None


def test_offers_that_were_made_are_not_counted_as_lost() -> None:
    counts.count("default", OfferOutcome.OFFERED)
    counts.count("default", OfferOutcome.RATE_LIMIT)
    counts.count("eu", OfferOutcome.REFUSED)
    counts.write()

    assert counts.lost_since("default", timezone.now()) == {OfferOutcome.RATE_LIMIT: 1}


def test_old_counts_are_forgotten() -> None:
    with time_machine.travel("2026-01-01T10:10:00Z", tick=False):
        counts.count("default", OfferOutcome.OFFERED)
        counts.write()

    with time_machine.travel("2026-06-01T10:10:00Z", tick=False):
        assert counts.forget() == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (AuthenticationFailed(status=401), OfferOutcome.NOT_AUTHORISED),
        (AuthenticationFailed(status=403), OfferOutcome.NOT_AUTHORISED),
        (ValidationFailed(status=422), OfferOutcome.REFUSED),
        (Throttled(status=429), OfferOutcome.RATE_LIMIT),
        (HeldBack("full"), OfferOutcome.RATE_LIMIT),
        (ConnectionFailed("x"), OfferOutcome.NO_ANSWER),
        (DeadlineExceeded("x"), OfferOutcome.NO_ANSWER),
        (ServerFault(status=503), OfferOutcome.FAULT),
        (UnexpectedAnswer("x"), OfferOutcome.FAULT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_failure_has_its_reason(error: XCoverError, outcome: OfferOutcome) -> None:
    assert counts.outcome_of(error) == outcome
