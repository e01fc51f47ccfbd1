"""A step of a sale with the answers XCover gave when all went well: what is bent later.

The answers are the sandbox's own. Each step is made in a transaction that is rolled back, so that
the rows are as they were when the answer was awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from django.db import transaction

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import InProcessAdapter
from tests.fuzz.sale import forget
from tests.shop import Cart

# What an act came to; nothing but None when there is nothing to tell.
Act = Callable[[], str | None]
Request = tuple[str, str]
Wire = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that talks to XCover, what XCover answered when all went well, and whose it is.

    An answer is found by its method and its path with the query: a list has pages.
    """

    name: str
    act: Act
    answers: Mapping[Request, Wire]
    cart: Cart


@dataclass
class Recorder(InProcessAdapter):
    """The sandbox, with its answers written down."""

    sandbox: Sandbox
    answers: dict[Request, Wire] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.sandbox)

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        """Pass the request on and keep the last answer of each method and address."""
        kw["stream"] = False
        response = super().send(request, *args, **kw)
        headers = {name: response.headers[name] for name in response.headers}
        self.answers[asked(request)] = (response.status_code, headers, response.content)
        return response


def asked(request: requests.PreparedRequest) -> Request:
    """Return what the answer to `request` is kept by."""
    return str(request.method), request.path_url


def record(recorder: Recorder, name: str, cart: Cart, act: Act) -> Step:
    """Let `act` happen, take it back, and return it with the answers it got."""
    recorder.answers.clear()
    forget()
    with transaction.atomic():
        act()
        transaction.set_rollback(True)
    assert recorder.answers, f"{name} asked XCover nothing"
    return Step(name, act, dict(recorder.answers), cart)
