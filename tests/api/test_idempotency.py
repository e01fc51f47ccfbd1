"""A write that is repeated with its `Idempotency-Key` is carried out once."""

from __future__ import annotations

from copy import copy, deepcopy
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from django_xcover import tasks
from django_xcover.models import Cancellation, Decision, KeptAnswer, Operation, Quote
from django_xcover.policies import withdrawal
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.api.conftest import ROOT, Program, policy_path
from tests.conftest import work
from tests.races import together
from tests.shop import ANA, SHOP, Adapter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def guest(program: Program) -> None:
    program.client.cookies["csrftoken"] = "ana1" * 8


def sends(program: Program, path: str, key: str = "k-1", **body: Any) -> Any:
    headers = {"Idempotency-Key": key}
    return program.client.post(ROOT + path, body, format="json", headers=headers)


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n"])
def test_a_malformed_key_is_refused_before_anything_is_done(insured: Program, key: str) -> None:
    response = sends(insured, policy_path("cancellations/"), key)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Cancellation.objects.exists()


def test_a_key_of_nobody_is_refused(insured: Program) -> None:
    insured.client.cookies.clear()

    response = sends(insured, policy_path("cancellations/"))

    assert response.json()["code"] == "idempotency_key_invalid"


def test_another_body_or_path_under_the_same_key_is_refused(insured: Program) -> None:
    sends(insured, policy_path("cancellations/"))

    other_body = sends(insured, policy_path("cancellations/"), reason="too dear")
    other_path = sends(insured, policy_path("email/"))

    for response in (other_body, other_path):
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Cancellation.objects.count() == 1


def test_the_same_request_at_the_same_time_is_asked_to_wait(
    insured: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, inside = withdrawal.prepare, []

    def prepare(*args: Any, **kwargs: Any) -> Any:
        inside.append(sends(insured, policy_path("cancellations/")))
        return real(*args, **kwargs)

    monkeypatch.setattr(withdrawal, "prepare", prepare)

    first = sends(insured, policy_path("cancellations/"))

    [second] = inside
    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_use")
    assert second["Retry-After"] == "1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_of_two_requests_in_two_threads_one_is_carried_out(
    insured: Program, is_signed_in: bool, django_user_model: Any
) -> None:
    if is_signed_in:
        insured.client.force_login(django_user_model.objects.create(username="ana"))
    path, cookies = policy_path("cancellations/"), insured.client.cookies
    programs = [copy(insured), copy(insured)]
    for program in programs:
        program.client = APIClient()
        program.client.cookies = deepcopy(cookies)

    first, second = together(*(partial(sends, program, path) for program in programs))

    answers = sorted((first, second), key=lambda answer: int(answer.status_code))
    assert answers[0].status_code == 201
    if answers[1].status_code == 409:
        assert answers[1].json()["code"] == "idempotency_key_in_use"
    else:
        assert {answer.get("Idempotent-Replayed") for answer in answers} == {None, "true"}
    assert Cancellation.objects.count() == 1


def test_the_key_of_a_signed_in_shopper_is_theirs_in_each_browser(
    insured: Program, django_user_model: Any
) -> None:
    ana, bob = (django_user_model.objects.create(username=name) for name in ("ana", "bob"))
    path = policy_path("cancellations/")
    insured.client.force_login(ana)
    first = sends(insured, path)

    insured.client.cookies.clear()
    insured.client.force_login(ana)
    again = sends(insured, path)
    insured.client.force_login(bob)
    other = sends(insured, path)

    assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())
    assert "Idempotent-Replayed" not in other


def test_a_repetition_gets_the_same_answer_and_does_nothing(insured: Program) -> None:
    first, second = (sends(insured, policy_path("cancellations/")) for _ in range(2))

    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert second["Location"] == first["Location"]
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Cancellation.objects.count() == 1


def test_a_refusal_is_repeated_too(program: Program) -> None:
    program.shopper.sees()
    body = {"quote": "unknown", "choice": "yes"}
    first, second = (sends(program, "choice/", **body) for _ in range(2))

    assert (first.status_code, second.status_code) == (409, 409)
    assert second.json() == first.json()
    assert second["Content-Type"] == "application/problem+json"
    assert second["Idempotent-Replayed"] == "true"
    assert not Decision.objects.exists()


def test_another_visitor_never_gets_the_answer(insured: Program) -> None:
    sends(insured, policy_path("cancellations/"))
    insured.client.cookies["csrftoken"] = "bob1" * 8

    response = sends(insured, policy_path("cancellations/"))

    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response


def test_an_error_of_the_shop_is_not_kept(
    insured: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    insured.client.raise_request_exception = False

    def breaks(*args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(Adapter, "can_view_order", breaks)
        assert sends(insured, policy_path("cancellations/")).status_code == 500

    assert sends(insured, policy_path("cancellations/")).status_code == 201


def test_a_process_that_died_frees_its_key(insured: Program) -> None:
    path = policy_path("cancellations/")
    sends(insured, path)
    KeptAnswer.objects.update(status=None)
    assert sends(insured, path).status_code == 409
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(seconds=121))

    assert sends(insured, path).status_code == 201


def test_after_a_day_the_answer_is_forgotten(insured: Program) -> None:
    sends(insured, policy_path("cancellations/"))

    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        again = sends(insured, policy_path("cancellations/"))
        assert "Idempotent-Replayed" not in again
        tasks.forget_personal_data()
        assert KeptAnswer.objects.count() == 1

    with time_machine.travel(timezone.now() + timedelta(hours=49)):
        tasks.forget_personal_data()
        assert not KeptAnswer.objects.exists()


def test_an_erased_order_leaves_no_kept_answer(insured: Program) -> None:
    sends(insured, policy_path("email/"))
    work()
    assert "ana@example.com" in KeptAnswer.objects.get().body

    call_command("xcover_erase", "ORD-1", "--yes")

    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize("path", ["choice/", "orders/ORD-1/cover/"])
def test_an_erased_order_leaves_no_kept_answer_about_its_offer_or_card(
    program: Program, path: str, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setattr(Adapter, "charged_by_xcover", lambda self, order: True)
    sandbox.xpay.add_token("good-token", ANA.email)
    program.shopper.sees()
    chosen = {"quote": Quote.objects.get().quote_id, "choice": "yes"}
    first = sends(program, "choice/", "k-1" if path == "choice/" else "k-2", **chosen)
    completion.complete(SHOP.order("ORD-1", owner="ana"), program.shopper.cart, paid=False)
    if path == "choice/":
        assert first.status_code == 200
    else:
        KeptAnswer.objects.all().delete()
        assert sends(program, path, customer_token_id="good-token").status_code == 200
    Operation.objects.all().delete()

    call_command("xcover_erase", "ORD-1", "--yes")

    assert not KeptAnswer.objects.exists()


def test_without_a_key_nothing_is_kept(insured: Program) -> None:
    insured.posts(policy_path("cancellations/"))

    assert not KeptAnswer.objects.exists()
