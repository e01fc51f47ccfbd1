"""Every endpoint: verb, path with or without final slash, query, body, answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.client import Conflict, Response, UnexpectedAnswer, XCoverClient
from django_xcover.client.auth import signature, string_to_sign
from tests.client import server as does
from tests.client.conftest import API_SECRET, Connect, Serve

INS = "KXR4W-9PJTC-INS"
UPD = "aB3dE-9fGhJ-kL2mN-UPD"
CCL = "aB3dE-9fGhJ-kL2mN-CCL"
REN = "aBcDe-fGhJk-REN"
SOME: dict[str, Any] = {"a": 1}

Call = Callable[[XCoverClient], Any]

# The contract's endpoint table, rows 1 to 6 and 8 to 25.
P, U, C, R = INS, UPD, CCL, REN
CONFIRM_CCL = "confirm_cancellation"
NIL, ONE = b"{}", b'{"a":1}'
ROWS: list[tuple[str, tuple[Any, ...], str, bytes, int]] = [
    ("create_quote", (SOME,), "POST quotes/", ONE, 201),
    ("fast_quote", (SOME,), "POST quotes/?fast_quote=1", ONE, 201),
    ("get_quote", (P,), f"GET quotes/{P}/", b"", 200),
    ("update_quote", (P, SOME), f"PATCH quotes/{P}/", ONE, 200),
    ("add_quotes", (P, SOME), f"POST quotes/{P}/add/", ONE, 201),
    ("delete_quotes", (P, SOME), f"POST quotes/{P}/delete/", ONE, 200),
    ("create_booking", (P, SOME), f"POST bookings/{P}/", ONE, 200),
    ("confirm_booking", (P,), f"PUT bookings/{P}/confirm", NIL, 201),
    ("instant_booking", (SOME,), "POST instant_booking/", ONE, 200),
    ("opt_out", (P,), f"POST bookings/{P}/opt_out", NIL, 204),
    ("get_booking", (P,), f"GET bookings/{P}/", b"", 200),
    ("booking_modification", (P, SOME), f"PATCH bookings/{P}/", ONE, 200),
    ("booking_modification_quote", (P, SOME), f"PATCH bookings/{P}/quote_for_update", ONE, 200),
    ("confirm_booking_modification", (P, U), f"POST bookings/{P}/confirm_update/{U}/", NIL, 201),
    ("cancel_booking", (P,), f"POST bookings/{P}/cancel", NIL, 200),
    ("confirm_booking_cancellation", (P, C), f"POST bookings/{P}/{CONFIRM_CCL}/{C}/", NIL, 200),
    ("quote_for_renewal", (P,), f"PATCH renewals/{P}/quote_for_renewal/", NIL, 200),
    ("renewal_confirmation", (P, U), f"POST renewals/{P}/confirm/{U}/", NIL, 200),
    ("renewal_confirmation", (P, U), f"POST renewals/{P}/confirm/{U}/", NIL, 202),
    ("renewal_opt_out", (P,), f"POST renewals/{P}/opt_out/", NIL, 204),
    ("legacy_renewal_confirmation", (R, SOME), f"PATCH renewals/{R}/confirmation", ONE, 202),
    ("get_instalments", (P,), f"GET bookings/{P}/instalments/", b"", 200),
    ("update_instalment_payment_status", (P, SOME), f"POST bookings/{P}/instalments/", ONE, 204),
    ("trigger_email", (P,), f"POST bookings/{P}/send_email", NIL, 202),
    ("trigger_email", (P, SOME), f"POST bookings/{P}/send_email", ONE, 202),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "args", "sent", "body", "status"), ROWS, ids=[f"{row[0]} {row[4]}" for row in ROWS]
)
def test_a_call_goes_where_the_contract_says_and_returns_the_decoded_answer(
    *,
    name: str,
    args: tuple[Any, ...],
    sent: str,
    body: bytes,
    status: int,
    serve: Serve,
    connect: Connect,
) -> None:
    empty = status in {202, 204}
    server = serve(does.empty(status) if empty else does.json(status, {"price": Decimal("2.10")}))

    answer = getattr(connect(server), name)(*args)

    (seen,) = server.seen
    assert f"{seen.method} {seen.target}" == sent.replace(" ", " /x/partners/ACME1/")
    assert seen.body == body
    assert answer == (None if empty else {"price": Decimal("2.10")})


def test_a_booking_can_be_read_in_a_language(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, {"id": INS}))

    connect(server).get_booking(INS, language="en-us")

    assert server.seen[0].target.endswith(f"/bookings/{INS}/?language=en-us")


EMPTY: list[Call] = [
    lambda c: c.opt_out(INS, idempotency_key="k"),
    lambda c: c.renewal_opt_out(INS, idempotency_key="k"),
    lambda c: c.trigger_email(INS, idempotency_key="k"),
    lambda c: c.update_instalment_payment_status(INS, SOME, idempotency_key="k"),
    lambda c: c.legacy_renewal_confirmation(REN, SOME, idempotency_key="k"),
]


@pytest.mark.parametrize("call", EMPTY)
@pytest.mark.parametrize("body", [b"", b'{"type": "api_error", "message": "Duplicated request"}'])
def test_a_replay_of_an_empty_success_is_one(
    call: Call, body: bytes, serve: Serve, connect: Connect
) -> None:
    assert call(connect(serve(does.raw(does.response(409, body))))) is None


@pytest.mark.parametrize("call", EMPTY)
def test_a_page_of_html_is_no_empty_success(call: Call, serve: Serve, connect: Connect) -> None:
    with pytest.raises(UnexpectedAnswer):
        call(connect(serve(does.raw(does.response(200, b"<html>Log in</html>")))))


def test_a_conflict_over_an_opt_out_is_no_success(serve: Serve, connect: Connect) -> None:
    conflict = does.json(409, {"type": "api_error", "message": "Something else"})

    with pytest.raises(Conflict):
        connect(serve(conflict)).opt_out(INS, idempotency_key="k")


def test_a_replayed_booking_counts_as_success_and_says_so(serve: Serve, connect: Connect) -> None:
    booked = {"id": INS, "status": "CONFIRMED", "total_price": Decimal("3.40")}
    client = connect(serve(does.json(409, booked)))

    answer = client.create_booking(INS, {}, idempotency_key="order-7")

    assert answer == booked
    assert (answer.status_code, answer.replayed) == (409, True)


def test_a_first_answer_is_no_replay(serve: Serve, connect: Connect) -> None:
    answer = connect(serve(does.json(200, {"id": INS}))).create_booking(INS, {})

    assert (answer.status_code, answer.replayed) == (200, False)


def test_a_conflict_that_names_the_booking_is_no_replay(serve: Serve, connect: Connect) -> None:
    conflict = {"type": "api_error", "message": "Being changed", "id": INS}

    with pytest.raises(Conflict):
        connect(serve(does.json(409, conflict))).create_booking(INS, {}, idempotency_key="k")


def test_a_conflict_without_a_key_is_no_replay(serve: Serve, connect: Connect) -> None:
    with pytest.raises(Conflict) as caught:
        connect(serve(does.json(409, {"id": INS}))).create_booking(INS, {})

    assert caught.value.outcome_known is False


def test_an_answer_shows_neither_names_nor_tokens() -> None:
    answer = Response(
        {"id": INS, "status": "CONFIRMED", "security_token": "T", "policyholder": "Ana"}
    )

    assert repr(answer) == f"<Response 200 {{'id': '{INS}', 'status': 'CONFIRMED'}}>"


def test_an_idempotency_key_may_be_a_uuid(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, {"id": INS}))
    key = uuid.uuid4()

    connect(server).create_booking(INS, {}, idempotency_key=str(key))

    assert server.seen[0].headers["x-idempotency-key"] == str(key)


def test_no_key_is_made_up(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, {"id": INS}))

    connect(server).create_booking(INS, {})

    assert "x-idempotency-key" not in server.seen[0].headers


def test_the_signed_path_is_the_one_sent(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(201, {"id": INS}))

    connect(server, signed_headers="(request-target) date").fast_quote({})

    (seen,) = server.seen
    text = string_to_sign(
        "(request-target) date",
        date=seen.headers["date"],
        method="POST",
        path="/x/partners/ACME1/quotes/",
    )
    assert (
        signature(text, secret=API_SECRET, algorithm="hmac-sha512")
        in (seen.headers["authorization"])
    )


def test_exact_numbers_and_dates_reach_the_wire(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(201, {}))

    connect(server).create_quote({"price": Decimal("0.10"), "on": date(2026, 5, 1)})

    assert server.seen[0].body == b'{"price":0.10,"on":"2026-05-01"}'


def test_an_unknown_option_is_a_programming_error(connect: Connect) -> None:
    client: Any = connect("http://localhost:1")

    with pytest.raises(TypeError):
        client.get_quote(INS, idempotency="k", timeout=3)
