"""Going back and forth through the migrations loses nothing, and reads no replica."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from django_xcover.models import (
    Attention,
    Flag,
    Hold,
    OfferCount,
    OfferPlacement,
    Operation,
    QuotePackage,
    SearchTerm,
)
from django_xcover.testing.factories import (
    HoldFactory,
    OfferCountFactory,
    OperationFactory,
    QuotePackageFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
# The last one without a table for flags, holds, terms or withdrawals.
EARLIEST = "0003_more_on_record"


@pytest.fixture(autouse=True)
def replica(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the shop read from a replica that has no tables."""
    dummy = connections.settings["default"] | {"ENGINE": "django.db.backends.dummy"}
    monkeypatch.setitem(connections.settings, "replica", dummy)
    settings.DATABASE_ROUTERS = ["tests.replica.FarBehind"]


@pytest.fixture
def latest() -> Iterator[str]:
    """Return the newest migration's name; the tables are brought up to it again at the end."""
    (_, name), *_ = MigrationExecutor(connection).loader.graph.leaf_nodes("xcover")
    yield name
    migrate(name)


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("xcover", name)])


def test_what_was_stored_is_still_there_after_going_back_and_forth(latest: str) -> None:
    booked = QuotePackageFactory.create(booked=True, attention=Attention.PRICE_DIFFERS)
    held = HoldFactory.create()
    failed = OperationFactory.create(error={"type": "validation_failed", "message": "no"})
    prices = dict(booked.quotes.values_list("quote_id", "price"))
    packages = set(QuotePackage.objects.values_list("package_id", "status", "order_reference"))

    migrate(EARLIEST)
    migrate(latest)

    assert set(QuotePackage.objects.values_list("package_id", "status", "order_reference")) == (
        packages
    )
    assert dict(booked.quotes.values_list("quote_id", "price")) == prices
    assert Flag.objects.get(package=booked).reason == Attention.PRICE_DIFFERS
    assert SearchTerm.objects.filter(package=booked).exists()
    assert Operation.objects.get(pk=failed.pk).error["type"] == "validation_failed"
    again = Hold.objects.get(package=held.package)
    assert (again.amount, again.currency) == (held.amount, held.currency)


def test_counts_of_one_hour_at_two_placements_do_not_stop_the_way_back(latest: str) -> None:
    OfferCountFactory.create(count=3)
    OfferCountFactory.create(count=2, placement=OfferPlacement.AFTER_SALE)

    migrate("0021_carried_out_at_once")
    migrate(latest)

    assert list(OfferCount.objects.values_list("placement", "count")) == [("checkout", 3)]
