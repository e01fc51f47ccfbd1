"""Withdrawing on the pages: by a known shopper, and by a guest with a link and no session."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from django_xcover.models import Cancellation, Operation, OperationKind, Quote, Status, Withdrawal
from django_xcover.policies import withdrawal
from django_xcover.sandbox import Sandbox
from tests.account.conftest import Member, page_of, text_of, the_policy
from tests.account.test_cancel import address, confirms, previews, the_cancellation
from tests.checkout.page import Page
from tests.conftest import work
from tests.shop import Adapter, laptop, ticket

pytestmark = pytest.mark.django_db
State = Cancellation.State


@pytest.fixture
def guest(ana: Member) -> Client:
    """Return a browser without a session, after Ana has bought."""
    ana.buys()
    return Client()


def link(rest: str = "", order: str = "ORD-1") -> str:
    return f"{withdrawal.link_path(order)}{rest}"


def states(guest: Client, **fields: str) -> Any:
    """Go both steps by the link and return the last response."""
    first = guest.post(link(), {"policies": [the_policy().quote_id]})
    return guest.post(f"{first['Location']}confirm/", fields)


def is_down(sandbox: Sandbox) -> None:
    for call in ("cancel_booking", "confirm_cancellation", "get_booking"):
        sandbox.faults.add(call, "status", times=None, status=503)


# My cover


def test_while_xcover_is_down_the_page_confirms_that_the_statement_has_arrived(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys()
    is_down(sandbox)

    asked = ana.opens(previews(ana)["Location"])
    confirms(ana)
    page = text_of(ana.opens(address()))

    assert "can't give us your refund amount" in text_of(asked)
    assert "Harbour Lights Festival" in text_of(asked)
    assert "Confirm withdrawal" in [button.text for button in asked.all("button")]
    assert "We received your statement on" in page
    assert the_policy().quote_id in page
    assert "You'll get a receipt by e-mail." in page


def test_the_refund_is_on_the_page_when_it_is_known(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()
    is_down(sandbox)
    previews(ana)
    confirms(ana)
    sandbox.faults.clear()
    work()

    page = text_of(ana.opens(address()))

    assert "Your cover is cancelled" in page
    assert the_policy().payload["price_formatted"] in page
    assert "We received your statement on" in page


def test_who_states_it_and_where_the_receipt_goes_can_be_changed(ana: Member) -> None:
    ana.buys()
    page = ana.opens(previews(ana)["Location"])

    assert page.one("input", name="email")["value"] == "ana@example.com"
    ana.posts(address("confirm/"), name="A. Costa", email="other@example.net")

    stated = Withdrawal.objects.get()
    assert (stated.name, stated.email) == ("A. Costa", "other@example.net")


def test_an_address_that_is_none_is_asked_for_again_and_nothing_is_stated(ana: Member) -> None:
    ana.buys()
    previews(ana)

    response = ana.posts(address("confirm/"), name="Ana", email="not an address")

    assert response.status_code == 400
    assert "valid email" in text_of(Page(response.content))
    assert the_cancellation().state == State.PREVIEWED


def test_the_control_cannot_be_mistaken_while_a_withdrawal_period_may_run(ana: Member) -> None:
    ana.buys()

    now = [button.text for button in ana.opens(page_of()).all("button")]
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        later = [button.text for button in ana.opens(page_of()).all("button")]

    assert "Withdraw from contract here" in now
    assert "Withdraw from contract here" not in later
    assert "Cancel cover" in later


def test_a_statement_that_xcover_refused_is_with_a_person(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()
    previews(ana)
    confirms(ana)
    sandbox.faults.add("confirm_cancellation", "status", times=None, status=422)
    work()

    page = text_of(ana.opens(address()))

    assert "We have your statement and are looking into it" in page


# Before it is booked


def test_cover_that_is_being_arranged_is_withdrawn_from_on_its_page(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys(now=False)

    shown = ana.opens(page_of())
    asked = ana.opens(previews(ana)["Location"])
    confirms(ana)
    work()
    page = text_of(ana.opens(address()))

    assert "Withdraw from contract here" in [button.text for button in shown.all("button")]
    assert "This cover isn't in force yet." in text_of(asked)
    assert asked.one("input", name="email")["value"] == "ana@example.com"
    assert "Your cover is cancelled" in page
    assert "We received your statement on" in page
    assert the_policy().payload["price_formatted"] in page
    assert "The refund goes to the payment method you used." in page
    assert sandbox.calls("create_booking") == []


def test_cover_that_was_withdrawn_from_before_it_was_booked_stays_in_the_list(ana: Member) -> None:
    ana.buys(now=False)
    previews(ana)
    confirms(ana)

    assert "Cancelled" in text_of(ana.opens("/xcover/mycover/"))
    assert "Withdraw" not in text_of(ana.opens(page_of()))


def test_a_guest_withdraws_by_link_before_the_cover_is_booked(
    ana: Member, sandbox: Sandbox
) -> None:
    ana.buys(now=False)
    guest = Client()

    done = states(guest)
    shown = guest.get(done["Location"]).content.decode()
    again = guest.post(link(), {"policies": [the_policy().quote_id]})
    work()

    assert "We received your statement on" in shown
    assert "ana@example.com" not in shown
    assert again.status_code == 409
    assert Withdrawal.objects.get().email == "ana@example.com"
    assert sandbox.calls("create_booking") == []
    assert "See your cancellation" in guest.get(link()).content.decode()


def test_a_guest_whose_order_is_not_paid_says_where_the_receipt_goes(
    ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Adapter, "pays_later", lambda self, order: False)
    ana.buys(paid=False)
    assert not Operation.objects.exists()
    guest = Client()

    page = guest.get(guest.post(link(), {"policies": [the_policy().quote_id]})["Location"])
    without = states(guest)
    done = states(guest, email="ana@example.net")

    assert "Leave these empty" not in page.content.decode()
    assert (without.status_code, done.status_code) == (400, 303)
    assert Withdrawal.objects.get().email == "ana@example.net"


# By link


def test_a_guest_withdraws_by_link_in_two_steps_while_xcover_is_down(
    guest: Client, sandbox: Sandbox
) -> None:
    is_down(sandbox)

    page = Page(guest.get(link()).content)
    done = states(guest, name="Ana Costa", email="ana@example.net")
    shown = guest.get(done["Location"]).content.decode()

    assert "Harbour Lights Festival" in text_of(page)
    assert done.status_code == 303
    assert "We received your statement on" in shown
    assert Withdrawal.objects.get().channel == Withdrawal.Channel.LINK
    sandbox.faults.clear()
    work()
    assert the_policy().status == Status.CANCELLED


def test_a_link_names_nobody_and_its_pages_name_nobody(guest: Client) -> None:
    token = link().rsplit("/", 2)[1]
    payload = token.split(":")[0]
    first = guest.post(link(), {"policies": [the_policy().quote_id]})
    pages = guest.get(link()).content + guest.get(first["Location"]).content

    assert base64.urlsafe_b64decode(payload + "==").isdigit()
    assert b"ana@example.com" not in pages
    assert b"Costa" not in pages


def test_a_link_leaks_to_no_other_site_and_no_cache(guest: Client) -> None:
    response = guest.get(link())

    assert response["Referrer-Policy"] == "same-origin"
    assert "noindex" in response["X-Robots-Tag"]
    assert "no-store" in response["Cache-Control"]


def test_looking_at_a_link_changes_nothing(guest: Client, sandbox: Sandbox) -> None:
    guest.get(link())

    assert sandbox.calls("cancel_booking") == []
    assert not Cancellation.objects.exists()
    assert guest.get(link("1/confirm/")).status_code == 405


@pytest.mark.parametrize("spoilt", [lambda path: f"{path[:-4]}/", lambda path: path + "1/"])
def test_a_link_that_was_cut_or_is_about_nothing_is_refused(guest: Client, spoilt: Any) -> None:
    assert guest.get(spoilt(link())).status_code == 404


def test_a_link_works_throughout_every_withdrawal_period_and_not_for_ever(guest: Client) -> None:
    path = link()

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert guest.get(path).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=61)):
        expired = guest.get(path)

    assert expired.status_code == 410
    assert "This link has expired." in expired.content.decode()


def test_a_link_of_one_order_is_no_key_to_another(ana: Member, bob: Member) -> None:
    ana.buys(reference="ORD-1")
    bob.buys(reference="ORD-2")
    his = Quote.objects.get(package__order_reference="ORD-2")
    previews(bob, his)
    guest = Client()

    named = guest.post(link(order="ORD-1"), {"policies": [his.quote_id]})
    looked = guest.get(link(f"{the_cancellation().pk}/", order="ORD-1"))
    stated = guest.post(link(f"{the_cancellation().pk}/confirm/", order="ORD-1"))

    assert (named.status_code, looked.status_code, stated.status_code) == (400, 404, 404)


def test_page_and_link_make_one_statement(ana: Member, guest: Client, sandbox: Sandbox) -> None:
    first = guest.post(link(), {"policies": [the_policy().quote_id]})
    by_page = ana.posts(previews(ana)["Location"] + "confirm/")
    by_link = guest.post(f"{first['Location']}confirm/")
    work()

    assert (by_page.status_code, by_link.status_code) == (303, 303)
    assert Withdrawal.objects.count() == 1
    assert Operation.objects.filter(kind=OperationKind.CANCEL).count() == 1
    again = guest.get(link()).content.decode()
    assert "See your cancellation" in again


def test_a_guest_chooses_among_several_policies(ana: Member) -> None:
    ana.buys(ticket(), laptop())
    device = Quote.objects.get(line_reference="laptop")
    guest = Client()

    nothing = guest.post(link(), {})
    first = guest.post(link(), {"policies": [device.quote_id]})
    guest.post(f"{first['Location']}confirm/")
    work()

    device.refresh_from_db()
    assert nothing.status_code == 400
    assert device.status == Status.CANCELLED
    assert Quote.objects.get(line_reference="ticket").status == Status.CONFIRMED
