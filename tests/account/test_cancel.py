"""Cancelling on the shopper's pages: what comes back, the shopper's word, the wait, the outcome."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    Quote,
    Status,
    Withdrawal,
)
from django_xcover.policies import cancellation
from django_xcover.policies.cancellation import requests
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.account.conftest import Member, page_of, text_of, the_policy
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db
State = Cancellation.State


def previews(member: Member, *quotes: Quote, reason: str = "") -> Any:
    """Return the response to the form on a policy's page."""
    wanted = quotes or (the_policy(),)
    ids = [quote.quote_id for quote in wanted]
    return member.posts(page_of(wanted[0], "cancel/"), policies=ids, reason=reason)


def the_cancellation() -> Cancellation:
    return Cancellation.objects.get()


def confirms(member: Member) -> Any:
    return member.posts(address("confirm/"))


def address(rest: str = "") -> str:
    found = the_cancellation()
    quote = found.quotes.order_by("position")[0]
    return page_of(quote, f"cancellations/{found.pk}/{rest}")


def refusal(response: Any) -> str:
    """Return the one sentence that says what is wrong."""
    (error,) = Page(response.content).errors
    return error


# What is refused


@pytest.mark.parametrize("policies", [[], ["no-such-policy"]])
def test_a_form_that_names_no_policy_of_the_booking_is_asked_again(
    ana: Member, sandbox: Sandbox, policies: list[str]
) -> None:
    ana.buys()

    response = ana.posts(page_of(rest="cancel/"), policies=policies)

    assert response.status_code == 400
    assert refusal(response).startswith("Please choose")
    assert sandbox.calls("cancel_booking") == []


def test_another_shoppers_policy_is_not_cancelled_along(
    ana: Member, bob: Member, sandbox: Sandbox
) -> None:
    ana.buys(reference="ORD-1")
    bob.buys(reference="ORD-2")
    hers, his = Quote.objects.order_by("pk")

    response = ana.posts(page_of(hers, "cancel/"), policies=[hers.quote_id, his.quote_id])

    assert response.status_code == 400
    assert not Cancellation.objects.exists()
    assert sandbox.calls("cancel_booking") == []


