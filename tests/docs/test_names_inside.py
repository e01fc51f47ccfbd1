"""What the pages about booking, the sandbox and the client name exists, and all of it is named."""

from __future__ import annotations

from inspect import signature

import pytest
from django.core.management import CommandParser, load_command_class

from django_xcover.client import XCoverClient
from django_xcover.models import Attention, OperationKind, OperationState
from django_xcover.outbox.failures import Fault
from django_xcover.sandbox.http.control import OPTIONS
from django_xcover.sandbox.http.faults import KINDS, Faults
from django_xcover.sandbox.resources import OPERATIONS
from django_xcover.support.failure_texts import ADVICE
from tests.docs.pages import DOCS, code_in, column, table

BOOKING, SANDBOX, CLIENT = DOCS / "booking.md", DOCS / "sandbox.md", DOCS / "client.md"


def test_every_state_of_an_operation_is_documented_in_the_words_of_the_admin() -> None:
    rows = {code_in(row[0])[0]: row[1] for row in table(BOOKING, "| State |")}

    assert rows == {state.value: str(state.label) for state in OperationState}


def test_every_kind_of_operation_is_documented_in_the_words_of_the_admin() -> None:
    told = {row[1] for row in table(BOOKING, "| Operation | In the admin |")}

    assert told == {str(kind.label) for kind in OperationKind}


def test_every_flag_is_documented_in_the_words_of_the_admin() -> None:
    rows = {code_in(row[0])[0]: row[1] for row in table(BOOKING, "| Flag |")}

    assert rows == {flag.value: str(flag.label) for flag in Attention}


@pytest.mark.parametrize("fault", list(Fault))
def test_what_staff_do_is_documented_in_the_words_of_the_admin(fault: Fault) -> None:
    said = [row[0] for row in table(BOOKING, "| What it says |")]
    wanted = str(ADVICE[fault][0]).removeprefix("%(name)s stopped: ").removeprefix("%(name)s: ")
    wanted = wanted.replace(" in %(failures)s attempts", "")

    assert wanted.lower() in [text.lower() for text in said]


def test_every_fault_and_operation_of_the_sandbox_is_documented() -> None:
    text = SANDBOX.read_text()
    listed = text[text.index("Operations: ") : text.index("## Clock")]

    assert set(column(SANDBOX, "| Kind |")) == KINDS
    assert set(code_in(listed)) == set(OPERATIONS)


def test_the_defaults_of_a_fault_are_documented() -> None:
    fault = Faults().add("*", "hang")
    rows = table(SANDBOX, "| Option | Default | |", number=2)
    documented = {code_in(row[0])[0]: code_in(row[1])[0].strip('"') for row in rows}

    # No body means an empty object on the wire.
    assert documented.pop("body") == "{}"
    assert documented == {name: str(getattr(fault, name)) for name in documented}
    assert documented.keys() == set(OPTIONS) - {"body"}


def test_the_options_of_the_command_are_documented_with_their_defaults() -> None:
    command = load_command_class("django_xcover.sandbox", "xcover_sandbox")
    own = command.create_parser("manage.py", "xcover_sandbox")
    rows = table(SANDBOX, "| Option | Default | |", number=1)
    documented = {code_in(row[0])[0]: code_in(row[1])[0] for row in rows}

    command.add_arguments(plain := CommandParser(add_help=False))

    assert documented.keys() == {action.option_strings[0] for action in plain._actions}
    for name, default in documented.items():
        assert str(own.get_default(name.lstrip("-").replace("-", "_"))) == default


def test_every_method_of_the_client_is_documented() -> None:
    named = [code.partition("(")[0] for code in column(CLIENT, "| Method |")]
    methods = {name for name in vars(XCoverClient) if not name.startswith("_")} - {"close"}

    assert sorted(named) == sorted(methods)


def test_every_option_of_the_client_is_documented_with_its_default() -> None:
    parameters = signature(XCoverClient).parameters.values()
    wanted = {p.name: p.default for p in parameters if p.default is not p.empty}
    rows = {code_in(r[0])[0]: code_in(r[1])[0].strip('"') for r in table(CLIENT, "| Argument |")}

    assert rows == {name: str(value) for name, value in wanted.items()}
