"""Vendor answers, bent, fed through the client and the services that mirror them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any

import requests
from django.db import transaction
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from django_xcover.client import XCoverError
from django_xcover.conf import get_config
from django_xcover.sandbox import Sandbox
from django_xcover.services.outcomes import NotNeeded, Undecided, Unworkable
from django_xcover.services.refusals import Refused
from tests.fuzz.mutations import EMAIL, encoded, garble, mutate
from tests.fuzz.report import Report, listening
from tests.fuzz.sale import Recorder, Step, forget, shop_calling, steps

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
SECURITY_TOKEN = "security_token"
Wire = tuple[int, dict[str, str], bytes]


@dataclass
class Scripted(HTTPAdapter):
    """Answers each request with what was written for it."""

    script: dict[tuple[str, str], Wire] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the answer for this method and path, 404 when there is none."""
        key = (str(request.method), request.path_url.partition("?")[0])
        status, headers, body = self.script.get(key, (404, {}, b'{"message": "Not found"}'))
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=headers,
            status=status,
            reason=phrase,
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, raw)


def run(count: int, report: Report) -> None:
    """Bend `count` answers and note whatever must not be."""
    account = get_config().account("default")
    recorder = Recorder(
        Sandbox(
            partner_code=account.partner_code,
            api_key=account.api_key,
            api_secret=account.api_secret,
        )
    )
    with requests.Session() as session:
        session.mount(account.base_url, recorder)
        with shop_calling(session), transaction.atomic():
            _feed(count, session, recorder, report)
            transaction.set_rollback(True)


def _feed(count: int, session: requests.Session, recorder: Recorder, report: Report) -> None:
    random, scripted = Random(report.seed), Scripted()
    account = get_config().account("default")
    known = steps(recorder)
    session.mount(account.base_url, scripted)
    with listening(report, account.api_secret, EMAIL, *_tokens(known)):
        for number in range(count):
            _one(random, known, scripted, number, report)


def _one(
    random: Random, known: list[Step], scripted: Scripted, number: int, report: Report
) -> None:
    report.cases += 1
    step = random.choice(known)
    key = random.choice(list(step.answers))
    bent = _bend(random, step.answers[key])
    scripted.script = {**step.answers, key: bent}
    forget()
    try:
        with transaction.atomic():
            step.act()
            transaction.set_rollback(True)
        outcome = "taken"
    except (XCoverError, Refused, NotNeeded, Undecided, Unworkable) as error:
        outcome = f"refused: {type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        outcome = "unhandled"
        told = f"{type(error).__name__}: {error}"[:300]
        report.fault(f"{step.name}: {type(error).__name__}", error=told, **_told(number, key, bent))
    report.outcomes[f"{step.name}: {outcome}"] += 1


def _told(number: int, key: tuple[str, str], bent: Wire) -> dict[str, Any]:
    return {"number": number, "request": " ".join(key), "status": bent[0], "headers": bent[1]}


def _bend(random: Random, wire: Wire) -> Wire:
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


def _tokens(known: list[Step]) -> set[str]:
    """Return what opens a customer's documents, as it stands in the real answers."""
    found: set[str] = set()
    for step in known:
        for _, _, body in step.answers.values():
            token = json.loads(body).get(SECURITY_TOKEN) if body else None
            found |= {token} if isinstance(token, str) and token else set()
    return found
