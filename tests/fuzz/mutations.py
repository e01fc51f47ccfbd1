"""Things done to JSON: fields lost, retyped, doubled, added, and values nobody expects."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

EMAIL = "ana@example.com"
HTML = '<img src=x onerror=alert(1)><script>alert("1")</script><a href="javascript:x">y</a>'
TEXTS = (
    "",
    " ",
    "\0",
    "A\0B",
    "\ud83d",
    "\r\nERROR forged line",
    "\u202etxt.exe",
    "\u2028",
    "\u0130\u0131\u017f\u212a",
    "👩‍👩‍👧‍👦" * 30,
    "é" * 300,
    "x" * 70_000,
    HTML,
    EMAIL,
    "../../admin/",
    "%0d%0aX-Injected: 1",
    "${jndi:ldap://x}",
    "https://[::1",
    "https://a\u2100b/x y",
    "javascript:alert(1)",
    "NaN",
    "Infinity",
    "1e999",
    "-0.00",
    "9" * 50,
    "0.00000000000000000000000000000000000001",
    "١٢٣",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01",
    "9999-12-31T23:59:59Z",
    "2026-02-30",
    "CANCELLED",
    "CONFIRMED",
    "RECEIVED",
    "FAILED",
    "SOMETHING_NEW",
    "GBP",
    "JPY",
    "KWD",
    "ZZZ",
    "gbp",
)
NUMBERS = (0, -1, 1, 32768, 2**31, 2**63, 2**64, -(2**63), 10**15, 10**40, 10**400, 0.1, 1e300)
SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": None}, {"id": {}}, [{}])
Container = dict[str, Any] | list[Any]
Mutation = Callable[[Random, Any], None]


def odd(random: Random) -> Any:
    """Return a value that hardly belongs anywhere."""
    kind = random.randrange(8)
    if kind < 4:
        return random.choice(TEXTS)
    if kind < 6:
        return random.choice(NUMBERS)
    if kind == 6:
        return copy.deepcopy(random.choice(SHAPES))
    return _deep(random.choice((5, 19, 21, 33, 90)))


def mutate(random: Random, document: Any) -> Any:
    """Return `document` itself, after one to three mutations."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(MUTATIONS)(random, document)
    return document


def replaced(body: bytes, texts: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield the JSON with each of its texts replaced by each of `texts`, one at a time.

    Of objects alike, such as the quotes of a package, one is taken.
    """
    document = json.loads(body) if body else None
    seen: set[tuple[Any, ...]] = set()
    for container, key in _places(document):
        before = container[key]
        kind = (key, *sorted(container)) if isinstance(container, dict) else (key,)
        if not isinstance(before, str) or kind in seen:
            continue
        seen.add(kind)
        for text in texts:
            container[key] = text
            yield text, encoded(document)
        container[key] = before


def garble(random: Random, body: bytes) -> bytes:
    """Return bytes that were cut, doubled, spiked or recoded."""
    at = random.randrange(len(body) + 1)
    return random.choice(
        (
            lambda: body[:at],
            lambda: body[:at] + random.randbytes(3) + body[at:],
            lambda: body + body,
            lambda: b"\xef\xbb\xbf" + body,
            lambda: body.decode(errors="replace").encode("utf-16"),
            lambda: b"[" * random.choice((10, 1000, 100_000)) + body,
            lambda: body.replace(b'"', b"'"),
            lambda: body.replace(b":", b":NaN,", 1),
            lambda: b"<html><body>502 Bad Gateway</body></html>",
            lambda: b"",
            lambda: b"null",
            lambda: b"[]",
            lambda: b'"' + EMAIL.encode() + b'"',
        )
    )()


def encoded(document: Any) -> bytes:
    """Return JSON as lenient servers write it: NaN and half characters get through."""
    return json.dumps(document).encode()


def _places(document: Any) -> list[tuple[Container, Any]]:
    """Return every (container, key) of a document."""
    found: list[tuple[Container, Any]] = []
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += [(value, key) for key in value]
            waiting += value.values()
        elif isinstance(value, list):
            found += [(value, index) for index in range(len(value))]
            waiting += value
    return found


def _at(random: Random, document: Any) -> tuple[Any, Any] | None:
    places = _places(document)
    # Half of the time among the first fields, which are the ones that are read.
    if places and random.random() < 0.5:
        places = places[:60]
    return random.choice(places) if places else None


def _drop(random: Random, document: Any) -> None:
    if place := _at(random, document):
        del place[0][place[1]]


def _replace(random: Random, document: Any) -> None:
    if place := _at(random, document):
        place[0][place[1]] = odd(random)


def _retype(random: Random, document: Any) -> None:
    if place := _at(random, document):
        value = place[0][place[1]]
        place[0][place[1]] = random.choice(([value], {"value": value}, str(value), bool(value)))


def _extend(random: Random, document: Any) -> None:
    if place := _at(random, document):
        container = place[0]
        if isinstance(container, dict):
            container[random.choice(TEXTS)] = odd(random)
        else:
            container.append(odd(random))


def _double(random: Random, document: Any) -> None:
    lists = [c for c, _ in _places(document) if isinstance(c, list)]
    if lists:
        chosen = random.choice(lists)
        chosen.append(copy.deepcopy(chosen[0]))


def _swap(random: Random, document: Any) -> None:
    first, second = _at(random, document), _at(random, document)
    if first and second:
        taken = copy.deepcopy(second[0][second[1]])
        first[0][first[1]] = taken


def _deep(levels: int) -> Any:
    value: Any = "down here"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


MUTATIONS: tuple[Mutation, ...] = (_drop, _replace, _replace, _retype, _extend, _double, _swap)
