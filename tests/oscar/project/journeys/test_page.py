"""docs/oscar.md: each of its blocks is part of this shop, and few of them are the reader's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import page
import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.test import RequestFactory, override_settings
from myshop import cover
from myshop.gateway import PAYMENTS
from oscar.core.loading import default_class_loader, get_class, get_model

from django_xcover.contrib.oscar import checks
from django_xcover.contrib.oscar.checks import check_setup
from django_xcover.models import Hold
from django_xcover.offers import holds
from journeys.customer import Customer

# Words that name each Python block, and whether every shop needs it.
BLOCKS = {
    "OSCAR_DYNAMIC_CLASS_LOADER = ": True,
    "urlpatterns = ": True,
    "class ShopCover": True,
    "CELERY_BEAT_SCHEDULE = ": True,
    "class EachItem": False,
    "class AsksTheProvider": False,
    "def refund_made": False,
}
MOST_LINES = 25


def lines_of(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line


def test_every_python_block_is_one_of_those_that_are_run() -> None:
    assert sorted(map(page.block, BLOCKS)) == sorted(page.blocks("python"))


def test_a_user_writes_few_lines() -> None:
    needed = [page.block(words) for words, is_needed in BLOCKS.items() if is_needed]

    assert sum(len(list(lines_of(text))) for text in needed) <= MOST_LINES


def test_no_line_is_longer_than_a_formatter_leaves_it() -> None:
    for text in page.blocks("python"):
        ast.parse(text)
        assert max(map(len, text.splitlines())) <= 100


def test_the_shop_of_the_page_passes_the_checks() -> None:
    assert check_setup() == []


@override_settings(OSCAR_DYNAMIC_CLASS_LOADER="oscar.core.loading.default_class_loader")
def test_a_shop_without_the_setting_is_warned() -> None:
    assert [error.id for error in check_setup()] == ["xcover_oscar.E001"]


def test_a_shop_with_another_adapter_is_warned(settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "django_xcover.adapters.ShopAdapter"}

    assert [error.id for error in check_setup()] == ["xcover_oscar.E002"]


def test_an_app_below_oscars_is_warned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    below = [*reversed(list(apps.get_app_configs()))]
    monkeypatch.setattr(apps, "get_app_configs", lambda: below)

    assert [error.id for error in check_setup()] == ["xcover_oscar.E003"]


def test_a_premium_that_xcover_would_charge_as_well_is_said(settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.ChargedTwice"}

    assert [error.id for error in check_setup()] == ["xcover_oscar.E004"]


def test_every_check_is_on_the_page() -> None:
    source = Path(checks.__file__).read_text()
    said = re.findall(r"^\| `(xcover_oscar\.E\d+)`", page.PAGE.read_text(), re.MULTILINE)

    assert said == sorted(set(re.findall(r'id="(xcover_oscar\.E\d+)"', source)))


def test_the_classes_are_the_shops_own_and_always_the_same() -> None:
    loaded = get_class("checkout.views", "PaymentDetailsView")
    [own] = default_class_loader("checkout.views", ["PaymentDetailsView"], "oscar.apps")

    assert issubclass(loaded, own)
    assert own.__module__ == "myshop.checkout.views"
    assert loaded is get_class("checkout.views", "PaymentDetailsView")
    assert get_class("basket.forms", "BasketLineForm").__module__ == "oscar.apps.basket.forms"


def test_the_templates_of_the_page_show_the_offer_and_the_cover(guest: Customer, work: Any) -> None:
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders(card="4242")
    work()
    order = get_model("order", "Order").objects.get()
    request = RequestFactory().get("/")
    request.user, request.session = AnonymousUser(), {}
    offer, policies = page.blocks("html+django")

    shown = engines["django"].from_string(policies).render({"order": order}, request)
    nothing = engines["django"].from_string(offer).render({"order_total": None}, request)

    assert "Aero 14" in shown
    assert nothing.strip() == ""


@pytest.mark.parametrize("answer", [True, False])
def test_a_payment_page_that_nobody_comes_back_from_is_asked_about(
    guest: Customer, answer: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "ShopCover": cover.ShopCover,
        "provider": SimpleNamespace(was_charged=lambda metadata: asked.append(metadata) or answer),
    }
    asked: list[dict[str, str]] = []
    exec(page.block("class AsksTheProvider"), names)
    monkeypatch.setattr(cover, "AsksTheProvider", names["AsksTheProvider"], raising=False)
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": "myshop.cover.AsksTheProvider"}
    guest.takes("Aero 14")
    guest.goes_to_preview()
    guest.answers(yes=True)
    guest.orders()
    Hold.objects.update(expires_at="2026-01-01T00:00Z")

    alarms = holds.sweep()

    [payment] = list(PAYMENTS.values())[-1:]
    assert asked == [{"cover": payment.hold}]
    assert bool(alarms) == answer
