"""What nobody ordered is forgotten, and what a customer wants gone is gone."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from django_xcover import tasks
from django_xcover.models import (
    AccessRecord,
    AccessRecordsAreFinal,
    Attention,
    Cancellation,
    Decision,
    Hold,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.policies import cancellation
from django_xcover.support import erasure
from django_xcover.testing.factories import (
    AccessRecordFactory,
    FlagFactory,
    HoldFactory,
    OperationFactory,
    QuotePackageFactory,
    WebhookDeliveryFactory,
)
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
LONG_AGO = timedelta(days=91)


def age(days: timedelta = LONG_AGO) -> None:
    """Let everything be so old."""
    then = timezone.now() - days
    QuotePackage.objects.update(created_at=then, updated_at=then)


def everything() -> str:
    """Return each row of ours as text."""
    models = apps.get_app_config("xcover").get_models(include_auto_created=True)
    rows = [row for model in models for row in model._base_manager.all()]
    return str(serializers.serialize("json", rows))


def test_what_nobody_ordered_is_forgotten_with_its_decisions(shopper: Shopper) -> None:
    shopper.says(yes=True)
    assert Decision.objects.exists()
    age()

    tasks.forget_personal_data()

    assert not QuotePackage.objects.exists()
    assert not Quote.objects.exists()
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "kept", ["young", "ordered", "booked", "flagged", "was_flagged", "held", "to_do", "attention"]
)
def test_what_may_still_matter_is_kept(shopper: Shopper, kept: str) -> None:
    shopper.says(yes=True)
    package = the_package()
    if kept == "ordered":
        QuotePackage.objects.update(order_reference="ORD-1")
    if kept == "booked":
        QuotePackage.objects.update(status="CONFIRMED")
    if kept in {"flagged", "was_flagged"}:
        FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)
    if kept == "was_flagged":
        QuotePackage.objects.update(attention="")
    if kept == "attention":
        QuotePackage.objects.update(attention=Attention.PRICE_DIFFERS)
    if kept == "held":
        HoldFactory.create(package=package, expires_at=timezone.now() - LONG_AGO)
    if kept == "to_do":
        OperationFactory.create(package=package)
    age(timedelta(days=89) if kept == "young" else LONG_AGO)

    assert erasure.forget_unordered() == 0
    assert QuotePackage.objects.exists()


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.DELETED, Status.FAILED])
def test_an_offer_that_came_to_nothing_is_forgotten(shopper: Shopper, status: Status) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(status=status)
    age()

    assert erasure.forget_unordered() == 1


def test_a_hold_that_was_released_keeps_nothing(shopper: Shopper) -> None:
    shopper.says(yes=True)
    HoldFactory.create(package=the_package(), released=True)
    age()

    assert erasure.forget_unordered() == 1
    assert not Hold.objects.exists()


def test_it_is_forgotten_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for _ in range(5):
        QuotePackageFactory.create()
    age()

    assert erasure.forget_unordered() == 5


def test_the_days_are_a_setting(shopper: Shopper, settings: Any) -> None:
    shopper.says(yes=True)
    age()
    settings.XCOVER = {**settings.XCOVER, "UNORDERED_RETENTION_DAYS": 100}

    assert erasure.forget_unordered() == 0


@pytest.fixture
def sold(shopper: Shopper, shop: Shop) -> str:
    """Return the reference of an order whose cover was booked and cancelled since."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    package = the_package()
    cancellation.cancel_now(package, origin=Cancellation.Origin.STAFF)
    work()
    WebhookDeliveryFactory.create(package=package, body={"name": "ana@example.com"})
    AccessRecordFactory.create(package=package)
    FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)
    return package.order_reference


def test_of_an_erased_order_nothing_is_left(sold: str) -> None:
    package_id = the_package().package_id
    assert "ana@example.com" in everything()

    call_command("xcover_erase", sold, "--yes", stdout=StringIO())

    left = everything()
    for trace in ("ana@example.com", sold, package_id, "Ana", "Rossi"):
        assert trace not in left


def test_another_order_stays_whole(sold: str) -> None:
    other = QuotePackageFactory.create(ordered=True, order_reference="OTHER")

    erasure.erase_order(sold)

    assert list(QuotePackage.objects.all()) == [other]


def test_nothing_is_erased_while_something_is_to_happen_yet(sold: str) -> None:
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    before = everything()

    with pytest.raises(CommandError, match="not over"):
        call_command("xcover_erase", sold, "--yes")

    assert everything() == before


@pytest.mark.parametrize("words", [["ORD-1"], ["NO-SUCH-ORDER", "--yes"], ["", "--yes"]])
def test_what_is_not_meant_or_not_there_is_an_error(sold: str, words: list[str]) -> None:
    before = everything()

    with pytest.raises(CommandError):
        call_command("xcover_erase", *words)

    assert everything() == before


def test_every_table_about_an_order_is_emptied_in_an_order_that_keys_allow() -> None:
    listed = [model for model, _ in erasure.ROWS]
    hanging = {
        model
        for model in apps.get_app_config("xcover").get_models(include_auto_created=True)
        if any(field.is_relation for field in model._meta.fields) and not model._meta.proxy
    }

    assert hanging <= set(listed)
    for place, model in enumerate(listed):
        parents = {field.related_model for field in model._meta.fields if field.is_relation}
        assert parents <= {*listed[place:]}


def test_records_of_accesses_are_final_and_kept_for_a_year(sold: str) -> None:
    row = AccessRecord.objects.get()
    for change in (
        row.save,
        row.delete,
        AccessRecord.objects.all().delete,
        lambda: AccessRecord.objects.update(by="x"),
    ):
        with pytest.raises(AccessRecordsAreFinal):
            change()
    AccessRecord.objects.create(what="page", at=timezone.now() - timedelta(days=366))

    tasks.forget_personal_data()

    assert list(AccessRecord.objects.all()) == [row]
