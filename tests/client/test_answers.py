"""What the wire says, once, as typed objects."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_xcover.client import UnexpectedAnswer
from django_xcover.client.schemas.packages import booking_from_wire, package_from_wire
from django_xcover.client.schemas.policies import (
    cancellation_from_wire,
    instalments_from_wire,
    modification_from_wire,
    renewal_from_wire,
)

INS = "KXR4W-9PJTC-INS"
QUOTE: dict[str, Any] = {
    "id": "7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11",
    "status": "RECEIVED",
    "price": Decimal("3.40"),
    "price_formatted": "£3.40",
    "policy_start_date": "2026-05-01T09:00:00+00:00",
    "policy_end_date": None,
    "duration": "50 09:30:00",
    "policy": {"policy_type": "event_ticket_protection", "policy_name": "Missed Event Cover"},
    "cover_amount": Decimal("120.0"),
    "is_renewable": False,
    "instalment_plans": [{"name": "1year-monthly", "label": "Monthly", "amount": Decimal("2.01")}],
}
PACKAGE: dict[str, Any] = {
    "id": INS,
    "status": "RECEIVED",
    "currency": "GBP",
    "total_price": Decimal("3.4"),
    "partner_transaction_id": None,
    "created_at": "2026-04-30T08:15:02.120034Z",
    "security_token": "SECRET-TOKEN",
    "quotes": {"0": QUOTE},
    "errors": {},
}
BOOKING: dict[str, Any] = {
    **PACKAGE,
    "status": "CONFIRMED",
    "partner_transaction_id": "ORD-10023",
    "quotes": [{**QUOTE, "status": "CONFIRMED", "can_be_cancelled": True}],
    "coi": {"url": "https://x/coi?t=SECRET-TOKEN", "pdf": "https://x/coi.pdf?t=SECRET-TOKEN"},
    "account_url": "https://x/account?signup_token=SECRET-TOKEN",
    "policyholder": {"first_name": "Ana", "email": "ana@example.com"},
}


def test_a_quote_package_is_read() -> None:
    package = package_from_wire(PACKAGE)

    (quote,) = package.quotes
    assert (package.package_id, package.status, package.currency) == (INS, "RECEIVED", "GBP")
    assert package.total_price == Decimal("3.4")
    assert package.created_at == datetime(2026, 4, 30, 8, 15, 2, 120034, UTC)
    assert package.partner_transaction_id is None
    assert (quote.key, quote.quote_id, quote.price) == ("0", QUOTE["id"], Decimal("3.40"))
    assert quote.duration == timedelta(days=50, hours=9, minutes=30)
    assert (quote.policy_end_date, quote.can_be_cancelled) == (None, None)
    assert quote.instalment_plans[0].amount == Decimal("2.01")
    assert quote.instalment_plans[0].first_instalment_amount is None
    assert package.raw is PACKAGE


def test_a_booking_is_read_with_its_list_of_policies() -> None:
    booking = booking_from_wire(BOOKING)

    (policy,) = booking.quotes
    assert (policy.key, policy.status, policy.can_be_cancelled) == (None, "CONFIRMED", True)
    assert booking.coi_pdf == "https://x/coi.pdf?t=SECRET-TOKEN"
    assert booking.policyholder_email == "ana@example.com"
    assert booking.partner_transaction_id == "ORD-10023"


def test_what_is_shown_holds_no_token_link_or_person() -> None:
    booking = booking_from_wire({**BOOKING, "pds_url": "https://x/pds", "errors": {"0": "Ana"}})

    shown = f"{booking!r} {booking.quotes!r} {package_from_wire(PACKAGE)!r}"

    assert INS in shown
    assert not [word for word in ("SECRET-TOKEN", "https://", "Ana", "ana@") if word in shown]


def test_quotes_stand_in_the_order_of_their_numbers() -> None:
    quotes = {key: {**QUOTE, "id": f"id-{key}"} for key in ("10", "2", "0", "x")}

    package = package_from_wire({**PACKAGE, "quotes": quotes})

    assert [quote.key for quote in package.quotes] == ["0", "2", "10", "x"]


def test_a_quote_that_could_not_be_made_is_told_with_its_reason() -> None:
    answer = {
        **PACKAGE,
        "quotes": {"0": None, "1": QUOTE, "2": None},
        "errors": {"0": {"message": "No policy", "type": "quote_creation_failure"}},
    }

    package = package_from_wire(answer)

    assert [quote.key for quote in package.quotes] == ["1"]
    assert dict(package.failed) == {"0": answer["errors"]["0"], "2": None}


def test_a_booking_that_failed_in_part_is_told() -> None:
    booking = booking_from_wire({**BOOKING, "quotes": [None, QUOTE], "errors": ["Not insurable"]})

    assert [policy.quote_id for policy in booking.quotes] == [QUOTE["id"]]
    assert dict(booking.failed) == {"0": None, "non_field_errors": ["Not insurable"]}


@pytest.mark.parametrize("errors", [{}, [], None])
def test_no_errors_means_nothing_failed(errors: object) -> None:
    assert package_from_wire({**PACKAGE, "errors": errors}).failed == {}


def test_unknown_statuses_and_fields_survive() -> None:
    package = package_from_wire({**PACKAGE, "status": "NEW_IN_2027", "novelty": [1]})

    assert package.status == "NEW_IN_2027"
    assert package.raw["novelty"] == [1]


def test_the_shape_of_2019_is_read_too() -> None:
    old = {name: PACKAGE[name] for name in ("id", "status", "currency", "total_price")}
    quote = {name: QUOTE[name] for name in ("id", "status", "price")}

    package = package_from_wire({**old, "quotes": {"1": quote}})

    assert package.quotes[0].instalment_plans == ()
    assert package.failed == {}


BROKEN: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("id", lambda a: a.pop("id")),
    ("id", lambda a: a.update(id=7)),
    ("id", lambda a: a.update(id=" ")),
    ("status", lambda a: a.update(status=None)),
    ("currency", lambda a: a.update(currency="gbp")),
    ("currency", lambda a: a.update(currency="£")),
    ("total_price", lambda a: a.update(total_price=3.4)),
    ("created_at", lambda a: a.update(created_at="yesterday")),
    ("quotes", lambda a: a.pop("quotes")),
    ("quotes", lambda a: a.update(quotes="none")),
    ("quotes.0", lambda a: a.update(quotes={"0": 5})),
    ("quotes.0", lambda a: a.update(quotes=["x"])),
    ("quotes.0.price", lambda a: a["quotes"]["0"].pop("price")),
    ("quotes.0.price", lambda a: a["quotes"]["0"].update(price="3,40")),
    ("quotes.0.duration", lambda a: a["quotes"]["0"].update(duration="P50D")),
    ("quotes.0.policy", lambda a: a["quotes"]["0"].update(policy="x")),
    ("quotes.0.policy.policy_type", lambda a: a["quotes"]["0"]["policy"].update(policy_type=1)),
    ("quotes.0.is_renewable", lambda a: a["quotes"]["0"].update(is_renewable="yes")),
    ("quotes.0.instalment_plans", lambda a: a["quotes"]["0"].update(instalment_plans={"a": 1})),
    ("quotes.0.instalment_plans.0.name", lambda a: a["quotes"]["0"]["instalment_plans"][0].clear()),
    ("coi", lambda a: a.update(coi="https://x")),
    ("coi.url", lambda a: a.update(coi={"url": 3})),
    ("policyholder.email", lambda a: a.update(policyholder={"email": []})),
]


@pytest.mark.parametrize(("field", "break_it"), BROKEN)
def test_a_malformed_answer_is_refused_by_the_name_of_the_field(
    field: str, break_it: Callable[[dict[str, Any]], object]
) -> None:
    answer = copy.deepcopy(PACKAGE)
    break_it(answer)

    with pytest.raises(UnexpectedAnswer, match=field.replace(".", r"\.")) as caught:
        package_from_wire(answer)

    assert caught.value.field == field
    assert caught.value.outcome_known is False


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*PACKAGE, *QUOTE, "0", "1"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(answer=JSON, name=st.sampled_from([*BOOKING]))
def test_no_answer_raises_anything_but_the_typed_error(answer: Any, name: str) -> None:
    for wire in (answer, {**BOOKING, name: answer}, {**PACKAGE, "quotes": {"0": answer}}):
        for read in (
            package_from_wire,
            cancellation_from_wire,
            modification_from_wire,
            renewal_from_wire,
            instalments_from_wire,
        ):
            try:
                read(wire)
            except UnexpectedAnswer as error:
                assert str(error)  # noqa: PT017 (both outcomes are right)


def test_a_cancellations_preview_is_told_from_the_cancellation() -> None:
    quote = {"id": "q", "status": "CANCELLED", "price": Decimal("2.02"),
             "refund_value": Decimal("2.02"), "adjustment_fee": Decimal("0.91")}  # fmt: skip
    done = {
        "id": INS,
        "status": "CANCELLED",
        "currency": "GBP",
        "total_refund": Decimal("2.02"),
        "cancellation_id": None,
        "confirm_before": None,
        "quotes": [quote],
    }
    preview = {
        **done,
        "cancellation_id": "aB3dE-9fGhJ-kL2mN-CCL",
        "confirm_before": "2026-05-03T07:00:00.669743Z",
    }

    assert cancellation_from_wire(done).preview is False
    answer = cancellation_from_wire(preview)
    assert (answer.preview, answer.status) == (True, "CANCELLED")
    assert answer.confirm_before == datetime(2026, 5, 3, 7, 0, 0, 669743, UTC)
    assert answer.quotes[0].refund_value == answer.total_refund == Decimal("2.02")


def test_a_modifications_price_has_its_differences() -> None:
    answer = {
        **BOOKING,
        "update_id": "aB3dE-9fGhJ-kL2mN-UPD",
        "total_price_diff": Decimal("-1.20"),
        "quotes": [{**QUOTE, "price_diff": Decimal("-1.20")}],
    }

    modification = modification_from_wire(answer)

    assert modification.preview is True
    assert modification.total_price_diff == Decimal("-1.20")
    assert modification.price_diffs == {QUOTE["id"]: Decimal("-1.20")}
    assert modification_from_wire(BOOKING).preview is False


def test_a_renewals_price_is_read_with_the_little_that_is_documented() -> None:
    renewal = renewal_from_wire({"renewal_id": "aB3dE-9fGhJ-kL2mN-UPD", "quotes": [QUOTE]})

    assert renewal.renewal_id == "aB3dE-9fGhJ-kL2mN-UPD"
    assert renewal.quotes[0].price == Decimal("3.40")
    assert renewal.currency == ""


def test_a_schedule_of_instalments_is_read() -> None:
    answer = {
        "currency": "GBP",
        "quotes": [
            {
                "id": "q",
                "paid_until": "2026-05-01T09:00:07.365858Z",
                "total_amount_paid": Decimal("0.17"),
                "total_amount_due": "1.87",
                "payment_schedule": [
                    {"id": "i", "number": 1, "status": "PAID", "total_amount": Decimal("0.17")}
                ],
            }
        ],
    }

    (schedule,) = instalments_from_wire(answer)

    assert (schedule.currency, schedule.total_amount_due) == ("GBP", Decimal("1.87"))
    assert (schedule.instalments[0].number, schedule.instalments[0].status) == (1, "PAID")
