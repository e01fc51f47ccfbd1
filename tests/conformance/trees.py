"""Field trees: which names an answer has, of which types, and which may be missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TREES: dict[str, Any] = json.loads((Path(__file__).parent / "field_tree.json").read_text())
KINDS = {bool: "boolean", int: "integer", float: "float", str: "string", type(None): "null"}


def kind(value: Any) -> str:
    """Return the JSON type, which tells 5 from 5.0."""
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else KINDS[type(value)]


def complaints(name: str, body: Any) -> list[str]:
    """Return where the body departs from the tree of this name; empty when nowhere."""
    return list(_check(TREES[name], body, name))


def _check(node: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(node, str) and node.startswith("@"):
        node = TREES[node[1:]]
    if isinstance(node, dict) and "$or_null" in node:
        if value is None:
            return
        node = node["$or_null"]
    if isinstance(node, str):
        if kind(value) not in node.split("|"):
            yield f"{path} is {kind(value)}, not {node}"
    elif isinstance(node, list):
        yield from _check_list(node, value, path)
    else:
        yield from _check_object(node, value, path)


def _check_list(node: list[Any], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path} is {kind(value)}, not array"
    elif value and not node:
        yield f"{path} was only seen empty"
    else:
        for item in value:
            yield from _check(node[0], item, f"{path}[]")


def _check_object(node: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {kind(value)}, not object"
        return
    if "*" in node:
        for item in value.values():
            yield from _check(node["*"], item, f"{path}.*")
        return
    known = {name.rstrip("?"): child for name, child in node.items()}
    for name in value.keys() - known.keys():
        yield f"{path}.{name} is unknown"
    for name in (name for name in node if not name.endswith("?") and name not in value):
        yield f"{path}.{name} is missing"
    for name in value.keys() & known.keys():
        yield from _check(known[name], value[name], f"{path}.{name}")


def fields(body: Any) -> dict[str, str]:
    """Return every path of one body with its types, and `?` where siblings lack it.

    Objects in the same place are laid on top of each other: list items, and the values of the
    object `quotes` of a package.
    """
    seen: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    _collect(body, "", seen, count)
    return {path: "|".join(sorted(kinds)) + _gap(path, count) for path, kinds in seen.items()}


def _gap(path: str, count: dict[str, int]) -> str:
    parent = path.rpartition(".")[0]
    missing = not path.endswith(("[]", ".*")) and count[path] < count.get(parent, 1)
    return "?" if missing else ""


def _collect(value: Any, path: str, seen: dict[str, set[str]], count: dict[str, int]) -> None:
    seen.setdefault(path, set()).add(kind(value))
    count[path] = count.get(path, 0) + 1
    if isinstance(value, list):
        for item in value:
            _collect(item, f"{path}[]", seen, count)
    elif isinstance(value, dict):
        numbered = path.endswith(".quotes")
        for name, item in value.items():
            _collect(item, f"{path}.*" if numbered else f"{path}.{name}", seen, count)
