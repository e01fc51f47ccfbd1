"""No value and no error of the client shows a customer's data or a secret."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from django_xcover.client import XCoverClient
from django_xcover.client.responses import Response
from django_xcover.types import Policyholder, PolicyRequest
from tests.client import server as does
from tests.client.conftest import API_KEY, API_SECRET, Connect, Serve, connect, no_proxies, serve
from tests.security.error_reports.support import EMAIL, SECRETS, ZOE, modules, request_of
from tests.security.reporting import (
    MARK,
    MARKER,
    caught,
    frames,
    leaks,
)

__all__ = ["connect", "no_proxies", "serve"]

INS = "KXR4W-9PJTC-INS"
# Whatever is called so is a person's, or opens something.
PERSONAL = {
    *("first_name", "last_name", "email", "phone", "age", "birth_date", "address1", "address2"),
    *("city", "postcode", "customer_postcode", "region", "customer_region", "company", "fields"),
    *("policyholder", "policyholder_email", "body", "payload", "raw", "headers", "reason_given"),
    *("security_token", "token", "customer_token_id", "api_key", "api_secret", "secret"),
    *("signature", "webhook_secrets", "shopper_reference", "visitor", "field_errors", "details"),
    *("coi_url", "coi_pdf", "account_url", "claim_url", "cancel_url", "update_fields", "address"),
}
# The same words for something else.
HARMLESS = {
    ("StoredPackage", "policyholder"),  # prints itself without what is personal
    ("Problem", "headers"),  # ours, such as Retry-After
    ("Claim", "headers"),  # only their names
    ("Description", "headers"),  # of the published description: names and types
}


class Unreadable:
    """A value of a shop's that has no text."""

    def __init__(self, text: str = MARKER) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def unreadable() -> Any:
    return Unreadable()


def item_of(fields: Any) -> PolicyRequest:
    return PolicyRequest(reference="1", policy_type="travel", fields=fields)


# Values


@pytest.mark.parametrize(
    "build",
    [
        lambda: Policyholder(**{**ZOE, "age": MARKER}),
        lambda: Policyholder(**{**ZOE, "city": Unreadable()}),
        lambda: Policyholder(**{**ZOE, "birth_date": Unreadable()}),
        lambda: Policyholder(**{**ZOE, "country": None}),
        lambda: Policyholder(**{**ZOE, "nickname": MARKER}),
        lambda: replace(Policyholder(**ZOE), last_name=unreadable()),
        lambda: request_of(customer_postcode=Unreadable()),
        lambda: request_of(customer_postcode=MARKER, customer_country=None),
        lambda: request_of(customer_region=Unreadable(), customer_postcode=MARKER),
        lambda: item_of({"traveller": {"name": MARKER, "passport": Unreadable()}}),
        lambda: item_of({"names": [MARKER, Unreadable()]}),
        lambda: PolicyRequest(reference="", policy_type="travel", fields={"name": MARKER}),
    ],
)
def test_a_value_of_the_adapter_that_is_refused_shows_none(build: Callable[[], object]) -> None:
    error = caught(build)

    assert isinstance(error, ValueError | TypeError)
    assert not leaks(error, *SECRETS)


def test_the_values_that_adapters_return_print_without_what_a_customer_typed() -> None:
    item = item_of({"traveller": {"name": MARKER}, "names": [MARKER]})
    asked = request_of(items=(item,), customer_postcode=MARKER, customer_region=MARKER)

    shown = f"{Policyholder(**ZOE)} {asked!r}"

    assert MARK not in shown
    assert EMAIL not in shown
    assert item.fields == {"traveller": {"name": MARKER}, "names": [MARKER]}


DATACLASSES = sorted(
    {
        value
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and value.__module__.startswith("django_xcover.")
        and not value.__module__.startswith("django_xcover.sandbox")
    },
    key=lambda found: (found.__module__, found.__qualname__),
)


@pytest.mark.parametrize("kind", DATACLASSES, ids=lambda found: found.__qualname__)
def test_no_value_prints_what_is_personal(kind: Any) -> None:
    open_fields = {
        field.name for field in dataclasses.fields(kind) if field.repr and field.name in PERSONAL
    }

    assert not {name for name in open_fields if (kind.__qualname__, name) not in HARMLESS}


# The client


def test_an_answer_prints_itself_for_sentry_as_well() -> None:
    """Sentry prints a mapping item by item unless it says what to print."""
    answer: Any = Response(ZOE)

    assert MARK not in answer.__sentry_repr__()


@pytest.mark.parametrize(
    "step",
    [
        does.reset,
        does.empty(503),
        does.json(500, {"message": MARKER, **ZOE}),
        does.json(422, {"message": MARKER, "errors": {"policyholder": {"email": [EMAIL]}}}),
        does.json(409, {"message": MARKER}),
        does.json(200, [ZOE]),
        does.raw(does.response(200, MARKER.encode())),
        does.raw(does.response(200, MARKER.encode(), {"Content-Encoding": "gzip"})),
        does.empty(302, {"Location": f"https://{EMAIL}/x"}),
    ],
)
def test_a_call_that_fails_shows_nothing(step: does.Step, serve: Serve, connect: Connect) -> None:
    client = connect(serve(step, step, step, step, step))

    error = caught(lambda: client.create_booking(INS, {"policyholder": ZOE}, idempotency_key="k"))

    assert list(frames(error))
    assert not leaks(error, *SECRETS)


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.create_quote({"request": [{"name": MARKER, "x": object()}]}),
        lambda client: client.create_booking(INS, {"policyholder": ZOE}, idempotency_key=" "),
        lambda client: client.create_booking("..", {"policyholder": ZOE}),
        lambda client: client.create_booking(INS, {"policyholder": ZOE}, deadline=0),
        lambda client: client.create_booking(INS, {"policyholder": ZOE}, nickname=MARKER),
        lambda client: XCoverClient(
            base_url="x", partner_code="A", api_key=API_KEY, api_secret=API_SECRET
        ),
    ],
)
def test_arguments_that_cannot_be_sent_are_not_shown(
    act: Callable[[XCoverClient], object], connect: Connect
) -> None:
    error = caught(lambda: act(connect("http://localhost:1")))

    assert not leaks(error, *SECRETS)


@pytest.mark.parametrize(
    "page", [{"results": [ZOE, MARKER]}, {"results": [ZOE], "next": f"https://h/?name={MARKER}"}]
)
def test_a_page_of_bookings_that_is_wrong_is_not_shown(
    page: Any, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(does.json(200, page)))

    assert not leaks(caught(lambda: list(client.list_bookings())), *SECRETS)
