"""Renewing on the shopper's pages: the price, paying at the shop, or letting the cover end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_xcover import payments
from django_xcover.client import XCoverClient
from django_xcover.clients import factory
from django_xcover.cover import order_cover
from django_xcover.exceptions import RenewalPriceChanged
from django_xcover.formats import format_amount
from django_xcover.mirror import refresh
from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    Renewal,
    Status,
)
from django_xcover.policies import cancellation
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import QuoteFactory, RenewalFactory
from django_xcover.types import Due
from tests.account.conftest import Member, page_of, text_of
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.policies.renewal.conftest import BOUGHT, ENDS, required, yearly
from tests.shop import SHOP, laptop, ticket

pytestmark = pytest.mark.django_db
State = Renewal.State


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the time for shop and sandbox."""
    with time_machine.travel(BOUGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def due(clock: time_machine.Traveller, ana: Member) -> Renewal:
    """Return the renewal of Ana's laptop's cover, which ends in twenty days."""
    ana.buys(yearly())
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    return renewal


@pytest.fixture
def quoted(due: Renewal) -> Renewal:
    """Return it with its price."""
    return renewing.quote(due)


@pytest.fixture
def pays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shop have a page to pay on."""

    def url(self: object, request: object, due: Due) -> str:
        return f"/pay/{due.kind}/{due.reference}/"

    monkeypatch.setattr("tests.shop.Adapter.get_payment_url", url, raising=False)


def first() -> Quote:
    """Return the policy that was bought."""
    return Quote.objects.order_by("pk")[0]


def the_renewal() -> Renewal:
    return Renewal.objects.get()


def address(rest: str = "") -> str:
    return page_of(first(), f"renewals/{the_renewal().pk}/{rest}")


def errors(response: Any) -> list[str]:
    return Page(response.content).errors


def pay(renewal: Renewal) -> None:
    found = payments.find("renewal", str(renewal.pk))
    assert found is not None
    payments.record_payment(found, reference="pay-1")


# What is refused


def test_while_xcover_does_not_answer_there_is_no_price_and_nothing_is_lost(
    ana: Member, due: Renewal, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_for_renewal", "status", times=None, status=503)

    response = ana.posts(address("price/"))

    assert response.status_code == 503
    assert errors(response)[0].startswith("We can't reach the insurer at the moment.")
    assert the_renewal().state == State.DUE


def test_what_xcover_does_not_renew_is_said(ana: Member, due: Renewal, sandbox: Sandbox) -> None:
    sandbox.faults.add("quote_for_renewal", "status", status=422)

    response = ana.posts(address("price/"))

    assert response.status_code == 409
    assert errors(response) == [
        "XCover does not renew this cover. It ends with its present period."
    ]


def test_a_renewal_that_is_paid_is_not_declined(ana: Member, quoted: Renewal) -> None:
    pay(quoted)

    response = ana.posts(address("decline/"))

    assert response.status_code == 409
    assert errors(response) == ["This renewal has been paid already. To end the cover, cancel it."]


def test_a_renewal_that_is_over_says_so(ana: Member, quoted: Renewal) -> None:
    Renewal.objects.update(state=State.EXPIRED)

    response = ana.posts(address("decline/"))

    assert response.status_code == 409
    assert errors(response) == ["This cover can no longer be renewed."]


def test_a_payment_that_waits_for_a_person_says_so(ana: Member, quoted: Renewal) -> None:
    pay(quoted)
    Operation.objects.filter(kind=OperationKind.RENEW).update(state=OperationState.NEEDS_PERSON)

    assert "We're looking into it" in text_of(ana.opens(address()))


def test_to_decline_is_asked_once_and_nothing_is_declined_by_a_link(
    ana: Member, quoted: Renewal
) -> None:
    page = ana.opens(address("decline/"))

    assert page.one("h1").text == "Let this cover end?"
    assert [button.text for button in page.all("button")] == ["Don't renew"]
    assert the_renewal().state == State.QUOTED
    assert ana.posts(address("decline/"))["Location"] == address()
    assert the_renewal().state == State.OPTING_OUT
    assert ana.gets(address("decline/"))["Location"] == address()


def test_what_is_declined_or_paid_is_due_no_more(quoted: Renewal) -> None:
    assert payments.find("renewal", str(quoted.pk)) is not None

    renewing.opt_out(quoted)

    assert payments.find("renewal", str(quoted.pk)) is None


def test_a_renewal_of_what_is_cancelled_is_due_no_more(quoted: Renewal) -> None:
    """Beat ends it once a day; until then nobody must be asked to pay for it."""
    cancellation.cancel_now(the_package(), origin=Cancellation.Origin.STAFF)
    work()

    assert the_renewal().state == State.QUOTED
    assert payments.find("renewal", str(quoted.pk)) is None


def test_a_price_that_has_changed_since_is_not_taken_as_paid(quoted: Renewal) -> None:
    due = payments.find("renewal", str(quoted.pk))
    assert due is not None
    Renewal.objects.update(price=1)

    with pytest.raises(RenewalPriceChanged):
        payments.record_payment(due)


# How it goes


def test_cover_that_ends_soon_says_so_and_its_price_is_asked_for(ana: Member, due: Renewal) -> None:
    assert "You can renew it, or let it end." in text_of(ana.opens(page_of(first())))

    response = ana.posts(address("price/"))

    assert (response.status_code, response["Location"]) == (303, address())
    shown = text_of(ana.opens(address()))
    assert "May 1, 2027 to May 1, 2028" in shown
    assert "Price of the new period" in shown


def test_to_pay_and_to_decline_weigh_the_same(
    ana: Member, quoted: Renewal, pays_here: None
) -> None:
    page = ana.opens(address())

    ways = [item for item in page.elements if item.attributes.get("class") == "xcover-button"]
    assert [way.text[:14] for way in ways] == ["Renew and pay ", "Don't renew"]
    assert ways[0]["href"] == f"/pay/renewal/{quoted.pk}/"


def test_what_becomes_of_a_payment_is_seen_on_the_renewals_page(
    ana: Member, quoted: Renewal
) -> None:
    due = payments.find("renewal", str(quoted.pk))
    assert due is not None
    pay(quoted)

    assert payments.page_url(due) == address()
    work()
    assert payments.page_url(due) == address()


def test_a_shop_that_collects_by_itself_says_so(ana: Member, quoted: Renewal) -> None:
    page = ana.opens(address())

    assert "We'll let you know how to pay." in text_of(page)
    (decline,) = (link for link in page.all("a") if link.text == "Don't renew")
    assert decline["href"] == address("decline/")
    assert not page.all("button")


def test_a_page_for_one_policy_names_every_policy_that_its_price_and_its_no_are_about(
    clock: time_machine.Traveller, ana: Member, pays_here: None
) -> None:
    ana.buys(yearly(), replace(yearly("second", price="900"), label="Aero 16"))
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    renewing.quote(renewal)

    pages = [page_of(first()), address(), address("decline/")]

    for shown in (text_of(ana.opens(page)) for page in pages):
        assert "Aero 14" in shown
        assert "Aero 16" in shown
    shares = [line.price for line in renewing.lines_of(renewal)]
    assert sum(share.amount for share in shares if share) == renewal.price
    for share in shares:
        assert share is not None
        assert format_amount(share) in text_of(ana.opens(address()))
    due = payments.find("renewal", str(renewal.pk))
    assert due is not None
    assert due.label == "Aero 14, Aero 16"


def test_details_that_count_for_all_policies_of_an_order_name_them(ana: Member) -> None:
    ana.buys(ticket(), laptop())

    shown = text_of(ana.opens(page_of(first(), "details/")))

    assert "Harbour Lights Festival" in shown
    assert "Aero 14" in shown


def test_a_paid_renewal_is_waited_for_and_then_told(
    ana: Member, quoted: Renewal, sandbox: Sandbox
) -> None:
    pay(quoted)
    waiting = ana.opens(address())
    work()
    done = ana.opens(address())

    assert "the insurer is confirming the new period" in text_of(waiting)
    assert "xcover-working" in waiting.html
    assert "Your cover continues." in text_of(done)
    statuses = [quote["status"] for quote in sandbox.package(the_package().package_id)["quotes"]]
    assert Status.CONFIRMED in statuses
    shown = text_of(ana.opens("/xcover/mycover/"))
    assert "May 1, 2027 to May 1, 2028" in shown


def test_a_renewed_policy_lets_the_next_period_speak_for_itself(
    ana: Member, quoted: Renewal
) -> None:
    pay(quoted)
    work()
    newest = Quote.objects.filter(status=Status.CONFIRMED).get()

    assert "This cover has been renewed." not in text_of(ana.opens(page_of(newest)))


def test_a_declined_renewal_is_told_to_xcover_once(
    ana: Member, quoted: Renewal, sandbox: Sandbox
) -> None:
    first_time, second_time = ana.posts(address("decline/")), ana.posts(address("decline/"))
    waiting = ana.opens(address())
    work()

    declined = text_of(ana.opens(address()))
    assert "New period of cover" not in declined
    assert "Price of the new period" not in declined
    assert first_time["Location"] == second_time["Location"] == address()
    assert "we're informing the insurer" in text_of(waiting)
    assert "You declined the renewal." in text_of(ana.opens(address()))
    assert "You declined the renewal." in text_of(ana.opens(page_of(first())))
    assert len(sandbox.calls("opt_out_of_renewal")) == 1


@pytest.mark.parametrize("told", [True, False])
def test_cover_that_was_renewed_although_it_was_declined_does_not_say_that_it_ends(
    ana: Member, quoted: Renewal, *, told: bool
) -> None:
    ana.posts(address("decline/"))
    client = factory.client_for("default")
    client.renewal_confirmation(
        the_package().package_id, quoted.renewal_id, required(quoted.payload)
    )
    refresh.refresh(the_package())
    if told:
        work()

    for page in (address(), page_of(first())):
        shown = text_of(ana.opens(page))
        assert "the insurer renewed your cover anyway" in shown
        assert "Your cover ends on" not in shown


def test_a_policy_that_is_never_renewed_speaks_of_no_renewal(ana: Member) -> None:
    ana.buys()
    RenewalFactory.create(package=the_package(), due=True, due_on=timezone.now())

    assert "Renewal" not in text_of(ana.opens(page_of()))


def renew_at_xcover(quoted: Renewal) -> None:
    """Let XCover make the next period."""
    client = factory.client_for("default")
    client.renewal_confirmation(
        the_package().package_id, quoted.renewal_id, required(quoted.payload)
    )


def answer_with(monkeypatch: pytest.MonkeyPatch, status: str, *, old: str = "RENEWED") -> None:
    """Let the booking show the first policy as `old`, and the next period in `status`."""
    get = XCoverClient.get_booking

    def changed(self: XCoverClient, package_id: str, **options: Any) -> Any:
        answer = get(self, package_id, **options)
        for quote in answer["quotes"]:
            quote["status"] = old if quote["id"] == first().quote_id else status
        return answer

    monkeypatch.setattr(XCoverClient, "get_booking", changed)


@pytest.mark.parametrize("old", ["RENEWED", "CONFIRMED"])
def test_a_new_period_in_a_status_that_xcover_does_not_document_is_shown_as_looked_into(
    ana: Member, quoted: Renewal, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    renew_at_xcover(quoted)
    answer_with(monkeypatch, "ON_HOLD", old=old)
    refresh.refresh(the_package())

    newest = Quote.objects.get(status="ON_HOLD")
    assert "May 1, 2027 to May 1, 2028" in text_of(ana.opens("/xcover/mycover/"))
    assert "checking the status of your cover" in text_of(ana.opens(page_of(newest)))
    assert the_package().attention == Attention.STATUS_UNEXPECTED


@pytest.mark.parametrize("old", ["RENEWED", "CONFIRMED"])
def test_a_new_period_whose_status_becomes_known_later_follows_the_old_one(
    ana: Member, quoted: Renewal, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    with monkeypatch.context() as patch:
        renew_at_xcover(quoted)
        answer_with(patch, "ON_HOLD", old=old)
        refresh.refresh(the_package())

    refresh.refresh(the_package())

    newest = Quote.objects.get(status=Status.CONFIRMED)
    assert (newest.choice, newest.line_reference) == ("accepted", first().line_reference)
    assert [policy.state for policy in order_cover(SHOP.orders["ORD-1"]).policies][1] == "upcoming"


def test_an_unanswered_offer_in_an_undocumented_status_is_no_policy(ana: Member) -> None:
    ana.buys()
    QuoteFactory.create(
        package=the_package(), status="ON_HOLD", line_reference="other", label="Never chosen"
    )

    assert "Never chosen" not in text_of(ana.opens("/xcover/mycover/"))
