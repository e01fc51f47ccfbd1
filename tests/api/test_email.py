"""A policy's documents by e-mail once more, asked for by a front end of the shop's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover.models import Operation, OperationKind, Quote
from django_xcover.sandbox import Sandbox
from tests.api.conftest import Program, policy_path
from tests.conftest import the_package, work

pytestmark = pytest.mark.django_db


def asks(program: Program, **body: Any) -> Any:
    return program.posts(policy_path("email/"), **body)


def asked() -> Any:
    return Operation.objects.filter(kind=OperationKind.SEND_EMAIL)


def test_a_policy_of_somebody_else_is_not_there(insured: Program) -> None:
    insured.front.shopper = "bob"

    assert insured.gets(policy_path("email/")).status_code == 404
    assert asks(insured).status_code == 404
    assert not asked().exists()


def test_cover_that_is_not_in_force_has_no_documents(insured: Program) -> None:
    Quote.objects.update(status="CANCELLED")

    assert insured.gets(policy_path("email/")).status_code == 404
    response = asks(insured)
    assert (response.status_code, response.json()["code"]) == (409, "nothing_to_send")
    assert insured.gets(policy_path()).json()["email"] is None


def test_no_address_is_taken(insured: Program, sandbox: Sandbox) -> None:
    response = asks(insured, address="eve@example.com", email="eve@example.com")
    work()

    assert response.json()["address"] == "ana@example.com"
    assert "eve" not in str(sandbox.calls("send_email"))


def test_too_often_is_told_with_the_time_to_wait(insured: Program, sandbox: Sandbox) -> None:
    asks(insured)
    work()

    response = asks(insured)

    body = response.json()
    assert (response.status_code, body["code"]) == (429, "sent_recently")
    assert body["detail"].startswith("The insurer has been asked to send this e-mail.")
    assert 0 < int(response["Retry-After"]) <= 15 * 60
    assert len(sandbox.calls("send_email")) == 1


def test_it_is_sent_to_the_address_on_record(insured: Program, sandbox: Sandbox) -> None:
    before = insured.gets(policy_path("email/")).json()

    response = asks(insured)

    never = {"address": "ana@example.com", "state": "", "asked_at": None, "again_at": None}
    assert before == never
    assert (response.status_code, response.json()["state"]) == (202, "sending")
    work()
    after = insured.gets(policy_path("email/")).json()
    assert after["state"] == "sent"
    assert after == insured.gets(policy_path()).json()["email"]
    assert sandbox.package(the_package().package_id)["emails"] == ["BOOKING_CREATED"]


def test_asking_twice_at_once_sends_one(insured: Program) -> None:
    assert [asks(insured).status_code, asks(insured).status_code] == [202, 202]

    assert asked().count() == 1


def test_after_the_pause_it_is_sent_again(insured: Program, sandbox: Sandbox) -> None:
    asks(insured)
    work()
    asked().update(created_at=timezone.now() - timedelta(minutes=15))

    assert asks(insured).status_code == 202
    work()
    assert len(sandbox.calls("send_email")) == 2