def test_a_card_number_typed_as_the_reason_is_refused_and_not_kept(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys()

    response = previews(ana, reason="refund to 4242 4242 4242 4242")

    assert response.status_code == 400
    assert refusal(response) == "Please never send card numbers here. Nothing was saved."
    assert not Cancellation.objects.exists()
    assert sandbox.calls("cancel_booking") == []


def test_what_xcover_lets_nobody_cancel_is_withdrawn_from_all_the_same(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys()
    sandbox.faults.add("cancel_booking", "status", times=None, status=422)

    previews(ana)
    confirms(ana)
    work()
    page = text_of(ana.opens(address()))

    assert Withdrawal.objects.get().cancellation == the_cancellation()
    assert the_cancellation().state == State.REFUSED
    assert the_package().attention == Attention.CANCELLATION_REFUSED
    assert "We received your statement on" in page
    assert "are looking into it" in page


def test_a_policy_that_is_cancelled_already_says_so(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(status=Status.CANCELLED)

    response = previews(ana)

    assert response.status_code == 409
    assert refusal(response) == "This cover has already been cancelled."


def test_a_preview_that_is_too_old_is_not_confirmed(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()
    previews(ana)
    Cancellation.objects.update(confirm_before=timezone.now() - timedelta(seconds=1))

    response = confirms(ana)

    assert response.status_code == 409
    assert "no longer valid" in refusal(response)
    assert "Your cover continues" in text_of(Page(response.content))
    assert not Operation.objects.filter(kind=OperationKind.CANCEL).exists()


def test_xcovers_refusal_of_the_cancellation_itself_is_told(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()
    previews(ana)
    sandbox.faults.add("confirm_cancellation", "status", times=None, status=422)
    confirms(ana)
    work()

    page = ana.opens(address())

    assert page.one("h1").text == "Your cover wasn't cancelled"
    assert "cannot be cancelled" in text_of(page)
    assert "didn't accept" in text_of(ana.opens(page_of()))


def test_a_cancellation_that_came_too_late_is_told_and_a_preview_nobody_confirmed_is_not(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys()
    previews(ana)
    cancellation.request(the_cancellation())
    Cancellation.objects.update(confirm_before=timezone.now() - timedelta(hours=1))
    sandbox.faults.add("confirm_cancellation", "status", status=422)
    work()
    leads_to = address()
    assert the_cancellation().state == State.EXPIRED
    previews(ana)
    Cancellation.objects.filter(state=State.PREVIEWED).update(state=State.EXPIRED)

    page = ana.opens(page_of())

    assert "didn't accept your cancellation, so your cover continues" in text_of(page)
    assert leads_to in [link.attributes.get("href") for link in page.all("a")]


@pytest.mark.parametrize("path", ["cancel/", "cancellations/1/confirm/"])
def test_nothing_is_cancelled_by_a_link(ana: Member, path: str) -> None:
    ana.buys()

    assert ana.gets(page_of(rest=path)).status_code == 405


def test_nothing_is_cancelled_by_another_site(ana: Member) -> None:
    ana.buys()
    previews(ana)
    ana.client.handler.enforce_csrf_checks = True

    assert previews(ana).status_code == 403
    assert confirms(ana).status_code == 403
    assert the_cancellation().state == State.PREVIEWED


# How it goes


def test_a_preview_shows_what_comes_back_and_until_when_before_anything_happens(
    ana: Member,
) -> None:
    ana.buys()

    response = previews(ana)

    assert response.status_code == 303
    assert response["Location"] == address()
    page = ana.opens(address())
    assert the_policy().status == Status.CONFIRMED
    assert the_policy().payload["price_formatted"] in text_of(page)
    assert "you can withdraw without giving a reason until" in text_of(page)
    assert "This refund is valid until" in text_of(page)


def test_no_transaction_is_held_while_xcover_is_asked(
    ana: Member, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    ana.buys()
    asked: list[bool] = []
    depth = len(connection.savepoint_ids)
    real = requests.preview

    def preview(*args: Any, **kwargs: Any) -> Cancellation:
        asked.append(len(connection.savepoint_ids) == depth)
        return real(*args, **kwargs)

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(requests, "preview", preview)
    previews(ana)

    assert asked == [True]


def test_to_confirm_and_to_keep_the_cover_weigh_the_same(ana: Member) -> None:
    ana.buys()
    previews(ana)

    page = ana.opens(address())

    confirm, keep = (
        item for item in page.elements if item.attributes.get("class") == "xcover-button"
    )
    assert (confirm.text, keep.text) == ("Confirm withdrawal", "Keep the cover")


def test_after_the_cooling_off_period_it_is_a_cancellation(ana: Member) -> None:
    ana.buys()
    previews(ana)
    lines = the_cancellation().lines
    lines[0]["cooling_off_until"] = "2020-01-01T00:00:00Z"
    Cancellation.objects.update(lines=lines)

    page = ana.opens(address())

    assert page.one("h1").text == "Cancel your cover"
    assert "the cooling-off period ended on" in text_of(page)
    assert "Confirm cancellation" in [button.text for button in page.all("button")]


def test_a_confirmed_cancellation_is_waited_for_and_then_told(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys()
    previews(ana)

    assert confirms(ana)["Location"] == address()
    waiting = ana.opens(address())
    work()
    done = ana.opens(address())

    assert waiting.one("h1").text == "Your cover is being cancelled"
    assert done.one("h1").text == "Your cover is cancelled"
    assert "The refund goes to the payment method you used." in text_of(done)
    assert sandbox.package(the_package().package_id)["status"] == "CANCELLED"


def test_a_page_refreshes_itself_only_while_something_is_under_way(ana: Member) -> None:
    ana.buys()
    previews(ana)
    before = refreshes(ana.opens(address()))
    confirms(ana)
    waiting = refreshes(ana.opens(address()))
    Operation.objects.filter(kind=OperationKind.CANCEL).update(state="needs_person")
    stuck = ana.opens(address())
    Operation.objects.filter(kind=OperationKind.CANCEL).update(state="pending")
    work()

    assert (before, waiting, refreshes(stuck)) == (False, True, False)
    assert "We're looking into it" in text_of(stuck)
    assert not refreshes(ana.opens(address()))


def test_a_confirmation_sent_twice_cancels_once(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()
    previews(ana)

    first, second = confirms(ana), confirms(ana)
    work()
    third = confirms(ana)

    assert {first["Location"], second["Location"], third["Location"]} == {address()}
    assert len(sandbox.calls("confirm_cancellation")) == 1


def test_two_previews_confirmed_cancel_once(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()
    previews(ana)
    previews(ana)
    older, newer = Cancellation.objects.order_by("pk")

    first = ana.posts(page_of(rest=f"cancellations/{older.pk}/confirm/"))
    second = ana.posts(page_of(rest=f"cancellations/{newer.pk}/confirm/"))
    work()

    assert (first.status_code, second.status_code) == (303, 303)
    assert second["Location"] == first["Location"]
    assert len(sandbox.calls("confirm_cancellation")) == 1


def test_one_of_two_policies_is_cancelled_and_the_other_goes_on(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    tickets, device = Quote.objects.order_by("position")

    previews(ana, device)
    confirms(ana)
    work()

    tickets.refresh_from_db()
    device.refresh_from_db()
    assert (tickets.status, device.status) == (Status.CONFIRMED, Status.CANCELLED)


def test_both_policies_are_cancelled_together_and_each_refund_is_shown(ana: Member) -> None:
    ana.buys(ticket(), laptop())

    previews(ana, *Quote.objects.order_by("position"))

    page = ana.opens(address())
    refunds = [item.text for item in page.all("dt")][:2]
    assert refunds == ["Harbour Lights Festival", "Aero 14"]
    confirms(ana)
    work()
    assert the_package().status == Status.CANCELLED


def test_a_refund_that_xcover_has_not_named_is_not_called_none(ana: Member) -> None:
    ana.buys()
    previews(ana)
    confirms(ana)
    work()
    Cancellation.objects.update(total_refund=None)

    shown = text_of(ana.opens(address()))

    assert "There's nothing to refund" not in shown
    assert "how much your refund is" in shown


def test_the_refund_the_shop_has_made_is_told(ana: Member) -> None:
    ana.buys()
    previews(ana)
    confirms(ana)
    work()
    refund = the_cancellation().refund
    assert refund is not None

    cancellation.record_refund(the_cancellation(), Money(refund.amount, refund.currency))

    assert "We've refunded" in text_of(ana.opens(address()))


def test_the_reason_reaches_xcover_and_no_log(
    ana: Member, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    ana.buys()

    with caplog.at_level(logging.DEBUG):
        previews(ana, reason="My sister fell ill")

    assert the_cancellation().reason == "My sister fell ill"
    assert "sister" not in caplog.text


def test_the_list_and_the_policy_say_that_it_is_being_cancelled(ana: Member) -> None:
    ana.buys()
    previews(ana)
    confirms(ana)

    assert "Being cancelled" in text_of(ana.opens("/xcover/mycover/"))
    page = ana.opens(page_of())
    assert "This policy is being cancelled." in text_of(page)
    assert not page.all("form")


def refreshes(page: Page) -> bool:
    return any(meta.attributes.get("http-equiv") == "refresh" for meta in page.all("meta"))
