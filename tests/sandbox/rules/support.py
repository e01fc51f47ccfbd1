"""Calls that the tests of the sandbox's rules share."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import simplejson

from tests.sandbox.support import LAPTOP, Caller, a_booking

YEARLY = {**LAPTOP, "term": 12}
CURRENCIES = pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])


def exact(answer: requests.Response) -> Any:
    return simplejson.loads(answer.text, use_decimal=True)


def refusal_of(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["errors"]


def booked_exactly(
    caller: Caller, item: dict[str, Any], currency: str = "GBP", plan: str = ""
) -> Any:
    package = caller.quoted(item, currency=currency)
    body = a_booking(package)
    if plan:
        body["quotes"][0]["instalment_plan"] = plan
    return exact(caller.call("POST", f"bookings/{package['id']}/", body))


def cancels(caller: Caller, booking: Any, **body: Any) -> requests.Response:
    return caller.call("POST", f"bookings/{booking['id']}/cancel", body)


def change_of(booking: Any, **fields: Any) -> dict[str, Any]:
    return {"quotes": [{"id": booking["quotes"][0]["id"], "update_fields": fields}]}
