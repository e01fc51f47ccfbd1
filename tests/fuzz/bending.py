"""An answer of XCover's with another body, status or header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from tests.fuzz.mutations import EMAIL, encoded, garble, mutate
from tests.fuzz.recording import Wire

STATUSES = (200, 201, 202, 204, 301, 303, 400, 401, 403, 404, 408, 409, 422, 423, 429, 500, 502)
ALSO = (100, 207, 304, 410, 418, 451, 503, 504, 599)
HEADERS: Mapping[str, tuple[str, ...]] = {
    "Retry-After": ("-1", "0", "1e300", "inf", "nan", "Fri, 31 Dec 9999 23:59:59 GMT", "soon", ""),
    "Content-Type": ("text/html", "application/json; charset=utf-16", "", "\x01"),
    "Content-Encoding": ("gzip", "br", "identity", "x-odd"),
    "Location": ("https://elsewhere.example/", "//", "http://[::1", "\r\nX: 1"),
    "Content-Length": ("0", "-1", "99999999"),
    "Date": ("yesterday", "Mon, 99 Jan 0000 00:00:00 GMT"),
    "Set-Cookie": ("session=stolen; Domain=.example.com",),
}


def bend(random: Random, wire: Wire) -> Wire:
    """Return the answer with another body, status or header: mostly the body alone."""
    status, headers, body = wire
    headers = {name: value for name, value in headers.items() if name != "Content-Length"}
    chance = random.random()
    if chance < 0.82:
        body = _bent_body(random, body)
    elif chance < 0.87:
        body = garble(random, body)
    if chance > 0.85:
        status = random.choice(STATUSES if random.random() < 0.9 else ALSO)
        body = random.choice((body, _error(random)))
    if random.random() < 0.1:
        name = random.choice(list(HEADERS))
        headers[name] = random.choice(HEADERS[name])
    return status, headers, body


def _bent_body(random: Random, body: bytes) -> bytes:
    if not body:
        return encoded(mutate(random, {"id": "X", "status": "CONFIRMED", "quotes": []}))
    return encoded(mutate(random, json.loads(body)))


def _error(random: Random) -> bytes:
    """Return an error body that repeats what a customer typed, bent as well."""
    fields = {"policyholder": {"email": [f"{EMAIL} is no address"], EMAIL: ["?"]}}
    document = {"type": "validation_error", "message": f"No: {EMAIL}\r\nERROR", "errors": fields}
    return encoded(mutate(random, document))
