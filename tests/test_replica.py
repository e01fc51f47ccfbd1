"""Nothing that decides about money is read from a replica that lags behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.db.models import Model
from django.http import HttpRequest

from django_xcover import payments
from django_xcover.cover import current_cover, hold_cover, order_cover
from django_xcover.models import Cancellation, Operation, Policy, QuotePackage
from django_xcover.offers import holds
from django_xcover.outbox import operations
from django_xcover.overview.policies import policy_rows
from django_xcover.policies import cancellation, instalments, renewal
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from django_xcover.support import status as standing
from django_xcover.support.timeline import order_story
from django_xcover.types import Due
from tests.buying import buys
from tests.conftest import Shopper, the_package, work
from tests.shop import Cart, Order, Shop, laptop

pytestmark = pytest.mark.django_db
MODELS = list(apps.get_app_config("xcover").get_models())


@pytest.fixture(autouse=True)
def replica(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the shop read from a replica that answers nothing."""
    dummy = connections.settings["default"] | {"ENGINE": "django.db.backends.dummy"}
    monkeypatch.setitem(connections.settings, "replica", dummy)
    settings.DATABASE_ROUTERS = ["tests.replica.FarBehind"]


def test_a_read_of_the_replica_would_be_noticed() -> None:
    with pytest.raises(ImproperlyConfigured):
        Operation.objects.using(router.db_for_read(Operation)).exists()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_is_read_where_it_is_written(model: type[Model]) -> None:
    managers = [*model._meta.managers, model._default_manager, model._base_manager]

    assert {manager.all().db for manager in managers} == {"default"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_relation_is_followed_where_it_is_written(model: type[Model]) -> None:
    for relation in model._meta.related_objects:
        name = relation.get_accessor_name()
        if name and relation.one_to_many and not relation.hidden:
            assert getattr(model(pk=1), name).all().db == "default", name


def test_a_yes_of_a_moment_ago_is_charged_and_booked(
    shopper: Shopper, shop: Shop, request_for: Callable[[Cart], HttpRequest]
) -> None:
    agreed = shopper.says(yes=True).premium
    assert current_cover(request_for(shopper.cart)).premium == agreed

    cover = hold_cover(request_for(shopper.cart))
    assert cover.premium == agreed
    order = shop.order()
    order_completed.send(sender=Order, order=order, cart=None, hold=cover.hold)
    payment_completed.send(sender=Order, order=order)
    work()

    assert order_cover(order).state == "booked"
    assert order_story(order.reference) is not None
    assert holds.sweep() == []
    assert operations.sweep() == []
    assert standing.status().needs_person == 0


def test_a_refund_and_what_is_still_due_are_decided_by_what_was_written(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    package = buys(shopper, shop, laptop())
    refund = cancellation.preview(package, origin=Cancellation.Origin.STAFF).refund
    cancellation.cancel_now(package, origin=Cancellation.Origin.STAFF)
    work()

    assert refund is not None
    assert Policy.objects.get().status == "CANCELLED"
    assert instalments.next_due(policy_rows().get()) is None
    assert payments.find(payments.INSTALMENT, "1") is None
    assert isinstance(payments.find(payments.RENEWAL, "1"), Due | None)
    assert renewal.find_due() == []
    package.refresh_from_db()
    assert package.quotes.get().package == QuotePackage.objects.get() == the_package()
