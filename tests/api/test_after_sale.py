"""Cancelling, changing and renewing over the API: only what a shopper may do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import serializers

from django_xcover.models import Cancellation, Modification, Operation, Quote, Renewal, Withdrawal
from django_xcover.policies import cancellation, withdrawal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from tests.api.conftest import Program, policy_path
from tests.conftest import the_package, work
from tests.policies.renewal.conftest import BOUGHT, ENDS, yearly
from tests.shop import Adapter, laptop, ticket
from tests.test_card_numbers import CARDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def preview(insured: Program) -> dict[str, Any]:
    """Return the preview of a cancellation."""
    answer: dict[str, Any] = insured.posts(policy_path("cancellations/")).json()
    return answer


def everything_stored() -> str:
    rows = [*Cancellation.objects.all(), *Modification.objects.all(), *Operation.objects.all()]
    return str(serializers.serialize("json", rows))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cancellations/", {"reason": "refund it to {}"}),
        ("cancellations/", {"policies": ["{}"]}),
        ("modifications/", {"policyholder": {"address1": "{}"}}),
        ("modifications/", {"update_fields": {"serial_number": "{}"}}),
        ("modifications/", {"update_fields": {"{}": "1"}}),
        ("cancellations/1/confirm/", {"card": "{}"}),
    ],
)
def test_a_card_number_is_refused_and_neither_stored_nor_logged(
    insured: Program, path: str, body: dict[str, Any], caplog: Any
) -> None:
    answers, shown = {}, {}
    for card in CARDS:
        filled = _filled(body, card)
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            response = insured.posts(policy_path(path), **filled)
        answers[card] = (response.status_code, response.json()["code"])
        shown[card] = card in everything_stored() + caplog.text + response.content.decode()

    assert answers == dict.fromkeys(CARDS, (400, "card_number_sent"))
    assert shown == dict.fromkeys(CARDS, False)


# Cancelling


def test_policies_of_another_order_cannot_be_cancelled_along(insured: Program) -> None:
    other = "7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11"

    response = insured.posts(policy_path("cancellations/"), policies=[other])

    assert response.status_code == 400
    assert response.json()["errors"] == {
        "policies": ["Please choose from the policies of this order."]
    }


def test_while_xcover_is_away_the_shopper_can_withdraw_without_knowing_the_refund(
    insured: Program, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "throttle", times=9, seconds=7)

    draft = insured.posts(policy_path("cancellations/"))
    path = policy_path(f"cancellations/{draft.json()['id']}/confirm/")
    stated = insured.posts(path, name="Ana Costa", email="ana@example.net")

    assert (draft.status_code, draft.json()["state"], draft.json()["refund"]) == (
        201,
        "draft",
        None,
    )
    assert (stated.status_code, stated.json()["state"]) == (202, "requested")
    assert "Ana Costa" in stated.json()["withdrawal"]["statement"]
    assert stated.json()["withdrawal"]["email"] == "ana@example.net"
    assert stated.json()["withdrawal"]["made_at"] is not None


def test_cover_that_is_paid_and_not_booked_is_withdrawn_from(
    program: Program, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    program.buys()

    draft = program.posts(policy_path("cancellations/"))
    path = policy_path(f"cancellations/{draft.json()['id']}/confirm/")
    stated, again = program.posts(path), program.posts(path)

    assert (draft.status_code, draft.json()["state"]) == (201, "draft")
    assert (stated.status_code, stated.json()["state"]) == (202, "confirmed")
    assert stated.json()["refund"]["amount"] == "7.89"
    assert stated.json()["withdrawal"]["email"] == "ana@example.com"
    assert again.json() == stated.json()
    assert program.gets(policy_path()).json()["can_cancel"] is False


def test_the_receipt_of_cover_without_a_policyholder_needs_an_address(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Adapter, "pays_later", lambda self, order: False)
    program.buys(paid=False)
    draft = program.posts(policy_path("cancellations/"))
    path = policy_path(f"cancellations/{draft.json()['id']}/confirm/")

    without = program.posts(path, name="Ana Costa")
    stated = program.posts(path, name="Ana Costa", email="ana@example.net")

    assert (without.status_code, stated.status_code) == (400, 202)
    assert "email" in str(without.json())
    assert Withdrawal.objects.get().email == "ana@example.net"


def test_what_xcover_refuses_to_preview_is_withdrawn_from_all_the_same(
    insured: Program, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "status", times=None, status=422)

    draft = insured.posts(policy_path("cancellations/"))
    stated = insured.posts(policy_path(f"cancellations/{draft.json()['id']}/confirm/"))
    work()

    assert (draft.json()["state"], stated.status_code) == ("draft", 202)
    assert the_package().attention == "cancellation_refused"


def test_a_cancelled_policy_is_not_cancelled_again(
    insured: Program, preview: dict[str, Any]
) -> None:
    insured.posts(policy_path(f"cancellations/{preview['id']}/confirm/"))
    work()

    response = insured.posts(policy_path("cancellations/"))

    assert (response.status_code, response.json()["code"]) == (409, "already_cancelled")


def test_what_is_created_has_an_address(program: Program) -> None:
    program.buys(laptop())
    preview = program.posts(policy_path("cancellations/"))
    stated = program.posts(policy_path(f"cancellations/{preview.json()['id']}/confirm/"))
    program.buys(laptop("another"), reference="ORD-2")
    path = f"policies/{Quote.objects.get(package__order_reference='ORD-2').quote_id}/"
    priced = program.posts(f"{path}modifications/", update_fields={"price": 2400})

    for created in (preview, stated, priced):
        there = program.client.get(created["Location"])
        assert there.status_code == 200
        assert there.json()["id"] == created.json()["id"]


def test_a_preview_says_what_comes_back_and_cancels_nothing(
    insured: Program, preview: dict[str, Any]
) -> None:
    assert preview["state"] == "previewed"
    assert preview["refund"]["amount"] == "7.89"
    assert preview["confirm_before"] is not None
    assert the_package().status == "CONFIRMED"
    again = insured.gets(policy_path(f"cancellations/{preview['id']}/"))
    assert again.json()["id"] == preview["id"]
    assert again.json()["refund"] == preview["refund"]


def test_a_confirmed_preview_is_cancelled_once(
    insured: Program, preview: dict[str, Any], sandbox: Sandbox
) -> None:
    path = policy_path(f"cancellations/{preview['id']}/confirm/")
    first, second = insured.posts(path), insured.posts(path)
    work()

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["waiting"] is True
    after = insured.gets(policy_path(f"cancellations/{preview['id']}/")).json()
    assert (after["state"], after["waiting"]) == ("confirmed", False)
    assert Quote.objects.get().status == "CANCELLED"
    assert len(sandbox.calls("confirm_cancellation")) == 1


def test_of_two_confirmations_at_once_the_later_is_told_how_far_it_is(
    insured: Program, preview: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = withdrawal.withdraw

    def after_the_other(found: Cancellation, **said: Any) -> Withdrawal:
        cancellation.request(Cancellation.objects.get())
        return real(found, **said)

    monkeypatch.setattr(withdrawal, "withdraw", after_the_other)

    response = insured.posts(policy_path(f"cancellations/{preview['id']}/confirm/"))

    assert (response.status_code, response.json()["state"]) == (202, "requested")


def test_one_policy_of_an_order_is_cancelled_alone(program: Program) -> None:
    program.buys(ticket(), laptop())
    quote = Quote.objects.get(line_reference="laptop")
    answer = program.posts(f"policies/{quote.quote_id}/cancellations/").json()
    program.posts(f"policies/{quote.quote_id}/cancellations/{answer['id']}/confirm/")
    work()

    statuses = dict(Quote.objects.values_list("line_reference", "status"))
    assert statuses == {"laptop": "CANCELLED", "ticket": "CONFIRMED"}


# Changing


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"policyholder": {"phone": "1"}, "update_fields": {"a": 1}},
        {"policyholder": {}},
        {"policyholder": "Ana"},
        {"policyholder": {"phone": ["1"]}},
        {"update_fields": []},
    ],
)
def test_a_change_that_is_not_as_documented_is_400(insured: Program, body: dict[str, Any]) -> None:
    response = insured.posts(policy_path("modifications/"), **body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_fields_that_may_not_change_are_422(insured: Program) -> None:
    response = insured.posts(policy_path("modifications/"), policyholder={"country": "US"})

    assert (response.status_code, response.json()["code"]) == (422, "fields_not_changeable")
    assert "country" in response.json()["detail"]


def test_nothing_new_is_422(insured: Program) -> None:
    response = insured.posts(
        policy_path("modifications/"), policyholder={"email": "ana@example.com"}
    )

    assert (response.status_code, response.json()["code"]) == (422, "nothing_to_change")


def test_a_shopper_cannot_say_that_a_difference_is_settled(program: Program) -> None:
    program.buys(laptop())
    priced = program.posts(policy_path("modifications/"), update_fields={"price": 2400})
    number = priced.json()["id"]

    response = program.posts(policy_path(f"modifications/{number}/confirm/"))

    assert priced.status_code == 201
    assert float(priced.json()["difference"]["amount"]) > 0
    assert (response.status_code, response.json()["code"]) == (409, "difference_not_settled")
    assert Modification.objects.get().state == "quoted"


def test_a_priced_change_can_be_given_up(program: Program) -> None:
    program.buys(laptop())
    number = program.posts(policy_path("modifications/"), update_fields={"price": 2400}).json()[
        "id"
    ]

    response = program.posts(policy_path(f"modifications/{number}/abandon/"))

    assert (response.status_code, response.json()["state"]) == (200, "abandoned")


def test_details_are_changed_at_once(insured: Program) -> None:
    response = insured.posts(
        policy_path("modifications/"), policyholder={"phone": "+4915123456789"}
    )
    work()

    assert response.status_code == 202
    after = insured.gets(policy_path(f"modifications/{response.json()['id']}/")).json()
    assert after["state"] == "confirmed"
    assert insured.gets(policy_path()).json()["policyholder"]["phone"] == "+4915123456789"


def test_details_sent_twice_are_changed_once(insured: Program) -> None:
    phone = {"phone": "+4915123456789"}

    first, second = (
        insured.posts(policy_path("modifications/"), policyholder=phone) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()


# Renewing


@pytest.fixture
def due(program: Program) -> Iterator[Renewal]:
    """Return the renewal of a laptop's cover, which ends in twenty days."""
    with time_machine.travel(BOUGHT, tick=False) as clock:
        program.buys(yearly())
        clock.move_to(ENDS - timedelta(days=20))
        [renewal] = renewing.find_due()
        yield renewal


