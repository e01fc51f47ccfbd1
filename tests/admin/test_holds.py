"""What staff see of frozen premiums: which wait, which were charged, which order has them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from django_xcover.admin.common.display import story_url
from django_xcover.models import Hold
from django_xcover.testing.factories import HoldFactory, QuotePackageFactory
from tests.admin.factories import in_minutes

pytestmark = pytest.mark.django_db

WAITING: dict[str, Any] = {"taken_at": None, "order_reference": ""}
STATES = {
    "live": WAITING,
    "expired": WAITING | {"expires_at": in_minutes(-1)},
    "no_order": WAITING | {"expires_at": in_minutes(-1), "reported_at": in_minutes(0)},
    "released": WAITING | {"released_at": in_minutes(0)},
    "taken": {},
    "not_covered": {"reported_at": in_minutes(0), "order_reference": "SH-2"},
}


@pytest.mark.parametrize("state", STATES)
def test_the_filter_finds_each_state_as_its_badge_names_it(root: Client, state: str) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    rows = {
        name: HoldFactory.create(package=package, taken=True, **facts)
        for name, facts in STATES.items()
    }

    page = root.get("/admin/xcover/hold/", {"state": state})

    assert [row.pk for row in page.context["cl"].result_list] == [rows[state].pk]
    assert rows[state].state == state
    assert f">{Hold.State(state).label}</span>" in page.content.decode()


def test_a_hold_shows_what_was_frozen_and_the_order_that_has_it(root: Client) -> None:
    hold = HoldFactory.create(
        package__order_reference="SH-1001", taken=True, amount=Decimal("7.89")
    )

    page = root.get(f"/admin/xcover/hold/{hold.pk}/change/").content.decode()

    assert "£7.89" in page
    assert f'href="{story_url("SH-1001")}"' in page
    assert hold.reference in page


def test_a_hold_without_a_package_is_shown_as_without_cover(root: Client) -> None:
    hold = HoldFactory.create(without_cover=True, taken_at=in_minutes(0), order_reference="SH-1001")

    assert "without cover" in root.get("/admin/xcover/hold/").content.decode()
    assert root.get(f"/admin/xcover/hold/{hold.pk}/change/").status_code == 200


@pytest.mark.parametrize("text", ["SH-1001", "SH-2"])
def test_a_hold_is_found_by_its_order(root: Client, text: str) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    rows = {
        "SH-1001": HoldFactory.create(package=package, taken=True),
        "SH-2": HoldFactory.create(package__order_reference="SH-2", taken=True),
    }

    page = root.get("/admin/xcover/hold/", {"q": text})

    assert [row.pk for row in page.context["cl"].result_list] == [rows[text].pk]


def test_the_orders_page_tells_what_was_frozen_and_charged_in_vain(root: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    charged = Decimal("7.89")
    HoldFactory.create(package=package, taken=True, amount=charged)
    HoldFactory.create(package=package, taken=True, amount=charged, **STATES["not_covered"])

    page = root.get(story_url("SH-1001")).content.decode()

    assert "£7.89 taken over by order SH-1001" in page
    assert "Order SH-2 was charged £7.89 but is not covered by this" in page


def test_the_page_of_a_hold_without_an_order_says_that_there_is_none(root: Client) -> None:
    """Of all holds these matter most: a premium was frozen, and nothing has become of it."""
    hold = HoldFactory.create(no_order=True)

    page = root.get(f"/admin/xcover/hold/{hold.pk}/change/")

    assert page.status_code == 200
    assert "no order came" in page.content.decode()
