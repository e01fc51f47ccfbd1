"""The numbers of offers in the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from django_xcover.testing.factories import OfferDayFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/xcover/offerday/"


def text_of(client: Client, query: str = "") -> str:
    """Return the sums above the list."""
    html = client.get(f"{LIST}{query}").content.decode()
    sums = html.partition('<dl class="xcover-numbers">')[2].partition("</dl>")[0]
    return " ".join(sums.replace("<dd>", " ").split())


def test_without_numbers_nothing_is_summed_up(viewer: Client) -> None:
    assert text_of(viewer) == ""


def test_the_list_says_what_it_adds_up_to(viewer: Client) -> None:
    OfferDayFactory.create(count=3)
    OfferDayFactory.create(count=1, declined=True)
    OfferDayFactory.create(count=2, no_offer=True)

    sums = text_of(viewer)

    assert "Offers shown</dt> 4<" in sums
    assert "Accepted</dt> 3 (75 %)<" in sums
    assert "No offer</dt> 2<" in sums


def test_the_sums_follow_the_filters(viewer: Client) -> None:
    OfferDayFactory.create(count=3)
    OfferDayFactory.create(count=5, day=timezone.localdate() - timedelta(days=10))
    OfferDayFactory.create(count=7, placement="cart")

    assert "Offers shown</dt> 15<" in text_of(viewer)
    assert "Offers shown</dt> 10<" in text_of(viewer, "?days=7")
    assert "Offers shown</dt> 7<" in text_of(viewer, "?q=cart")
    assert "Offers shown</dt> 15<" in text_of(viewer, "?days=nonsense")
