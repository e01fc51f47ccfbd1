"""Which orders are offered cover after the sale."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_xcover import payments
from django_xcover.client import exact_json
from django_xcover.clients import circuit_breaker
from django_xcover.cover import freeze_cover
from django_xcover.mirror import request_bodies
from django_xcover.models import OfferOutcome, OfferPlacement, QuotePackage
from django_xcover.offers import after_sale, after_sale_quotes, counts
from django_xcover.policy_requests import event_ticket
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import AfterSaleOfferFactory, OrderEventFactory
from django_xcover.types import QuoteRequest
from tests.after_sale.conftest import DAYS, Late, PayingAdapter, the_row
from tests.conftest import work
from tests.shop import ANA, laptop, ticket

pytestmark = pytest.mark.django_db


def asked(sandbox: Sandbox) -> int:
    return len(sandbox.calls("fast_quote"))


def soon(reference: str = "ticket") -> Any:
    """Return tickets to an event that begins within the week."""
    return event_ticket(
        reference=reference,
        label="Harbour Lights Festival",
        event_name="Harbour Lights Festival",
        event_datetime=timezone.now() + timedelta(days=2),
        event_country="GB",
        number_of_tickets=2,
        tickets=[ticket().fields["tickets"][0]["price"]] * 2,  # type: ignore[index]
    )


@pytest.mark.parametrize("days", [0, None])
def test_without_the_setting_nothing_is_offered_asked_or_read(
    late: Late, sandbox: Sandbox, settings: Any, days: int | None
) -> None:
    late.orders()
    settings.XCOVER = {key: v for key, v in settings.XCOVER.items() if key != "AFTER_SALE_DAYS"}
    if days is not None:
        settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": days}

    with CaptureQueriesContext(connection) as queries:
        assert late.sees() is None

    assert len(queries) == 0
    assert asked(sandbox) == 0


def test_an_order_that_was_not_completed_is_not_offered_cover(late: Late, sandbox: Sandbox) -> None:
    assert late.sees() is None
    assert asked(sandbox) == 0


def test_an_order_with_cover_is_not_offered_more(late: Late) -> None:
    late.orders(yes=True)

    assert late.sees() is None


def test_an_order_whose_cover_was_cancelled_is_not_asked_again(late: Late) -> None:
    late.orders(yes=True)
    late.cancels()
    work()

    assert late.sees() is None


def test_a_cancelled_order_is_not_offered_cover(late: Late) -> None:
    late.orders()
    late.cancels()

    assert late.sees() is None


def test_a_cancelled_line_is_not_offered_but_the_others_are(late: Late) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(ticket(), laptop()))
    late.shopper.says(yes=False, line=0)
    late.orders()
    assert late.sees() is not None

    late.cancels("ticket")

    after = late.sees()
    assert after is not None
    assert [quote.label for quote in after.offer.quotes] == ["Aero 14"]


def test_an_order_that_waits_to_be_settled_is_not_offered_cover(late: Late) -> None:
    late.orders()
    OrderEventFactory.create(paid=True, order_reference="ORD-1")

    assert late.sees() is None


def test_an_order_that_is_not_paid_is_not_distracted_from_paying(late: Late) -> None:
    late.orders()
    PayingAdapter.paid = False

    assert late.sees() is None


def test_an_order_charged_for_cover_that_it_did_not_get_is_left_to_a_person(
    late: Late, request_for: Any
) -> None:
    late.shopper.says(yes=True)
    freeze_cover(request_for(late.shopper.cart))
    QuotePackage.objects.update(status="EXPIRED")
    late.orders(yes=None)

    assert late.sees() is None


def test_the_offer_ends_after_its_days(late: Late) -> None:
    late.orders()

    with time_machine.travel(timezone.now() + timedelta(days=DAYS, seconds=1)):
        assert late.sees() is None


@pytest.mark.parametrize("is_stored", [True, False])
def test_the_offer_ends_when_the_event_begins(late: Late, is_stored: bool) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(soon(),))
    late.orders()
    with time_machine.travel(timezone.now() + timedelta(days=1, hours=23, minutes=50)):
        assert not is_stored or late.sees() is not None

    with time_machine.travel(timezone.now() + timedelta(days=2, seconds=1)):
        assert late.sees() is None


def test_a_period_that_began_with_the_order_begins_with_the_booking(late: Late) -> None:
    now = timezone.now()
    late.shopper.cart = late.shopper.cart.but(items=(replace(laptop(), policy_start_date=now),))
    late.orders()

    with time_machine.travel(now + timedelta(days=1)):
        assert late.sees() is not None

    [item] = after_sale.request_of(the_row()).items
    assert item.policy_start_date is None


def test_a_period_that_has_begun_since_the_order_is_not_offered(late: Late) -> None:
    starts = timezone.now() + timedelta(days=1)
    late.shopper.cart = late.shopper.cart.but(items=(replace(laptop(), policy_start_date=starts),))
    late.orders()

    with time_machine.travel(starts + timedelta(hours=1)):
        assert late.sees() is None


@pytest.mark.parametrize("fault", ["status", "reset", "garbage", "throttle"])
def test_a_fault_of_xcovers_is_no_offer_and_is_counted(
    late: Late, sandbox: Sandbox, fault: str
) -> None:
    late.orders()
    sandbox.faults.add("fast_quote", fault, times=None)

    assert late.sees() is None

    since = timezone.now() - timedelta(hours=1)
    lost = counts.counts_since("default", since, OfferPlacement.AFTER_SALE)
    assert sum(lost.values()) == 1
    assert OfferOutcome.OFFERED not in lost
    assert counts.counts_since("default", since) == {OfferOutcome.OFFERED: 1}


def test_while_the_circuit_is_open_nothing_is_asked(
    late: Late, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    late.orders()
    monkeypatch.setattr(circuit_breaker, "is_open", lambda account: True)

    assert not after_sale_quotes.look_on_page(late.request, late.order).is_waiting
    assert late.sees() is None
    assert asked(sandbox) == 0


def test_what_xcover_refused_is_not_asked_for_on_every_page(late: Late, sandbox: Sandbox) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(laptop(),))
    late.orders()
    dear = replace(laptop(), fields={**laptop().fields, "price": 900_000})
    PayingAdapter.wanted = staticmethod(lambda quoted: replace(quoted, items=(dear,)))

    assert late.sees() is late.sees() is None
    assert asked(sandbox) == 1


def test_a_visitor_who_asked_for_too_many_prices_is_limited(late: Late, settings: Any) -> None:
    late.orders()
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 0}

    assert after_sale_quotes.look(late.request, late.order).is_limited is True


def test_a_failing_adapter_costs_the_page_nothing(
    late: Late, caplog: pytest.LogCaptureFixture
) -> None:
    late.orders()

    def fails(quoted: QuoteRequest) -> QuoteRequest:
        raise ValueError(ANA.email)

    PayingAdapter.wanted = staticmethod(fails)

    assert late.sees() is None
    assert "could not be read for an offer after the sale" in caplog.text
    assert ANA.email not in caplog.text


def test_a_shop_may_offer_nothing(late: Late) -> None:
    late.orders()
    PayingAdapter.wanted = staticmethod(lambda quoted: None)

    assert late.sees() is None


def test_an_order_without_an_offer_at_the_checkout_is_offered_what_the_shop_names(
    late: Late, request_for: Any, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_quote", "reset", times=None)
    freeze_cover(request_for(late.shopper.cart))
    late.orders(yes=None)
    assert late.sees() is None

    PayingAdapter.wanted = staticmethod(
        lambda quoted: QuoteRequest(
            currency="GBP", customer_country="GB", customer_language="en", items=(ticket(),)
        )
    )

    assert not QuotePackage.objects.exists()
    assert late.sees() is not None


@pytest.mark.parametrize("yes", [False, None])
def test_a_shopper_who_declined_or_did_not_answer_sees_the_same_goods_priced(
    late: Late, yes: bool | None
) -> None:
    if yes is None:
        late.shopper.sees()
    late.orders(yes=yes)

    seen = late.sees()

    assert seen is not None
    assert [quote.label for quote in seen.offer.quotes] == ["Harbour Lights Festival"]
    assert seen.choice == ""
    quoted = request_bodies.load_request(QuotePackage.objects.get().quoted_request)
    assert quoted is not None
    assert after_sale.request_of(the_row()) == quoted
    wire = [json.loads(exact_json.encode(one.fields)) for one in (quoted.items[0], ticket())]
    assert wire[0] == wire[1]


def test_an_offer_is_asked_for_once_an_hour(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    late.sees()
    late.sees()
    assert asked(sandbox) == 1

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert late.sees() is not None
    assert asked(sandbox) == 2


def test_the_page_reads_a_stored_offer_with_three_queries_and_the_first_with_few(
    late: Late,
) -> None:
    late.orders()
    with CaptureQueriesContext(connection) as first:
        assert after_sale_quotes.look_on_page(late.request, late.order).is_waiting
    late.sees()

    with CaptureQueriesContext(connection) as stored:
        assert after_sale_quotes.look_on_page(late.request, late.order).late is not None

    assert len(first) == 5
    assert len(stored) == 3


def test_what_was_quoted_is_only_kept_for_shops_that_offer_cover_after_the_sale(
    late: Late, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": 0}
    late.orders()

    assert QuotePackage.objects.get().quoted_request == ""


def test_the_row_of_the_factory_is_shown_like_any_other(late: Late) -> None:
    late.orders()
    AfterSaleOfferFactory.create(order_reference="ORD-1", accepted=True)

    seen = late.sees()

    assert seen is not None
    assert seen.premium == seen.offer.quotes[0].price
    assert payments.of_after_sale(seen.row) is not None


def test_the_offer_keeps_no_row_until_there_is_one(late: Late) -> None:
    late.orders()
    after_sale_quotes.look_on_page(late.request, late.order)
    late.sees()

    row = the_row()
    assert (row.choice, row.premium, row.revision) == ("", None, 1)
    assert row.completed_at <= datetime.now(UTC)
