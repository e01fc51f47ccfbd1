"""What the page on personal data lets a shop do with one customer's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.apps import apps

from django_xcover.models import Cancellation
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.docs.pages import DOCS, blocks
from tests.shop import Shop

PAGE = DOCS / "personal-data.md"
pytestmark = pytest.mark.django_db
# Whose rows belong to no order.
OF_NO_ORDER = {
    "AccountPause",
    "Discrepancy",
    "Heartbeat",
    "OfferCount",
    "OfferDay",
    "QuoteAttempt",
    "Reconciliation",
    "WebhookRefusal",
}


@pytest.fixture
def page() -> dict[str, Any]:
    """Return what the page's code defines."""
    names: dict[str, Any] = {}
    for block in blocks(PAGE):
        exec(block.code(), names)  # noqa: S102 - the page is what is tested
    return names


@pytest.fixture
def sold(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> str:
    """Return the reference of an order whose cover was cancelled since."""
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    work()
    cancellation.cancel_now(the_package(), origin=Cancellation.Origin.STAFF)
    work()
    return the_package().order_reference


def test_an_order_is_exported_with_all_that_hangs_on_it(page: dict[str, Any], sold: str) -> None:
    rows = json.loads(page["export_order"](sold))

    kinds = {row["model"].removeprefix("xcover.") for row in rows}
    assert {"quotepackage", "quote", "decision", "operation", "cancellation"} <= kinds
    assert "ana@example.com" in json.dumps(rows)


def test_an_order_that_does_not_exist_has_nothing_to_export(
    page: dict[str, Any], sold: str
) -> None:
    assert json.loads(page["export_order"]("ANOTHER-ORDER")) == []


def test_every_table_of_an_order_is_named_before_those_it_hangs_on() -> None:
    listed = re.findall(r"`(xcover_[a-z_]+)`", PAGE.read_text())
    tables = {
        model._meta.db_table: model
        for model in apps.get_app_config("xcover").get_models(include_auto_created=True)
        if not model._meta.proxy and model.__name__ not in OF_NO_ORDER
    }

    assert set(listed) == set(tables)
    for place, name in enumerate(listed):
        parents = {
            field.related_model._meta.db_table  # type: ignore[union-attr]
            for field in tables[name]._meta.fields
            if field.is_relation
        }
        assert parents <= set(listed[place:])
