"""Stored answers are read like live ones, and a bent field costs that field only."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import fields as fields_of
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.client.schemas import requests, stored, webhooks

QUOTE: dict[str, Any] = {
    "id": "q-1",
    "price_formatted": "£9.50",
    "cover_amount": "500.00",
    "cover_amount_formatted": "£500.00",
    "pds_url": "https://www.xcover.com/en/pds/x",
    "policy": {
        "policy_type": "parcel_insurance",
        "policy_name": "Parcel Protection",
        "policy_version": "v2",
        "underwriter": {"name": "An Insurer Ltd"},
        "content": {"description": "Pays for parcels.", "disclaimer_html": "<p>Terms</p>"},
    },
    "benefits": [
        {"description": "Loss", "limit": 500, "limit_formatted": "£500", "excess": "25.00"},
        {"description": "Theft", "limit_description": "No limit", "excess_description": "None"},
    ],
    "instalment_plans": [
        {"name": "1year-monthly", "amount": "9.50", "first_instalment_amount": "0.80"}
    ],
}
PACKAGE: dict[str, Any] = {
    "currency": "GBP",
    "policyholder": {
        "first_name": "Ana",
        "last_name": "Rossi",
        "email": "ana@example.com",
        "fields_allowed_to_update": ["phone", "city"],
    },
    "coi": {"url": "https://www.xcover.com/coi", "pdf": "https://www.xcover.com/coi.pdf"},
    "pds_url": "https://www.xcover.com/pds",
    "account_url": "https://www.xcover.com/en/account",
    "fnol_link": "https://www.xcover.com/claim",
    "cancel_link": "https://www.xcover.com/cancel",
    "security_token": "t0k3n",
}
BENT: tuple[Any, ...] = (None, 0, True, "", "x", [], ["x"], [None], {}, {"x": []}, Decimal("NaN"))


def paths(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from paths(inner, *path, key)


def values_at(answer: dict[str, Any], path: tuple[Any, ...]) -> int:
    """Return how many values there are at `path`, one where it is no object."""
    inner: Any = answer
    for key in path:
        inner = inner[key]
    leaves = list(paths(inner)) if isinstance(inner, dict | list) else []
    return max(len(leaves), 1)


def bent(answer: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return the answer with another value at `path`."""
    changed = copy.deepcopy(answer)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("value", BENT, ids=repr)
@pytest.mark.parametrize(
    ("read", "answer"), [(stored.read_quote, QUOTE), (stored.read_package, PACKAGE)]
)
def test_a_bent_field_costs_no_field_outside_of_it(read: Any, answer: Any, value: Any) -> None:
    whole = read(answer)

    for path in paths(answer):
        read_anew = read(bent(answer, path, value))
        damage = [
            field.name
            for field in fields_of(whole)
            if getattr(read_anew, field.name) != getattr(whole, field.name)
        ]
        assert len(damage) <= values_at(answer, path), (path, damage)


@pytest.mark.parametrize("payload", [None, [], "x", 1, {}], ids=repr)
def test_a_stored_answer_that_is_none_reads_as_empty(payload: Any) -> None:
    assert stored.read_quote(payload).benefits == ()
    assert stored.read_package(payload).policyholder.changeable == ()
    assert requests.read_changes(payload).policies == ()
    assert requests.quote_ids(payload) == []


def test_a_quote_is_read_whole() -> None:
    read = stored.read_quote(QUOTE)

    assert (read.insurer, read.policy_version) == ("An Insurer Ltd", "v2")
    assert read.cover_amount.amount == Decimal(500)
    loss, theft = read.benefits
    assert (loss.limit.amount, loss.excess.amount) == (Decimal(500), Decimal(25))
    assert (theft.limit.description, theft.excess.description) == ("No limit", "None")
    (plan,) = read.instalment_plans
    assert plan.first_instalment_amount == Decimal("0.80")


def test_neither_the_customer_nor_a_link_is_in_the_text_of_a_package() -> None:
    text = repr(stored.read_package(PACKAGE))

    assert not [
        word for word in ("Ana", "Rossi", "example.com", "xcover.com", "t0k3n") if word in text
    ]


def test_the_older_disclaimer_is_read_where_there_is_no_html() -> None:
    older = bent(QUOTE, ("policy", "content"), {"disclaimer": "Terms"})

    assert stored.read_quote(older).disclaimer == "Terms"


def test_a_webhook_names_a_renewal_by_its_ending_or_beside_the_booking() -> None:
    beside = {"event": "E", "payload": {"id": "A-INS", "renewal_id": "B-REN"}}
    alone = {"event": "E", "payload": {"id": "B-REN"}}

    assert webhooks.webhook_from_wire(beside).ids == ("A-INS", "B-REN")
    assert webhooks.webhook_from_wire(alone).ids == ("", "B-REN")
    assert webhooks.webhook_from_wire({"payload": [1]}).ids == ("", "")


def test_what_is_left_of_a_body_names_the_other_quotes_with_their_plans() -> None:
    body = {"quotes": [{"id": "a"}, {"id": "b", "instalment_plan": "p"}], "policyholder": {}}

    left = requests.without_quotes(body, {"a"})

    assert left == {"quotes": [{"id": "b", "instalment_plan": "p"}], "policyholder": {}}
    assert requests.quote_ids(left) == ["b"]
