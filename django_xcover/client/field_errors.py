"""XCover's `errors` in all their shapes, flattened to dotted field paths.

Seen (Quotes API: error body; recorded contract: errors): object of lists, object of strings,
nested object, list of strings, list of objects, and no `errors` at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django_xcover.client.text import clean

NO_FIELD = "non_field_errors"
DEEPEST = 12
MOST = 200
_SPOKEN = ("details", "detail", "message")

FieldErrors = dict[str, list[str]]


def flatten(errors: Any) -> FieldErrors:
    """Return `{"policyholder.phone": ["…"]}`; errors of no field go under `non_field_errors`."""
    flat: FieldErrors = {}
    for count, (path, text) in enumerate(_walk(errors, (), 0)):
        if count == MOST:
            break
        flat.setdefault(".".join(path) or NO_FIELD, []).append(text)
    return flat


def _walk(node: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    if depth > DEEPEST or node is None:
        return
    if isinstance(node, Mapping):
        yield from _walk_object(node, path, depth)
    elif isinstance(node, list):
        yield from _walk_list(node, path, depth)
    else:
        yield path, clean(node if isinstance(node, str) else str(node))


def _walk_object(
    node: Mapping[Any, Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    spoken = _spoken(node)
    if spoken is not None:
        yield from _walk(spoken, path, depth + 1)
        return
    for name, below in node.items():
        step = () if name == NO_FIELD and not path else (clean(str(name), 80),)
        yield from _walk(below, path + step, depth + 1)


def _walk_list(
    node: list[Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    for index, below in enumerate(node):
        # Only objects with fields of their own need their place in the list.
        placed = isinstance(below, Mapping) and _spoken(below) is None
        yield from _walk(below, (*path, str(index)) if placed else path, depth + 1)


def _spoken(node: Mapping[Any, Any]) -> Any:
    """Return the sentences of an error object, None when its keys are field names.

    An error object carries `type` or `code` beside its sentence; a field may be called `message`.
    """
    if "type" not in node and "code" not in node:
        return None
    return next((node[key] for key in _SPOKEN if node.get(key)), None)
