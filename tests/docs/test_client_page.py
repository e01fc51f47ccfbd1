"""The table of errors on the client's page is what the client does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import isclass

import pytest
import requests

from django_xcover import client as package
from django_xcover.client import XCoverClient, XCoverError, errors
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.docs.pages import DOCS, column, table

PAGE, HEAD = DOCS / "client.md", "| Class | HTTP |"
ROWS = {row[0].strip("`"): row for row in table(PAGE, HEAD)}
STATUSES = [
    (name, int(status), row[2], row[3])
    for name, row in ROWS.items()
    for status in re.findall(r"\b[45]\d\d\b", row[1])
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[XCoverClient]:
    """Return a client that the sandbox answers in this process."""
    with requests.Session() as session:
        mount(session, "https://xcover.test/x", sandbox)
        yield XCoverClient(
            base_url="https://xcover.test/x",
            partner_code="SHOP1",
            api_key="sandbox-key",
            api_secret="sandbox-secret",
            max_attempts=1,
            session=session,
        )


def test_every_class_of_error_is_in_the_table() -> None:
    offered = {name: getattr(package, name) for name in package.__all__}
    classes = {
        name
        for name, value in offered.items()
        if isclass(value) and issubclass(value, XCoverError) and value is not XCoverError
    }

    assert set(column(PAGE, HEAD)) == classes


@pytest.mark.parametrize(("name", "row"), ROWS.items())
def test_what_is_permanent_is_as_the_table_says(name: str, row: list[str]) -> None:
    assert getattr(errors, name).permanent is row[2].startswith("yes")


@pytest.mark.parametrize("told", STATUSES, ids=lambda told: str(told[1]))
def test_a_refused_write_raises_what_the_table_says(
    client: XCoverClient, sandbox: Sandbox, told: tuple[str, int, str, str]
) -> None:
    name, status, permanent, known = told
    sandbox.faults.add("create_booking", "status", status=status)

    with pytest.raises(XCoverError) as caught:
        client.create_booking("AAAAA-BBBBB-INS", {}, idempotency_key="one")

    assert type(caught.value).__name__ == name
    assert caught.value.permanent is permanent.startswith("yes")
    assert caught.value.outcome_known is known.startswith("yes")


@pytest.mark.parametrize("status", sorted({status for _, status, _, _ in STATUSES} | {408}))
def test_after_a_read_the_outcome_is_always_known(
    client: XCoverClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.faults.add("get_booking", "status", status=status)

    with pytest.raises(XCoverError) as caught:
        client.get_booking("AAAAA-BBBBB-INS")

    assert caught.value.outcome_known


def test_a_request_timeout_leaves_a_write_unknown(client: XCoverClient, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=408)

    with pytest.raises(package.RequestRefused) as caught:
        client.create_booking("AAAAA-BBBBB-INS", {}, idempotency_key="one")

    assert not caught.value.outcome_known


@pytest.mark.parametrize(
    ("kind", "name"), [("garbage", "UnexpectedAnswer"), ("reset", "ConnectionFailed")]
)
def test_an_answer_that_cannot_be_read_leaves_a_write_unknown(
    client: XCoverClient, sandbox: Sandbox, kind: str, name: str
) -> None:
    sandbox.faults.add("create_quote", kind)

    with pytest.raises(getattr(errors, name)) as caught:
        client.create_quote({"request": [], "currency": "GBP"}, idempotency_key="one")

    assert not caught.value.permanent
    assert not caught.value.outcome_known
