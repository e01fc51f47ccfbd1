"""The single values inside what was sent to quote a policy, so that a form can ask for each."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from django_xcover.services.modifying.fields import Path, typed

# What the policy is; another type is another policy.
FIXED = frozenset({"policy_type", "policy_type_version"})


def leaves(request: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the value of each single value in `request`."""
    for key, value in request.items():
        if key not in FIXED:
            yield from _below((key,), value)


def name_of(path: Path) -> str:
    """Return what a person calls the value at `path`: "Tickets 2: price"."""
    words = [str(part + 1) if isinstance(part, int) else part.replace("_", " ") for part in path]
    text = " ".join(words[:-1]) + ": " + words[-1] if len(words) > 1 else words[0]
    return text[:1].upper() + text[1:]


def changed(request: Mapping[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """Return the fields of `request` that `values` changes, whole and as XCover wants them."""
    fields = {str(path[0]): copy.deepcopy(request[str(path[0])]) for path in values}
    for path, value in values.items():
        _put(fields, path, value)
    policy_type = str(request.get("policy_type", ""))
    return {key: typed(policy_type, (key,), value) for key, value in fields.items()}


def _below(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _below((*path, key), below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _below((*path, index), below)
    else:
        yield path, value


def _put(fields: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        fields = fields[part]
    fields[path[-1]] = value
