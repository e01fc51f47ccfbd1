"""Where an offer is shown is noted once, and only where a shopper sees it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from django_xcover.models import QuotePackage
from django_xcover.offers import statistics
from tests.checkout.conftest import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_noted() -> Iterator[None]:
    statistics._shown.clear()
    yield
    statistics._shown.clear()


def placed() -> str | None:
    """Return where the only offer was shown, None for nowhere."""
    statistics.write()
    package = QuotePackage.objects.get()
    return package.placement if package.shown_at else None


def source_of(html: str) -> str:
    """Return the address that the script reads the offer from."""
    return html.partition('data-src="')[2].partition('"')[0].replace("&amp;", "&")


def test_an_offer_that_is_only_prepared_is_not_shown(visitor: Visitor) -> None:
    visitor.is_offered()
    visitor.opens("/xcover/offer/?prepare=1")

    assert placed() is None


def test_a_forged_name_of_a_place_is_not_kept(visitor: Visitor) -> None:
    visitor.is_offered()
    visitor.opens("/xcover/offer/?placement=everywhere:forged")

    assert placed() == ""


def test_the_script_repeats_the_name_that_the_tag_gives(visitor: Visitor) -> None:
    page = visitor.opens("/checkout/?placement=below+the+button")
    source = source_of(page.html)
    assert parse_qs(urlsplit(source).query)["placement"][0].startswith("below the button:")

    visitor.is_offered()
    visitor.opens(source)

    assert placed() == "below the button"


def test_an_offer_that_is_part_of_the_page_is_shown(visitor: Visitor) -> None:
    visitor.is_offered()
    visitor.opens("/checkout/?placement=above")

    assert placed() == "above"


def test_the_page_without_javascript_is_a_place_of_its_own(visitor: Visitor) -> None:
    visitor.is_offered()
    visitor.opens("/xcover/offer/page/")

    assert placed() == "page"
