"""The page of one policy."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.models import Quote, Status
from django_xcover.policies import modification
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import ModificationFactory
from tests.account.conftest import Member, page_of, text_of, the_policy, waits_for_a_person
from tests.checkout.page import Page
from tests.conftest import resolve_flags, work
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db
WAITS = "A change to your policy is waiting for you."
CANCEL = "Withdraw from contract here"


def links(page: Page) -> list[str]:
    return [link["href"] for link in page.all("a")]


def buttons(page: Page) -> list[str]:
    return [button.text for button in page.all("button")]


def test_cover_that_is_not_booked_offers_nothing_to_do_but_to_withdraw(ana: Member) -> None:
    ana.buys(now=False)

    page = ana.opens(page_of())

    assert "We're arranging your cover." in text_of(page)
    assert "Your documents appear here" not in text_of(page)
    assert [form["action"] for form in page.all("form")] == [page_of(rest="cancel/")]
    assert not [href for href in links(page) if "/documents/" in href and "certificate" in href]


def test_cover_that_somebody_looks_into_says_so(ana: Member) -> None:
    ana.buys(now=False)
    waits_for_a_person()

    assert "We're looking into it" in text_of(ana.opens(page_of()))


@pytest.mark.parametrize("how", ["null", "absent"])
def test_cover_that_was_left_out_of_its_booking_is_not_called_on_its_way(
    ana: Member, sandbox: Sandbox, how: str
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how=how)
    ana.buys()

    flagged = text_of(ana.opens(page_of()))
    resolve_flags(the_policy().package, note="Refunded")
    resolved = text_of(ana.opens(page_of()))

    assert "We're looking into it" in flagged
    assert "This cover wasn't booked." in resolved
    assert "being arranged" not in flagged + resolved


def test_cover_that_is_not_paid_proves_nothing_yet(ana: Member) -> None:
    ana.buys(paid=False)

    page = ana.opens(page_of())

    assert "when your payment arrives" in text_of(page)
    assert [form["action"] for form in page.all("form")] == [page_of(rest="cancel/")]
    assert not [href for href in links(page) if "certificate" in href]


def test_cover_that_failed_says_so(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(status=Status.FAILED)

    assert "This cover wasn't booked." in text_of(ana.opens(page_of()))


def test_cover_that_has_ended_can_be_claimed_on_and_not_cancelled(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(policy_end_date=datetime(2020, 1, 1, tzinfo=UTC))

    page = ana.opens(page_of())

    assert "Ended" in text_of(page)
    assert "Make a claim" in text_of(page)
    assert CANCEL not in buttons(page)


def test_what_xcover_would_not_cancel_can_be_looked_at_again(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(can_be_cancelled=False)

    page = ana.opens(page_of())

    assert "this policy can't be cancelled" in text_of(page)
    assert CANCEL in buttons(page)


def test_what_the_vendor_writes_cannot_become_markup(ana: Member) -> None:
    ana.buys()
    quote = the_policy()
    quote.label = "<script>alert(1)</script>"
    quote.payload["benefits"] = [{"description": "<b>All</b>", "limit_formatted": "<i>9</i>"}]
    quote.save()

    html = ana.opens(page_of()).html

    assert "<script>alert" not in html
    assert "<b>All" not in html
    assert "<i>9" not in html


def test_a_page_shows_the_policy_and_what_it_covers(ana: Member) -> None:
    ana.buys()
    quote = the_policy()

    page = ana.opens(page_of())

    shown = text_of(page)
    assert page.one("h1").text == "Harbour Lights Festival"
    for fact in ("Active", "June 20, 2030", quote.payload["price_formatted"], "ORD-1"):
        assert fact in shown
    assert quote.package.package_id in shown
    assert quote.payload["benefits"][0]["description"] in shown
    assert "Ana Rossi" in shown
    assert "ana@example.com" in shown


def test_documents_and_claim_lead_through_us(ana: Member) -> None:
    ana.buys()
    quote_id = the_policy().quote_id

    found = links(ana.opens(page_of()))

    for kind in ("certificate", "certificate-pdf", "wording", "claim"):
        assert f"/xcover/documents/{quote_id}/{kind}/" in found


def test_to_withdraw_is_reached_from_the_top_of_the_page(ana: Member) -> None:
    ana.buys()

    page = ana.opens(page_of())

    (jump,) = page.all("a", href="#cancel")
    assert jump.text == CANCEL
    assert page.one("section", id="cancel")
    assert CANCEL in buttons(page)


def test_only_the_policy_of_the_page_is_ticked_to_be_cancelled(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    tickets, device = Quote.objects.order_by("position")

    page = ana.opens(page_of(device))

    ticked = [box["value"] for box in page.all("input", type="checkbox") if "checked" in box]
    assert [box["value"] for box in page.all("input", type="checkbox")] == [
        device.quote_id,
        tickets.quote_id,
    ]
    assert ticked == [device.quote_id]


def test_a_policy_that_is_cancelled_is_not_offered_to_be_cancelled_along(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    tickets, device = Quote.objects.order_by("position")
    Quote.objects.filter(pk=device.pk).update(status=Status.CANCELLED)

    page = ana.opens(page_of(tickets))

    assert not page.all("input", type="checkbox")
    assert page.one("input", name="policies")["value"] == tickets.quote_id


def test_a_change_that_waits_is_announced(ana: Member) -> None:
    ana.buys()
    ModificationFactory.create(package=the_policy().package)

    assert WAITS in text_of(ana.opens(page_of()))


def test_a_change_of_one_policy_is_no_news_of_another(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    tickets, device = Quote.objects.select_related("package").order_by("position")
    modification.quote_change(
        device.package, quote=device, update_fields={"price": Decimal(1600)}, origin="staff"
    )

    assert WAITS in text_of(ana.opens(page_of(device)))
    assert WAITS not in text_of(ana.opens(page_of(tickets)))


def test_a_change_of_a_policy_that_was_cancelled_since_waits_for_nobody(ana: Member) -> None:
    ana.buys(laptop())
    policy = the_policy()
    modification.quote_change(
        policy.package, quote=policy, update_fields={"price": Decimal(1600)}, origin="staff"
    )
    Quote.objects.update(status=Status.CANCELLED)

    assert WAITS not in text_of(ana.opens(page_of()))


def test_a_change_that_xcover_refused_is_told_until_another_is_made(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys(ticket(), laptop())
    tickets, device = Quote.objects.select_related("package").order_by("position")
    change = modification.quote_change(
        device.package, quote=device, update_fields={"price": Decimal(1600)}, origin="staff"
    )
    modification.settle(change)
    sandbox.faults.add("confirm_modification", "status", status=422)
    work()

    page = ana.opens(page_of(device))
    assert "The insurer didn't make your change." in text_of(page)
    assert page.one("a", href=page_of(device, f"changes/{change.pk}/")).text == "See the change"
    assert "didn't make your change" not in text_of(ana.opens(page_of(tickets)))
    modification.change_details(device.package, {"phone": "+447700900999"}, origin="staff")
    work()
    assert "didn't make your change" not in text_of(ana.opens(page_of(device)))


def test_a_page_takes_few_queries_and_no_call(
    ana: Member, sandbox: Sandbox, django_assert_max_num_queries: Any
) -> None:
    ana.buys(ticket(), laptop())
    calls = len(sandbox.calls())

    with django_assert_max_num_queries(8):
        ana.gets(page_of(Quote.objects.all()[0]))

    assert len(sandbox.calls()) == calls


def test_every_page_has_one_first_heading_and_names_for_its_fields(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    quote = Quote.objects.order_by("position")[0]

    for path in ("/xcover/mycover/", page_of(quote), page_of(quote, "details/")):
        page = ana.opens(path)
        assert len(page.all("h1")) == 1
        ids = [item["id"] for item in page.elements if "id" in item]
        assert len(ids) == len(set(ids))
        labelled = {label.attributes.get("for") for label in page.all("label")}
        for field in page.all("input"):
            if field.attributes.get("type") not in {"hidden", "checkbox"}:
                assert field["id"] in labelled


def test_nothing_stands_in_the_page_that_a_strict_policy_forbids(ana: Member) -> None:
    ana.buys()

    page = ana.opens(page_of())

    assert all(script["src"] for script in page.all("script"))
    assert not page.all("style")
    assert not [item for item in page.elements if "style" in item or "onclick" in item]
