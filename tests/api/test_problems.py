"""Errors are problem details (RFC 9457), whatever raises them, in the shopper's language."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.test import Client
from django.utils.functional import Promise
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled

from django_xcover.api import exceptions, problems
from django_xcover.api.base import ShopView
from django_xcover.sandbox import Sandbox
from tests.api.conftest import ROOT, Program, policy_path
from tests.shop import Adapter, laptop

pytestmark = pytest.mark.django_db
MEMBERS = {"type", "title", "status", "detail", "code", "errors"}


class Broken(Exception):
    """A mistake in a shop's adapter."""


@pytest.fixture
def reported() -> Iterator[list[Any]]:
    """Return the requests whose exceptions an error reporter sees."""
    seen: list[Any] = []

    def report(sender: object, request: Any, **kwargs: object) -> None:
        seen.append(request.path)

    got_request_exception.connect(report)
    yield seen
    got_request_exception.disconnect(report)


def raising(error: Exception) -> Callable[..., Any]:
    def raises(*args: object, **kwargs: object) -> Any:
        raise error

    return raises


def is_problem(response: Any, status: int, code: str) -> bool:
    body = response.json()
    return (
        response.status_code == status == body["status"]
        and body["code"] == code
        and body["type"] == f"tag:django-xcover.github.io,2026:{code}"
        and body.keys() == MEMBERS
        and bool(body["title"] and body["detail"])
        and response["Content-Type"] == "application/problem+json"
        and "no-store" in response["Cache-Control"]
    )


@pytest.mark.parametrize(
    "where",
    [("get_order", "orders/ORD-1/cover/"), ("get_orders", "policies/")],
)
def test_an_adapter_that_raises_is_a_problem_and_is_reported_once(
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    reported: list[Any],
    caplog: pytest.LogCaptureFixture,
    where: tuple[str, str],
) -> None:
    method, path = where
    monkeypatch.setattr(Adapter, method, raising(Broken("the shop's own words")))
    program.client.raise_request_exception = False

    with caplog.at_level(logging.ERROR, "django.request"):
        response = program.gets(path)

    assert is_problem(response, 500, "server_error")
    assert "own words" not in response.content.decode()
    assert reported == [ROOT + path]
    [record] = [one for one in caplog.records if one.name == "django.request"]
    assert record.exc_info is not None
    assert record.exc_info[0] is Broken


def test_a_test_client_still_raises_what_the_adapter_raised(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Adapter, "get_orders", raising(Broken()))

    with pytest.raises(Broken):
        program.gets("policies/")


def test_a_suspicious_request_is_a_problem_for_the_security_log(
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    reported: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(Adapter, "get_orders", raising(SuspiciousOperation("a forged cookie")))

    with caplog.at_level(logging.ERROR, "django.security"):
        response = program.gets("policies/")

    assert is_problem(response, 400, "invalid")
    assert reported == []
    assert "django.security.SuspiciousOperation" in {one.name for one in caplog.records}


@pytest.mark.parametrize(
    "path", ["nothing/", "offer", "policies/a b/", "policies/a/cancellations/x/"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "head"])
def test_a_path_that_the_api_does_not_have_is_a_problem(
    program: Program, path: str, method: str
) -> None:
    response = getattr(program.client, method)(ROOT + path)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert method == "head" or is_problem(response, 404, "not_found")


@pytest.mark.parametrize("challenge", ["Bearer", ""], ids=["challenged", "not challenged"])
@pytest.mark.parametrize("words", ["", "Your token has expired."])
def test_a_rejected_token_is_a_problem_with_the_words_of_the_shop_if_it_has_any(
    program: Program, monkeypatch: pytest.MonkeyPatch, challenge: str, words: str
) -> None:
    class Tokens(BaseAuthentication):
        def authenticate(self, request: Any) -> Any:
            raise AuthenticationFailed(words or None)

        def authenticate_header(self, request: Any) -> str:
            return challenge

    monkeypatch.setattr(ShopView, "authentication_classes", [Tokens])

    response = program.gets("policies/")

    assert is_problem(response, 401 if challenge else 403, "authentication_failed")
    assert response.json()["detail"] == (words or "Please sign in again.")
    assert response.headers.get("WWW-Authenticate", "") == challenge


def test_a_missing_csrf_token_is_a_problem(program: Program) -> None:
    response = Client(enforce_csrf_checks=True).post(f"{ROOT}choice/", {}, "application/json")

    assert is_problem(response, 403, "csrf_failed")


def test_a_throttled_request_is_a_problem_that_says_how_long_to_wait(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShopView, "check_throttles", raising(Throttled(wait=7)))

    response = program.gets("offer/")

    assert is_problem(response, 429, "throttled")
    assert response["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("status", "code", "send"),
    [
        (
            400,
            "parse_error",
            lambda p: p.client.generic("POST", f"{ROOT}choice/", "[", "application/json"),
        ),
        (405, "method_not_allowed", lambda p: p.client.delete(f"{ROOT}offer/")),
        (406, "not_acceptable", lambda p: p.client.get(f"{ROOT}offer/", HTTP_ACCEPT="text/html")),
        (415, "unsupported_media_type", lambda p: p.client.post(f"{ROOT}choice/", {"a": "b"})),
        (404, "not_found", lambda p: p.client.get(f"{ROOT}offer/?format=xml")),
    ],
)
def test_what_rest_framework_refuses_is_a_problem(
    program: Program, status: int, code: str, send: Callable[[Program], Any]
) -> None:
    assert is_problem(send(program), status, code)


def test_while_xcover_cannot_be_reached_a_price_is_a_problem_with_the_wait(
    program: Program, sandbox: Sandbox
) -> None:
    program.buys(laptop())
    sandbox.faults.add("quote_modification", "throttle", times=None, seconds=7)

    response = program.posts(policy_path("modifications/"), update_fields={"price": 2400})

    assert is_problem(response, 503, "insurer_unavailable")
    assert int(response["Retry-After"]) > 0


def test_the_sentences_are_translated() -> None:
    tables = (*problems.TITLES.values(), *exceptions.DETAILS.values())

    assert all(isinstance(text, Promise) for text in tables)


def test_the_detail_is_in_the_shoppers_language(insured: Program, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"

    missing = insured.gets(policy_path("instalments/"))

    assert missing.json()["detail"] == "Nicht gefunden."
