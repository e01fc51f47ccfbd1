"""The list of a shopper's policies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from django_xcover.adapters import ShopAdapter
from django_xcover.models import Quote, QuotePackage, Status
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import InstalmentFactory, RenewalFactory
from tests import completion
from tests.account.conftest import Member, page_of, text_of, the_policy, waits_for_a_person
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.shop import SHOP, laptop, ticket

pytestmark = pytest.mark.django_db
LIST = "/xcover/mycover/"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def badges(page: Page) -> list[str]:
    return [span.text for span in page.all("span") if "xcover-badge" in span.attributes["class"]]


def test_nobody_elses_policies_are_listed(ana: Member, bob: Member) -> None:
    ana.buys()

    page = bob.opens(LIST)

    assert "You have no cover yet" in text_of(page)
    assert "Harbour" not in page.html


def test_an_order_reference_that_is_empty_finds_no_quote_without_an_order(
    ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.buys()
    QuotePackage.objects.update(order_reference="")
    monkeypatch.setattr("tests.shop.Adapter.get_orders", lambda self, request: [""])

    assert "You have no cover yet" in text_of(ana.opens(LIST))


def test_a_shop_that_lists_no_orders_lists_no_policies(rf: Any) -> None:
    assert tuple(ShopAdapter().get_orders(rf.get("/"))) == ()


def test_declined_cover_is_not_listed(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(status=Status.RECEIVED, choice="declined")

    assert "You have no cover yet" in text_of(ana.opens(LIST))


@pytest.mark.parametrize("page", ["0", "-1", "two", "9" * 30, "\u0662"])
def test_a_page_number_that_is_none_shows_the_first(ana: Member, page: str) -> None:
    ana.buys()

    assert "Harbour Lights Festival" in text_of(ana.opens(f"{LIST}?page={page}"))


def test_the_list_is_only_ever_read(ana: Member) -> None:
    assert ana.posts(LIST).status_code == 405


def test_no_cache_keeps_the_list(ana: Member) -> None:
    response = ana.gets(LIST)

    assert "no-store" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


def test_a_policy_is_listed_with_what_it_insures_its_period_and_its_price(ana: Member) -> None:
    ana.buys()

    page = ana.opens(LIST)

    (link,) = [item for item in page.all("a") if item["href"] == page_of()]
    assert link.text == "Harbour Lights Festival"
    shown = text_of(page)
    assert badges(page) == ["Active"]
    assert the_policy().payload["price_formatted"] in shown
    assert "June 20, 2030" in shown
    assert "ORD-1" in shown


def test_cover_that_is_not_booked_yet_says_so(ana: Member) -> None:
    ana.buys(now=False)

    assert badges(ana.opens(LIST)) == ["Being arranged"]
    waits_for_a_person()
    assert badges(ana.opens(LIST)) == ["Being looked into"]


def test_cover_that_is_paid_is_not_said_to_wait_for_the_payment(
    ana: Member, sandbox: Sandbox
) -> None:
    order = ana.buys(paid=False)
    completion.complete(order, None, paid=True)

    before = badges(ana.opens(LIST))
    sandbox.faults.add("confirm_booking", "status", status=422)
    work()

    assert before == ["Being arranged"]
    assert badges(ana.opens(LIST)) == ["Being looked into"]


def test_cover_that_is_not_paid_yet_says_so(ana: Member) -> None:
    ana.buys(paid=False)

    assert badges(ana.opens(LIST)) == ["Waiting for your payment"]


@pytest.mark.parametrize(
    ("facts", "badge"),
    [
        ({"policy_end_date": LONG_AGO}, "Ended"),
        ({"policy_start_date": datetime(2029, 1, 1, tzinfo=UTC)}, "Starts later"),
        ({"status": Status.CANCELLED}, "Cancelled"),
        ({"status": Status.RENEWED, "policy_end_date": LONG_AGO}, "Renewed"),
        ({"status": Status.RENEWED}, "Active"),
        ({"status": Status.FAILED}, "Not booked"),
        ({"status": Status.EXPIRED}, "Not booked"),
        ({"status": "ON_HOLD"}, "Being looked into"),
    ],
)
def test_a_policy_says_how_it_stands(ana: Member, facts: dict[str, Any], badge: str) -> None:
    ana.buys()
    Quote.objects.update(**facts)

    assert badges(ana.opens(LIST)) == [badge]


def test_the_page_of_a_policy_whose_status_is_unknown_does_not_call_it_unbooked(
    ana: Member,
) -> None:
    ana.buys()
    Quote.objects.update(status="ON_HOLD")

    page = text_of(ana.opens(page_of()))

    assert "We're checking the status of your cover with the insurer." in page
    assert "isn't booked" not in page


def test_what_is_over_stands_below_what_is_not(ana: Member) -> None:
    ana.buys(ticket("past"), laptop())
    Quote.objects.filter(line_reference="past").update(status=Status.CANCELLED)

    headings = [heading.text for heading in ana.opens(LIST).all("h2")]

    assert headings == ["Current cover", "Past cover"]


def test_a_renewal_with_a_price_is_announced(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(is_renewable=True)
    RenewalFactory.create(package=the_package(), due_on=timezone.now())

    assert badges(ana.opens(LIST)) == ["Active", "Can be renewed"]


def test_an_overdue_payment_is_announced(ana: Member) -> None:
    ana.buys()
    InstalmentFactory.create(quote=the_policy(), overdue=True)

    assert badges(ana.opens(LIST)) == ["Active", "Payment overdue"]


def make_policies(count: int) -> None:
    """Copy the one policy there is into bookings of orders of their own."""
    package, quote = the_package(), the_policy()
    for number in range(2, count + 1):
        SHOP.order(f"ORD-{number}", owner="ana")
        package.pk, package.package_id = None, f"INS-{number}"
        package.order_reference = f"ORD-{number}"
        package.save()
        quote.pk, quote.quote_id, quote.package = None, f"quote-{number}", package
        quote.label = f"Concert {number}"
        quote.save()


def test_fifty_policies_take_one_query_more_than_the_shops_own(
    ana: Member, django_assert_num_queries: Any
) -> None:
    ana.buys()
    make_policies(50)

    with django_assert_num_queries(1):  # this shop keeps no orders in tables, and no session
        page = ana.opens(LIST)

    assert len(page.all("article")) == 50
    assert not page.all("nav")


def test_more_than_fifty_go_on_over_the_page(ana: Member) -> None:
    ana.buys()
    make_policies(51)

    first, second = ana.opens(LIST), ana.opens(f"{LIST}?page=2")

    assert [len(page.all("article")) for page in (first, second)] == [50, 1]
    assert first.all("a", rel="next")
    assert second.all("a", rel="prev")
    assert not second.all("a", rel="next")
