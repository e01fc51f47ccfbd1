"""The daily numbers of offers: shown where, how fast, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from django_xcover import tasks
from django_xcover.mirror.presentation import build_offer
from django_xcover.models import OfferDay, OfferOutcome, OfferPlacement, OfferResult, QuotePackage
from django_xcover.offers import background, statistics
from django_xcover.testing.factories import (
    AfterSaleOfferFactory,
    OfferCountFactory,
    OfferDayFactory,
    QuotePackageFactory,
)

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def nothing_noted() -> Iterator[None]:
    statistics._shown.clear()
    yield
    statistics._shown.clear()


def show(package: QuotePackage, placement: str = "checkout") -> None:
    """Show the offer of `package` to its shopper."""
    quotes = list(package.quotes.select_related("package"))
    statistics.note_shown(build_offer(quotes), placement)
    statistics.write()


def shown(**columns: Any) -> QuotePackage:
    """Return a package whose offer a shopper has been shown today."""
    return QuotePackageFactory.create(
        **{"shown_at": timezone.now(), "placement": "checkout", "look": "card", **columns}
    )


def numbers(*names: str) -> set[tuple[Any, ...]]:
    """Return these columns of today's numbers."""
    statistics.sum_up()
    return set(OfferDay.objects.filter(day=timezone.localdate()).values_list(*names, "count"))


def test_a_database_that_fails_costs_no_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package = QuotePackageFactory.create()

    def fail(*args: object, **values: object) -> int:
        raise DatabaseError("gone")

    monkeypatch.setattr(QuerySet, "update", fail)
    show(package)

    assert "were not counted" in caplog.text


def test_no_offer_is_not_shown() -> None:
    statistics.note_shown(None, "checkout")

    assert statistics._shown == {}


def test_the_first_offer_after_a_quiet_time_is_written_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []
    monkeypatch.setattr(statistics, "_written_at", -statistics.WRITE_EVERY)
    monkeypatch.setattr(background, "is_possible", lambda: True)
    monkeypatch.setattr(background, "start", started.append)
    package = QuotePackageFactory.create()
    statistics.write()  # as after each quote, with nothing noted yet

    statistics.note_shown(build_offer(list(package.quotes.all())), "checkout")

    assert started == [statistics.write]


def test_only_the_first_place_and_time_are_kept() -> None:
    package = QuotePackageFactory.create()
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False) as clock:
        show(package, "checkout")
        first = timezone.now()
        clock.shift(600)
        stale = QuotePackage.objects.get()
        stale.shown_at = None
        show(stale, "cart")

    kept = QuotePackage.objects.get()
    assert (kept.shown_at, kept.placement, kept.look) == (first, "checkout", "card")


def test_an_offer_that_was_shown_is_not_noted_again() -> None:
    statistics.note_shown(build_offer(list(shown().quotes.all())), "cart")

    assert statistics._shown == {}


@pytest.mark.parametrize(
    ("traits", "result", "is_ordered"),
    [
        ({}, OfferResult.UNANSWERED, False),
        ({"accepted": True}, OfferResult.ACCEPTED, False),
        ({"declined": True}, OfferResult.DECLINED, False),
        ({"ordered": True}, OfferResult.ACCEPTED, True),
        ({"opted_out": True}, OfferResult.DECLINED, True),
        ({"order_reference": "SH-1"}, OfferResult.UNANSWERED, True),
    ],
)
def test_each_offer_counts_once_with_what_became_of_it(
    traits: dict[str, Any], result: OfferResult, is_ordered: bool
) -> None:
    shown(**traits)

    assert numbers("result", "is_ordered", "reason") == {(result, is_ordered, "", 1)}


def test_one_accepted_item_of_several_makes_an_accepted_offer() -> None:
    package = shown(two_quotes=True, accepted=True)
    package.quotes.filter(position=1).update(choice="declined")

    assert numbers("result") == {(OfferResult.ACCEPTED, 1)}


