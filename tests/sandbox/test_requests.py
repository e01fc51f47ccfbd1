"""What is refused before anything happens: paths, methods, JSON and fields."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.sandbox.support import LAPTOP, PERSON, TICKET, Caller, a_booking, a_cart

REQUIRED = ["This field is required."]


def _errors(caller: Caller, path: str, body: Any, method: str = "POST") -> Any:
    answer = caller.call(method, path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "validation_error"
    assert answer.json()["message"] == "An API error occurred."
    return answer.json()["errors"]


def test_a_body_that_is_not_json_is_a_bad_request(caller: Caller) -> None:
    url = f"{caller.base_url}/partners/SHOP1/quotes/"

    answer = caller.session.post(url, data="{", headers=caller.signed("POST", url))

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("JSON parse error - ")
    assert "errors" not in answer.json()


def test_an_unknown_package_is_not_found(caller: Caller) -> None:
    answer = caller.call("GET", "quotes/ABCDE-FGHJK-INS/")

    assert answer.status_code == 404
    assert answer.json() == {"type": "api_error", "message": "Quote package does not exist"}


def test_an_unknown_path_is_not_found(caller: Caller) -> None:
    assert caller.call("GET", "claims/").status_code == 404


def test_a_wrong_method_says_which_are_allowed(caller: Caller) -> None:
    answer = caller.call("PUT", "instant_booking/", {})

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


def test_every_answer_says_that_the_key_has_no_limit(caller: Caller) -> None:
    answers = [
        caller.call("GET", "bookings/"),
        caller.call("GET", "quotes/ABCDE-FGHJK-INS/"),
        caller.call("PUT", "quotes/", {}),
        caller.call("GET", "nothing/"),
    ]

    for answer in answers:
        assert answer.headers["X-Ratelimit-Limit"] == "-1"
        assert answer.headers["X-Ratelimit-Remaining"] == "-1"
        assert answer.headers["X-Ratelimit-Reset"] == "1568836675"


def test_an_empty_quote_request_names_what_is_missing(caller: Caller) -> None:
    errors = _errors(caller, "quotes/", None)

    assert errors == {"currency": REQUIRED, "request": REQUIRED, "customer_country": REQUIRED}


def test_an_unknown_field_is_unexpected_in_a_plain_string(caller: Caller) -> None:
    assert _errors(caller, "quotes/", a_cart(policy_version="1")) == {
        "policy_version": "Unexpected field"
    }


def test_a_missing_field_is_reported_before_an_unknown_one(caller: Caller) -> None:
    package = caller.quoted()

    assert _errors(caller, f"quotes/{package['id']}/add/", {"malformed": 1}) == {
        "request": REQUIRED
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "quotes/{}/"),
        ("POST", "quotes/{}/delete/"),
        ("POST", "bookings/{}/opt_out"),
    ],
)
def test_unknown_fields_are_unexpected_in_packages(caller: Caller, method: str, path: str) -> None:
    package = caller.quoted()

    errors = _errors(caller, path.format(package["id"]), {"malformed": 1}, method)

    assert errors == {"malformed": "Unexpected field"}


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "bookings/{}/"), ("POST", "bookings/{}/cancel")]
)
def test_unknown_fields_are_unexpected_in_bookings(caller: Caller, method: str, path: str) -> None:
    booking = caller.booked()

    errors = _errors(caller, path.format(booking["id"]), {"malformed": 1}, method)

    assert errors == {"malformed": "Unexpected field"}


@pytest.mark.parametrize("missing", ["event_datetime", "event_name", "number_of_tickets"])
def test_a_ticket_without_its_facts_is_refused_in_its_place(caller: Caller, missing: str) -> None:
    ticket = {name: value for name, value in TICKET.items() if name != missing}

    errors = _errors(caller, "quotes/", a_cart(TICKET, ticket))

    assert errors == {"request": [{}, {missing: REQUIRED}]}


@pytest.mark.parametrize("missing", ["category", "price", "name", "description"])
def test_a_product_without_its_facts_is_refused(caller: Caller, missing: str) -> None:
    laptop = {name: value for name, value in LAPTOP.items() if name != missing}

    assert _errors(caller, "quotes/", a_cart(laptop)) == {"request": [{missing: REQUIRED}]}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("currency", "XXX", '"XXX" is not a valid choice.'),
        ("customer_country", "XX", '"XX" is not a valid choice.'),
        ("currency", None, "This field may not be null."),
        ("request", [], "This list may not be empty."),
        ("request", {}, 'Expected a list of items but got type "dict".'),
        ("partner_metadata", {"a": {}}, "Values must be string, boolean, number or null."),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(
    caller: Caller, field: str, value: Any, message: str
) -> None:
    assert _errors(caller, "quotes/", a_cart(**{field: value})) == {field: [message]}


@pytest.mark.parametrize("price", ["60", True, -1, None])
def test_a_price_that_is_no_amount_is_refused(caller: Caller, price: Any) -> None:
    errors = _errors(caller, "quotes/", a_cart({**TICKET, "tickets": [{"price": price}]}))

    assert list(errors["request"][0]["tickets"][0]) == ["price"]


def test_a_phone_number_must_start_with_a_plus(caller: Caller) -> None:
    package = caller.quoted()
    body = a_booking(package, policyholder={**PERSON, "phone": "0123"})

    errors = _errors(caller, f"bookings/{package['id']}/", body)

    assert errors == {
        "policyholder": {"phone": ['The phone number should start with "+" character']}
    }


@pytest.mark.parametrize("fields", [1, "x", [["a"]], None])
def test_fields_to_update_that_are_no_object_are_refused(caller: Caller, fields: Any) -> None:
    booking = caller.booked()
    change = {"quotes": [{"id": booking["quotes"][0]["id"], "update_fields": fields}]}

    assert "quotes" in _errors(caller, f"bookings/{booking['id']}/", change, "PATCH")


@pytest.mark.parametrize(
    "item",
    [
        {**LAPTOP, "price": 1e300},
        {**LAPTOP, "quantity": 10**30},
        {**LAPTOP, "term": 1200},
        {**TICKET, "event_datetime": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_values_out_of_all_proportion_are_refused(caller: Caller, item: dict[str, Any]) -> None:
    assert "request" in _errors(caller, "quotes/", a_cart(item))


def test_a_quote_named_twice_is_booked_once(caller: Caller) -> None:
    package = caller.quoted(LAPTOP)
    quote = {"id": package["quotes"]["0"]["id"], "instalment_plan": "1year-monthly"}
    path = f"bookings/{package['id']}/"

    caller.call("POST", path, {"quotes": [quote, quote], "policyholder": PERSON})

    schedule = caller.call("GET", f"{path}instalments/").json()["quotes"][0]["payment_schedule"]
    assert len(schedule) == 12


def test_a_booking_names_who_and_what(caller: Caller) -> None:
    package = caller.quoted()

    errors = _errors(caller, f"bookings/{package['id']}/", {})

    assert errors == {"quotes": REQUIRED, "policyholder": REQUIRED}


def test_a_quote_of_another_package_cannot_be_booked(caller: Caller) -> None:
    package, other = caller.quoted(), caller.quoted()

    assert "quotes" in _errors(caller, f"bookings/{package['id']}/", a_booking(other))


@pytest.mark.parametrize("path", ["quotes/{}", "quotes/{}/"])
def test_final_slashes_may_be_there_or_not(caller: Caller, path: str) -> None:
    package = caller.quoted()

    assert caller.call("GET", path.format(package["id"])).status_code == 200
    assert caller.call("POST", f"bookings/{package['id']}/opt_out/", {}).status_code == 204


def test_both_prefixes_lead_to_the_same_packages(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    with requests.Session() as session:
        mount(session, "https://xcover.test/xcover", sandbox)
        older = Caller(session, "https://xcover.test/xcover")

        assert older.call("GET", f"quotes/{package['id']}/").json()["id"] == package["id"]
