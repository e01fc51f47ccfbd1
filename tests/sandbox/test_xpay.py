"""The local XPay: tokens of cards, and what a booking charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from werkzeug.test import Client

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.errors import ApiError

EMAIL = "ana@example.com"
CARD = {
    "number": "4242 4242 4242 4242",
    "expiryMonth": "03",
    "expiryYear": "2039",
    "cvc": "123",
    "holderName": "Ana Rossi",
}


@pytest.fixture
def browser(sandbox: Sandbox) -> Client:
    return Client(sandbox.wsgi_app)


def sends(browser: Client, **card: str) -> Any:
    body = {"customer": {"email": EMAIL}, "creditCard": {**CARD, **card}}
    return browser.post("/xpay/customer-tokens", json=body)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("number", "4242 4242 4242 4243", "number"),
        ("number", "4000 0000 0000 0002", "number"),
        ("number", " ", "number"),
        ("expiryYear", "2019", "expiry"),
        ("expiryMonth", "13", "expiry"),
        ("cvc", "12", "cvc"),
    ],
)
def test_a_card_that_cannot_be_used_is_refused_and_not_repeated(
    browser: Client, field: str, value: str, named: str
) -> None:
    response = sends(browser, **{field: value})

    assert response.status_code == 422
    assert list(response.json["errors"]["creditCard"]) == [named]
    assert value not in response.text or not value.strip()


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"{}", b'{"customer": {}}'])
def test_what_is_no_card_is_refused(browser: Client, body: bytes) -> None:
    assert browser.post("/xpay/customer-tokens", data=body).status_code == 422


def test_a_token_shows_no_more_of_the_card_than_its_last_digits(
    browser: Client, sandbox: Sandbox
) -> None:
    data = sends(browser).json["data"]

    assert data["metadata"]["number"] == "4242"
    dump = "\n".join(sandbox.store._connection.iterdump())
    assert data["id"] in dump
    assert "4242424242424242" not in dump.replace(" ", "")


def test_a_token_is_not_made_by_reading(browser: Client) -> None:
    assert browser.get("/xpay/customer-tokens").status_code == 405


@pytest.mark.parametrize("path", ["form", "card_form.js", "card_form.css"])
def test_the_form_and_its_files_are_served(browser: Client, path: str) -> None:
    assert browser.get(f"/xpay/{path}").status_code == 200


@pytest.mark.parametrize("path", ["", "card_form.py", "../../settings.py", "__init__.py"])
def test_nothing_else_is_served(browser: Client, path: str) -> None:
    assert browser.get(f"/xpay/{path}").status_code == 404


def test_the_form_speaks_the_customers_language(browser: Client) -> None:
    assert "Kartennummer" in browser.get("/xpay/form?language=de").text


def charge(sandbox: Sandbox, token: str, email: str = EMAIL) -> None:
    sandbox.xpay.charge(
        token, policyholder_email=email, package="P-INS", amount=Decimal("5.25"), currency="GBP"
    )


def test_a_token_is_charged_once(browser: Client, sandbox: Sandbox) -> None:
    token = sends(browser).json["data"]["id"]

    charge(sandbox, token)
    with pytest.raises(ApiError):
        charge(sandbox, token)

    assert [(one.token, one.amount) for one in sandbox.xpay.charges] == [(token, Decimal("5.25"))]


def test_an_unknown_token_a_strangers_and_a_declined_card_are_not_charged(sandbox: Sandbox) -> None:
    sandbox.xpay.add_token("known", EMAIL)
    sandbox.xpay.add_token("declined", EMAIL, is_declined=True)

    for token, email in (("unknown", EMAIL), ("known", "Ana@example.com"), ("declined", EMAIL)):
        with pytest.raises(ApiError) as refused:
            charge(sandbox, token, email)
        assert list(refused.value.body["errors"]) == ["customer_token_id"]

    assert sandbox.xpay.charges == []