def test_an_offer_that_nobody_was_shown_is_no_number() -> None:
    QuotePackageFactory.create()

    assert numbers("result") == set()


@pytest.mark.parametrize(
    ("milliseconds", "latency"), [(None, ""), (1000, "1"), (1001, "2"), (2815, "3"), (5001, "over")]
)
def test_the_time_of_the_answer_falls_into_its_bucket(
    milliseconds: int | None, latency: str
) -> None:
    shown(quote_milliseconds=milliseconds)

    assert numbers("latency") == {(latency, 1)}


def test_places_and_looks_are_told_apart_and_equal_ones_are_added_up() -> None:
    shown()
    shown()
    shown(look="plain")
    shown(placement="cart")

    assert numbers("placement", "look") == {
        ("checkout", "card", 2),
        ("checkout", "plain", 1),
        ("cart", "card", 1),
    }


def test_a_lost_offer_counts_with_its_reason() -> None:
    OfferCountFactory.create(outcome=OfferOutcome.OFFERED, count=5)
    OfferCountFactory.create(outcome=OfferOutcome.NO_ANSWER, count=2)

    assert numbers("result", "reason", "placement") == {
        (OfferResult.NO_OFFER, OfferOutcome.NO_ANSWER, "", 2)
    }


def test_offers_after_the_sale_count_with_their_answers() -> None:
    for traits, number in (({"paid": True}, 2), ({"declined": True}, 1), ({}, 2)):
        AfterSaleOfferFactory.create_batch(number, **traits)
    # An offer is counted here again for each price, and a yes that became a no as both.
    for outcome, number in (("offered", 9), ("accepted", 4), ("declined", 3), ("fault", 3)):
        OfferCountFactory.create(placement=OfferPlacement.AFTER_SALE, outcome=outcome, count=number)

    assert numbers("placement", "result", "is_ordered") == {
        ("after_sale", OfferResult.ACCEPTED, True, 2),
        ("after_sale", OfferResult.DECLINED, True, 1),
        ("after_sale", OfferResult.UNANSWERED, True, 2),
        ("after_sale", OfferResult.NO_OFFER, False, 3),
    }


def test_an_order_within_a_week_still_counts_and_older_days_stay_as_they_are() -> None:
    now = timezone.now()
    for age in (3, 30):
        shown(shown_at=now - timedelta(days=age))
        OfferDayFactory.create(day=timezone.localdate() - timedelta(days=age), unanswered=True)
    QuotePackage.objects.update(order_reference="SH-1")

    statistics.sum_up()

    ordered = OfferDay.objects.order_by("day").values_list("is_ordered", flat=True)
    assert list(ordered) == [False, True]


def test_a_day_whose_packages_are_being_deleted_keeps_its_numbers(settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "UNORDERED_RETENTION_DAYS": 3}
    with time_machine.travel(timezone.now() - timedelta(days=4)):
        shown(order_reference="")
        statistics.sum_up()
    before = list(OfferDay.objects.values("day", "result", "count"))

    tasks.forget_personal_data()
    tasks.count_offers()

    assert not QuotePackage.objects.exists()
    assert list(OfferDay.objects.values("day", "result", "count")) == before != []


def test_summing_up_twice_changes_nothing() -> None:
    shown()
    statistics.sum_up()

    assert numbers("result") == {(OfferResult.UNANSWERED, 1)}


def test_a_day_is_that_of_the_shops_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    with time_machine.travel("2026-03-02T16:00:00Z", tick=False):
        shown()
        statistics.sum_up()

    assert str(OfferDay.objects.get().day) == "2026-03-03"


def test_the_task_sums_up_and_deletes_old_hourly_counts() -> None:
    OfferCountFactory.create(hour=timezone.now() - timedelta(days=100))
    shown()

    tasks.count_offers()

    assert OfferDay.objects.get().count == 1
    assert statistics.totals(OfferDay.objects.all())["shown"] == 1
