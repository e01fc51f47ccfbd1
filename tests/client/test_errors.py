"""Errors say what to do, and keep the vendor's words out of what is printed."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from django_xcover.client import (
    AuthenticationFailed,
    Conflict,
    ConnectionFailed,
    InvalidPayload,
    NotFound,
    RequestRefused,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    ValidationFailed,
    XCoverError,
)
from django_xcover.client.errors import flatten
from tests.client import server as does
from tests.client.conftest import Connect, Serve

INS = "KXR4W-9PJTC-INS"


@pytest.mark.parametrize(
    ("errors", "flat"),
    [
        ({"currency": ["Required."]}, {"currency": ["Required."]}),
        ({"policy_version": "Unexpected field"}, {"policy_version": ["Unexpected field"]}),
        ({"policyholder": {"phone": ["Bad", "Short"]}}, {"policyholder.phone": ["Bad", "Short"]}),
        (["Wrong status."], {"non_field_errors": ["Wrong status."]}),
        ({"non_field_errors": ["Required"]}, {"non_field_errors": ["Required"]}),
        ("Wrong status.", {"non_field_errors": ["Wrong status."]}),
        (
            [{"quote_id": None, "code": "invalid", "details": ["Too old", "Too far"]}],
            {"non_field_errors": ["Too old", "Too far"]},
        ),
        ({"0": {"message": "No price", "type": "quote_creation_failure"}}, {"0": ["No price"]}),
        ({"request": [{}, {"event_name": ["Required."]}]}, {"request.1.event_name": ["Required."]}),
        ({"policyholder": {"message": ["Not a field"]}}, {"policyholder.message": ["Not a field"]}),
        ({"age": 3, "region": None}, {"age": ["3"]}),
        (None, {}),
        ({}, {}),
        ([], {}),
    ],
)  # fmt: skip
def test_every_shape_of_errors_is_flattened_to_paths(errors: Any, flat: dict[str, Any]) -> None:
    assert flatten(errors) == flat


def test_errors_without_end_are_cut() -> None:
    deep: Any = "bottom"
    for _ in range(500):
        deep = {"a": deep}

    assert flatten(deep) == {}
    assert len(flatten({str(n): "x" for n in range(5000)})) == 200


def test_control_characters_and_long_texts_do_not_get_through() -> None:
    flat = flatten({"a\x1b[31m": "one\nline\x00 \u202e" + "x" * 9999})

    (name, texts) = next(iter(flat.items()))
    assert name == "a [31m"
    assert texts[0].startswith("one line x")
    assert len(texts[0]) == 500


@pytest.mark.parametrize(
    ("status", "body", "kind", "permanent", "known"),
    [
        (400, {"type": "validation_error", "message": "JSON parse error"}, ValidationFailed, 1, 1),
        (400, {"error": "Authorization field missing"}, AuthenticationFailed, 1, 1),
        (401, {}, AuthenticationFailed, 1, 1),
        (403, {"type": "auth_error", "message": "No"}, AuthenticationFailed, 1, 1),
        (404, {"type": "api_error"}, NotFound, 1, 1),
        (405, {"detail": "Method not allowed"}, RequestRefused, 1, 1),
        (408, {}, RequestRefused, 1, 0),
        (409, {"type": "api_error", "message": "Other"}, Conflict, 1, 0),
        (422, {"type": "validation_error"}, ValidationFailed, 1, 1),
        (429, {}, Throttled, 0, 1),
        (500, {}, ServerFault, 0, 0),
        (503, {"error": "upstream"}, ServerFault, 0, 0),
    ],
)
def test_a_status_becomes_the_error_that_answers_both_questions(
    *,
    status: int,
    body: dict[str, str],
    kind: type[XCoverError],
    permanent: int,
    known: int,
    serve: Serve,
    connect: Connect,
) -> None:
    client = connect(serve(does.json(status, body)), max_attempts=1)

    with pytest.raises(XCoverError) as caught:
        client.create_booking(INS, {}, idempotency_key="k")

    assert type(caught.value) is kind
    assert caught.value.status == status
    assert (caught.value.permanent, caught.value.outcome_known) == (bool(permanent), bool(known))


@pytest.mark.parametrize("status", [408, 409, 423, 500, 503])
def test_a_reading_call_that_fails_leaves_no_doubt(
    status: int, serve: Serve, connect: Connect
) -> None:
    with pytest.raises(XCoverError) as caught:
        connect(serve(does.json(status, {})), max_attempts=1).get_quote(INS)

    assert caught.value.outcome_known is True


def test_the_vendors_words_are_attributes(serve: Serve, connect: Connect) -> None:
    body = {
        "type": "validation_error",
        "message": "An API error occurred.",
        "code": "offer_validation_request_invalid",
        "error_id": "3f1c",
        "errors": {"policyholder": {"phone": ["Bad +447700900123"]}},
    }

    with pytest.raises(ValidationFailed) as caught:
        connect(serve(does.json(422, body))).create_booking(INS, {})

    error = caught.value
    assert (error.vendor_type, error.vendor_message, error.vendor_code, error.error_id) == (
        body["type"], body["message"], body["code"], body["error_id"],
    )  # fmt: skip
    assert error.errors == body["errors"]
    assert error.field_errors == {"policyholder.phone": ["Bad +447700900123"]}


def test_an_errors_text_names_fields_and_next_step_but_not_the_vendors_words(
    serve: Serve, connect: Connect
) -> None:
    body = {
        "type": "validation_error",
        "message": "Ana Rossi is too young",
        "errors": {"policyholder": {"email": ["ana@example.com is taken"]}, "x\n<b>": "Rossi"},
    }

    with pytest.raises(ValidationFailed) as caught:
        connect(serve(does.json(422, body))).create_booking(INS, {})

    for text in (str(caught.value), repr(caught.value)):
        assert "422, validation_error." in text
        assert "policyholder.email" in text
        assert ".field_errors" in text
        assert not any(word in text for word in ("Ana", "Rossi", "ana@", "<b>", "\n"))


def test_an_error_sent_to_another_process_leaves_the_vendors_words_behind() -> None:
    error = ValidationFailed(status=422, body={"message": "Ana", "errors": {"email": ["ana@x"]}})

    data = pickle.dumps(error)
    there = pickle.loads(data)  # noqa: S301

    assert b"Ana" not in data
    assert b"ana@x" not in data
    assert (type(there), there.status, there.permanent) == (ValidationFailed, 422, True)
    assert (there.vendor_message, there.errors, there.field_errors) == ("", None, {})


def test_every_kind_of_error_survives_pickling() -> None:
    for error in (
        ConnectionFailed("reset", request_sent=False),
        UnexpectedAnswer.at("quotes.0.price", "is not an amount"),
        Throttled(status=429, retry_after=3.0),
    ):
        there = pickle.loads(pickle.dumps(error))  # noqa: S301

        assert str(there) == str(error)
        assert there.__dict__ == error.__dict__


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"\xff\xfe", b"[1]", b'"x"', b"NaN", b"[" * 100_000]
)
def test_an_error_body_that_is_no_object_keeps_its_status(
    body: bytes, serve: Serve, connect: Connect
) -> None:
    with pytest.raises(NotFound):
        connect(serve(does.raw(does.response(404, body)))).get_quote(INS)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff\xfe", b"[1]", b"null", b'{"p": NaN}', b'{"a": 1', b"[" * 100_000],
)
def test_a_success_that_is_no_json_object_is_an_unexpected_answer(
    body: bytes, serve: Serve, connect: Connect
) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        connect(serve(does.raw(does.response(200, body)))).create_booking(INS, {})

    assert (caught.value.status, caught.value.outcome_known) == (200, False)


def test_bad_arguments_are_the_callers_and_nothing_is_sent(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, {}))
    client = connect(server)

    for package_id in ("", "../x", "a/b", "a?b", "ü", ".", " KXR4W"):
        with pytest.raises(InvalidPayload, match="package_id"):
            client.get_quote(package_id)
    for key in ("", "new\nline", "ü", "x" * 256, " edge"):
        with pytest.raises(InvalidPayload, match="idempotency_key"):
            client.create_booking(INS, {}, idempotency_key=key)

    assert server.seen == []
