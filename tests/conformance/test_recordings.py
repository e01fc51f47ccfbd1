"""The sandbox answers every recorded request as XCover's staging did."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.recordings import FILES, NEEDED, interactions
from tests.conformance.replay import Exchange, replayed
from tests.conformance.trees import complaints, fields

pytestmark = NEEDED
PLAYED = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

# Keys that bookings of 2026 have, and the recordings of 2019 and 2021 have not.
OF_2026 = frozenset(
    [
        "booking_agent",
        "cancel_link",
        "cancellation_info",
        "cancelled_from",
        "company_reg_id",
        "custom_documents",
        "experiment",
        "fast_quote_id",
        "fields_allowed_to_update",
        "fnol_link",
        "gender",
        "ombudsman_list",
        "parent_quote_status",
        "policy_currency",
        "policy_type_slug",
        "policy_type_version",
        "sign_up_url",
        "third_party_admins",
    ]
)
# What cannot be the same: (file, path in the body, reason). Nothing else may differ.
DIFFERENCES = (
    (
        "test_*",
        "*.instalment_plans*",
        "the recorded partner got plans on 26 Nov 2021; the sandbox always has them",
    ),
    ("test_*", "*.emails.attach_coi", "a key added in Nov 2021; the sandbox has it"),
    ("test_*", "*.partner.attributes", "a key added in Nov 2021; the sandbox has it"),
    ("test_*", "*.subsidiary.attributes", "a key added in Nov 2021; the sandbox has it"),
    *(
        (
            "test_list_bookings*",
            f".results.quotes.{place}",
            "the recorded item was booked in 2019, with the product and the keys of that time",
        )
        for place in (
            "benefits*",
            "commission.partner_commission*",
            "commission.surcharge_commission*",
            "cover_amount*",
            "insured*",
            "policy.claim_selector_id",
            "policy.content.disclaimer_html",
            "policy.content.exclusions",
            "policy.content.in_path_disclaimer",
            "policy.content.inclusions",
            "policy.content.payment_disclaimer",
            "surcharge*",
            "tax.taxes*",
        )
    ),
)
SAME_VALUES = (
    "status", "currency", "partner_transaction_id", "policy_start_date", "policy_end_date",
    "duration", "insured", "policy_type", "policy_type_group_name", "category", "is_renewable",
    "is_pricebeat_enabled", "can_be_cancelled", "next_renewal", "policyholder", "errors",
    "bundle_content", "next", "previous", "attachments", "files", "extra_fields", "surcharge",
    "customer_language",
)  # fmt: skip


@PLAYED
def test_every_recorded_call_gets_the_recorded_status_and_headers(path: Path) -> None:
    for exchange, _ in replayed(path):
        assert exchange.ours.status_code == exchange.recorded["status"], exchange.name
        for name, value in exchange.recorded["headers"].items():
            assert exchange.ours.headers[name] == value, exchange.name
        if "content-type" not in exchange.recorded["headers"]:
            assert "content-type" not in exchange.ours.headers


@PLAYED
def test_every_answer_has_the_recorded_fields_with_the_recorded_types(path: Path) -> None:
    for exchange, _ in replayed(path):
        different = {
            name: types
            for name, types in _different(exchange).items()
            if not _is_listed(exchange.name, name)
        }
        assert different == {}, exchange.name


@PLAYED
def test_what_does_not_depend_on_the_product_has_the_recorded_value(path: Path) -> None:
    for exchange, replayer in replayed(path):
        theirs = dict(_values(replayer.translated(exchange.recorded["body"])))
        ours = dict(_values(exchange.body))
        different = {
            name: (value, ours.get(name))
            for name, value in theirs.items()
            # The recorded list holds bookings that no file made.
            if ours.get(name) != value and not name.startswith(".results")
        }
        assert different == {}, exchange.name


@PLAYED
def test_stamps_move_between_calls_as_recorded(path: Path) -> None:
    before: tuple[dict[str, Any], dict[str, Any]] | None = None
    for exchange, replayer in replayed(path):
        now = (_stamps(replayer.translated(exchange.recorded["body"])), _stamps(exchange.body))
        if before is not None:
            assert _moved(before[1], now[1]) == _moved(before[0], now[0]), exchange.name
        before = now if exchange.recorded["body"] else before


def test_no_difference_is_listed_that_does_not_exist() -> None:
    found = {
        (exchange.name, name.replace("[]", ""))
        for path in FILES
        for exchange, _ in replayed(path)
        for name in _different(exchange)
    }

    idle = [
        (file, place)
        for file, place, _ in DIFFERENCES
        if not any(fnmatch.fnmatch(n, file) and fnmatch.fnmatch(p, place) for n, p in found)
    ]
    assert idle == []


def test_the_kept_field_tree_agrees_with_the_recordings() -> None:
    wrong = [
        (path.stem, number, found)
        for path in FILES
        for number, recorded in enumerate(interactions(path))
        for found in complaints(*_tree(recorded))
        if recorded["response"]["body"] is not None
    ]

    assert wrong == []


def test_everything_recorded_is_replayed() -> None:
    played = [exchange for path in FILES for exchange, _ in replayed(path)]

    assert len(played) == sum(len(interactions(path)) for path in FILES)
    assert sum(len(fields(exchange.body)) for exchange in played) > 3000


def _different(exchange: Exchange) -> dict[str, tuple[str | None, str | None]]:
    theirs, ours = fields(exchange.recorded["body"]), fields(exchange.body)
    names = {n for n in theirs.keys() | ours.keys() if n.split(".")[-1].strip("[]") not in OF_2026}
    return {n: (theirs.get(n), ours.get(n)) for n in names if theirs.get(n) != ours.get(n)}


def _is_listed(name: str, path: str) -> bool:
    return any(
        fnmatch.fnmatch(name, file) and fnmatch.fnmatch(path.replace("[]", ""), place)
        for file, place, _ in DIFFERENCES
    )


def _values(body: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(body, dict):
        for name, value in body.items():
            if name in SAME_VALUES:
                yield f"{path}.{name}", _as_recorded(value)
            else:
                yield from _values(value, f"{path}.{name}")
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from _values(value, f"{path}.{number}")


def _as_recorded(value: Any) -> Any:
    """Return an object without the keys of 2026."""
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if name not in OF_2026}


def _stamps(body: Any) -> dict[str, Any]:
    """Return `updated_at` of the package and of each quote, by id."""
    if not isinstance(body, dict) or "quotes" not in body or "id" not in body:
        return {}
    quotes = body["quotes"]
    listed = quotes.values() if isinstance(quotes, dict) else quotes
    return {item["id"]: item["updated_at"] for item in (body, *listed)}


def _moved(before: dict[str, Any], now: dict[str, Any]) -> dict[str, bool]:
    return {name: before[name] != now[name] for name in before.keys() & now.keys()}


def _tree(recorded: dict[str, Any]) -> tuple[str, Any]:
    request, body = recorded["request"], recorded["response"]["body"]
    path = request["path"].partition("?")[0]
    if recorded["response"]["status"] >= 400:
        return "error", body
    if "/quotes/" in path:
        return "package", body
    if path.endswith("/instalments/"):
        return "instalments", body
    if path.endswith("/bookings/"):
        return "list", body
    return ("cancellation" if "cancel" in path else "booking"), body
