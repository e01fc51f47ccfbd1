"""Vendor answers, bent, fed through the client and the services that mirror them."""

from __future__ import annotations

import gc
import io
import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
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
from django_xcover.exceptions import ActionRefused, ChoiceRefused
from django_xcover.outbox.failures import CannotPerform, Obsolete, OutcomeUnknown
from django_xcover.sandbox import Sandbox
from tests.fuzz import selling, serving, watching
from tests.fuzz.bending import bend
from tests.fuzz.mutations import EMAIL, HTML, replaced
from tests.fuzz.pages import Pages, opened
from tests.fuzz.recording import Recorder, Request, Step, Wire, asked
from tests.fuzz.report import Report, listening
from tests.fuzz.sale import forget, shop_calling

SECURITY_TOKEN = "security_token"
NOT_FOUND: Wire = (404, {}, b'{"message": "Not found"}')
# What callers are told to expect: pages and the API answer each of them with a sentence.
TYPED = (XCoverError, ActionRefused, ChoiceRefused, Obsolete, OutcomeUnknown, CannotPerform)
# One answer in so many that were taken is looked at on a page.
LOOKED_AT = 8
# The step of which every text is replaced, and by what.
SWEPT = "quote"
HARD = (HTML, "x" * 300)


@dataclass
class Scripted(HTTPAdapter):
    """Answers each request with what was written for it."""

    script: dict[Request, Wire] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the answer for this method and address, 404 when there is none."""
        status, headers, body = self.script.get(asked(request), NOT_FOUND)
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


@dataclass(frozen=True, slots=True)
class Sales:
    """Sales at every stage, each step that can be taken from there, and the session that asks."""

    session: requests.Session
    steps: list[Step]


def run(count: int, report: Report) -> None:
    """Bend `count` answers and note whatever must not be."""
    with made() as sales:
        feed(count, sales, report)


@contextmanager
def made() -> Iterator[Sales]:
    """Make the sales, and take them back at the end."""
    with transaction.atomic(), requests.Session() as session, _recording(session) as recorder:
        yield Sales(session, _steps(recorder))
        transaction.set_rollback(True)


@contextmanager
def _recording(session: requests.Session) -> Iterator[Recorder]:
    recorder = Recorder(_sandbox())
    session.mount(get_config().account("default").base_url, recorder)
    with shop_calling(session):
        yield recorder


def _steps(recorder: Recorder) -> list[Step]:
    # What walks through XCover's bookings comes first, while there are few.
    makers = (watching.steps, selling.steps, serving.steps)
    return [step for make in makers for step in make(recorder)]


def _sandbox() -> Sandbox:
    account = get_config().account("default")
    return Sandbox(
        partner_code=account.partner_code,
        api_key=account.api_key,
        api_secret=account.api_secret,
    )


def feed(count: int, sales: Sales, report: Report) -> None:
    """Bend `count` answers to the steps of `sales`, which stay as they are."""
    account = get_config().account("default")
    scripted = Scripted()
    sales.session.mount(account.base_url, scripted)
    sales.session.trust_env = False  # reading the environment takes longer than the answer
    with transaction.atomic(), opened() as pages, _frozen():
        feeder = Feeder(Random(report.seed), sales.steps, scripted, pages, report)
        with listening(report, account.api_secret, EMAIL, *_tokens(sales.steps)):
            for number in range(count):
                feeder.feed(number)
            feeder.sweep()
        transaction.set_rollback(True)


@contextmanager
def _frozen() -> Iterator[None]:
    """Let the garbage collector leave alone what stands until the end."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass
class Feeder:
    """Takes a step, bends one of its answers, and sees what comes of it."""

    random: Random
    known: list[Step]
    scripted: Scripted
    pages: Pages
    report: Report

    def feed(self, number: int) -> None:
        """Make one case, and take it back."""
        # The fewer answers it takes, the oftener: those cost least.
        (step,) = self.random.choices(self.known, [1 / len(one.answers) for one in self.known])
        key = self.random.choice(list(step.answers))
        bent = bend(self.random, step.answers[key])
        self.scripted.script = {**step.answers, key: bent}
        self.report.begin(step=step.name, **_told(number, key, bent))
        forget()
        self.report.outcomes[f"{step.name}: {self._come_of(step)}"] += 1

    def sweep(self) -> None:
        """Put what is hard to show and hard to store into every text of an offer, one by one.

        At random the few texts that a page shows as HTML, or that a column cuts, are hardly met.
        These cases are not counted: there are as many as the offer has texts.
        """
        (step,) = (one for one in self.known if one.name == SWEPT)
        for key, (status, told, body) in step.answers.items():
            headers = {name: value for name, value in told.items() if name != "Content-Length"}
            for text, bent in replaced(body, HARD):
                self.scripted.script = {**step.answers, key: (status, headers, bent)}
                self.report.telling = {"step": step.name, "text": text[:100]}
                forget()
                self._come_of(step, everywhere=True)

    def _come_of(self, step: Step, *, everywhere: bool = False) -> str:
        try:
            with transaction.atomic():
                outcome = step.act() or "taken"
                if everywhere:
                    self.pages.look_at_offer(step.cart, self.report)
                elif self.random.randrange(LOOKED_AT) == 0:
                    self.pages.look(self.random, step.cart, self.report)
                transaction.set_rollback(True)
        except TYPED as error:
            return f"refused: {type(error).__name__}"
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.report.fault(f"{step.name}: {type(error).__name__}", error=_why(error))
            return "unhandled"
        return outcome


def _why(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    return f"{type(error).__name__}: {error} at {where}"[:600]


def _told(number: int, key: Request, bent: Wire) -> dict[str, Any]:
    status, headers, body = bent
    return {
        "number": number,
        "request": " ".join(key),
        "status": status,
        "headers": headers,
        "body": body[:4000].decode(errors="replace"),
    }


def _tokens(known: list[Step]) -> set[str]:
    """Return what opens a customer's documents, as it stands in the real answers."""
    found: set[str] = set()
    for step in known:
        for _, _, body in step.answers.values():
            token = json.loads(body).get(SECURITY_TOKEN) if body else None
            found |= {token} if isinstance(token, str) and token else set()
    return found
