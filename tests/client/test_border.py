"""XCover's keys are read in `client/schemas` only: a second vendor API is one more reader."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import django_xcover

PACKAGE = Path(django_xcover.__file__).parent
READERS = PACKAGE / "client" / "schemas"
# The sandbox is XCover, the tests' helpers write as it does, and a migration is of its day.
NOT_OURS = ("sandbox", "testing", "migrations")
# How XCover says no and how it pages belongs to the transport: no such answer is ever stored.
TRANSPORT = {"client/api.py", "client/errors.py", "client/responses.py"}
# Columns that hold XCover's JSON, or bodies made for it.
COLUMNS = {"payload", "raw", "changes"}
# What such JSON is called where it is passed on.
NAMES = COLUMNS | {"body", "person", "policyholder", "quoted", "request", "wire"}
# Mappings of our own that have a key in common with XCover's.
OURS = {
    # Forms, and what was typed into them.
    "attrs",
    "data",
    "form.cleaned_data",
    "form.fields",
    "self.fields",
    "values",
    "wanted",
    # Our own OpenAPI document, a tariff's tickets, and rows that are counted.
    "row",
    "schema",
    # Columns of our own that hold JSON: a hold's choices, a refund's lines, an operation's error,
    # the cover that an offer has lost.
    "answer",
    "entry",
    "error",
    "frozen",
    "line",
    # An item of a QuoteRequest that was stored as text.
    "item",
    # Columns of a renewal that are about to be written, and what My cover shows of a customer.
    "columns",
    "known",
}
# The body of an instant booking waits in the package's column until there is an answer to keep.
OWN_BODY = {
    "package.payload[BODY]",
    "package.payload.get(LEFT_OUT, [])",
    "body['request']",
}


def sources() -> Iterator[Path]:
    """Yield the modules that have no business with XCover's keys."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        is_border = READERS in path.parents or name.as_posix() in TRANSPORT
        if not is_border and name.parts[0] not in NOT_OURS:
            yield path


@cache
def keys_read() -> set[str]:
    """Return the keys that the readers know: the texts they pass to a field or subscript with."""
    found: set[str] = set()
    for path in READERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inner = node.args if isinstance(node, ast.Call) else [getattr(node, "slice", None)]
            texts = (one.value for one in inner if isinstance(one, ast.Constant))
            found.update(text for text in texts if isinstance(text, str) and text.isidentifier())
    return found


def looked_up(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """Return the mapping and the key of `mapping["key"]` and `mapping.get("key")`."""
    match node:
        case ast.Subscript(value=mapping, slice=key, ctx=ast.Load()):
            return mapping, key
        case ast.Call(func=ast.Attribute(value=mapping, attr="get" | "pop"), args=[key, *_]):
            return mapping, key
    return None


def reads_wire(mapping: ast.expr, key: ast.expr, known: set[str]) -> bool:
    """Return whether this looks a value of XCover's JSON up."""
    if isinstance(mapping, ast.Attribute) and mapping.attr in COLUMNS:
        return True
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return False
    if ast.unparse(mapping) in OURS:
        return False
    return key.value in known or (isinstance(mapping, ast.Name) and mapping.id in NAMES)


def readings(source: str) -> list[str]:
    """Return the expressions in `source` that read XCover's JSON."""
    known = keys_read()
    found = ((node, looked_up(node)) for node in ast.walk(ast.parse(source)))
    wire = [ast.unparse(node) for node, pair in found if pair and reads_wire(*pair, known)]
    return [expression for expression in wire if expression not in OWN_BODY]


@pytest.mark.parametrize(
    "source",
    [
        'quote.payload["price"]',
        "quote.payload[name]",
        'quote.payload.get("never_heard_of")',
        'payload.get("never_heard_of")',
        '(package.payload.get("coi") or {})',
        'booked.raw.get("policyholder")',
        'operation.request["renewal_id"]',
        'row.changes.get("quotes", ())',
        'facts = body["payload"]',
        'anything["policy_type"]',
    ],
)
def test_a_key_of_xcovers_is_noticed_however_it_is_read(source: str) -> None:
    assert len(readings(source)) == 1


def test_no_module_besides_the_readers_knows_a_key_of_xcovers() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): expressions
        for path in sources()
        if (expressions := readings(path.read_text(encoding="utf-8")))
    }

    assert found == {}