def test_a_renewal_that_was_declined_has_no_price_any_more(program: Program, due: Renewal) -> None:
    program.posts(policy_path(f"renewals/{due.pk}/decline/"))

    response = program.posts(policy_path(f"renewals/{due.pk}/price/"))

    assert (response.status_code, response.json()["code"]) == (409, "renewal_declined")


def test_a_renewal_is_priced_and_named_for_the_shops_payment(
    program: Program, due: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Adapter, "get_payment_url", lambda self, request, due: f"/pay/{due.kind}/")

    priced = program.posts(policy_path(f"renewals/{due.pk}/price/"))

    assert (priced.status_code, priced.json()["state"]) == (200, "quoted")
    assert priced.json()["due"]["reference"] == str(due.pk)
    assert priced.json()["due"]["payment_url"] == "/pay/renewal/"
    assert program.gets(policy_path()).json()["renewal"] == priced.json()


def test_a_renewal_is_declined_once(program: Program, due: Renewal, sandbox: Sandbox) -> None:
    path = policy_path(f"renewals/{due.pk}/decline/")
    first, second = program.posts(path), program.posts(path)
    work()

    assert (first.status_code, second.status_code) == (202, 202)
    assert program.gets(policy_path(f"renewals/{due.pk}/")).json()["state"] == "opted_out"
    assert len(sandbox.calls("opt_out_of_renewal")) == 1


def _filled(value: Any, card: str) -> Any:
    if isinstance(value, dict):
        return {key.replace("{}", card): _filled(below, card) for key, below in value.items()}
    if isinstance(value, list):
        return [_filled(below, card) for below in value]
    return value.replace("{}", card)
