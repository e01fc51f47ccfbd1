"""A shopper's browser: asks again when the shop's own database was cut, and keeps count."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import requests

from tests.chaos.outages import Outages
from tests.chaos.timing import HEADER, OPEN, XCOVER

TIMEOUT = 30.0
TRIES = 20
PAUSE = 0.3
# The pages that insurance adds to a checkout.
ADDED = ("/xcover/offer/", "/xcover/choose/")
Fields = Mapping[str, str | Sequence[str]]


class CheckoutFailed(Exception):
    """The shop did not do what a shopper asked for; `str()` says which page and what it said."""


@dataclass(frozen=True)
class Wait:
    """Milliseconds of the server for a page that insurance adds, and those spent on XCover."""

    total: float
    xcover: float
    circuit_open: bool


@dataclass
class Record:
    """What happened to one shopper's requests."""

    repeated: int = 0
    failures: list[str] = field(default_factory=list)
    added_waits: list[Wait] = field(default_factory=list)


class Browser:
    """One shopper's session. Follows no redirect: each page is asked for by name."""

    def __init__(self, shop_url: str, outages: Outages, record: Record) -> None:
        self.record = record
        self._url = shop_url
        self._outages = outages
        self._session = requests.Session()

    def get(self, path: str, *expected: int) -> requests.Response:
        """Return the page; raise CheckoutFailed for another status than those expected."""
        return self._ask(
            path,
            expected or (200,),
            lambda: self._session.get(
                self._url + path, timeout=TIMEOUT, allow_redirects=False, headers=_headers(path)
            ),
        )

    def post(self, path: str, fields: Fields, *expected: int) -> requests.Response:
        """Send a form, with the token of the page it stands on."""
        return self._ask(path, expected, lambda: self._send(path, fields))

    def rest(self) -> None:
        """Drop the connection; the session is kept for another visit."""
        self._session.close()

    def _send(self, path: str, fields: Fields) -> requests.Response:
        token = self._session.cookies.get("csrftoken", "")
        return self._session.post(
            self._url + path,
            data={"csrfmiddlewaretoken": token or "", **fields},
            timeout=TIMEOUT,
            allow_redirects=False,
            headers=_headers(path),
        )

    def _ask(
        self, path: str, expected: tuple[int, ...], ask: Callable[[], requests.Response]
    ) -> requests.Response:
        said = ""
        for _ in range(TRIES):
            begun = time.monotonic()
            answer, said = _attempt(ask)
            if answer is not None and answer.status_code in expected:
                self._note_wait(path, answer)
                return answer
            # With its database gone no shop can answer: the shopper reloads the page. A session
            # that could not be saved is answered 400 by Django.
            if not self._outages.touched(begun, time.monotonic()):
                if answer is not None and answer.status_code < 500:
                    break
                self.record.failures.append(f"{path}: {said}")
            self.record.repeated += 1
            time.sleep(PAUSE)
        raise CheckoutFailed(f"{path}: {said}")

    def _note_wait(self, path: str, answer: requests.Response) -> None:
        if path in ADDED:
            took = answer.headers
            wait = Wait(float(took[HEADER]), float(took[XCOVER]), bool(took[OPEN]))
            self.record.added_waits.append(wait)


def _attempt(ask: Callable[[], requests.Response]) -> tuple[requests.Response | None, str]:
    try:
        answer = ask()
    except requests.RequestException as error:
        return None, type(error).__name__
    return answer, str(answer.status_code)


def _headers(path: str) -> dict[str, str]:
    # The offer's script asks for JSON; it is what tells the premium.
    return {"Accept": "application/json"} if path == "/xcover/choose/" else {}
