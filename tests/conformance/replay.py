"""Replay recorded calls: the same requests, with our ids in the place of theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.conformance.recordings import interactions
from tests.sandbox.support import PERSON, TICKET, Caller

HOST = "https://staging.api.xcover.com"
PARTNER = "LLODT"
IDS = frozenset({"id", "update_id", "cancellation_id", "security_token"})
EVENT = {
    **TICKET,
    "policy_start_date": "2021-11-23T08:00:00Z",
    "event_datetime": "2021-12-20T19:00:00Z",
}
HOLDER = {**PERSON, "region": "London"}


@dataclass
class Exchange:
    """A recorded answer and the sandbox's answer to the same request."""

    name: str
    request: dict[str, Any]
    recorded: dict[str, Any]
    ours: requests.Response

    @property
    def body(self) -> Any:
        """Return our body, or None when it is empty."""
        return self.ours.json() if self.ours.content else None


@dataclass
class Replayer:
    """One file's calls, in order, against a sandbox that lives at the time of the recording."""

    sandbox: Sandbox
    caller: Caller
    ours: dict[str, str] = field(default_factory=dict)

    def play(self, path: Path) -> Iterator[Exchange]:
        """Yield the exchanges of one file."""
        for number, recorded in enumerate(interactions(path)):
            request, answer = recorded["request"], recorded["response"]
            self._travel(request)
            self._prepare(request, answer["body"])
            response = self._send(request)
            body = response.json() if response.content else None
            self._learn(answer["body"], body)
            yield Exchange(f"{path.stem}[{number}]", request, answer, response)

    def translated(self, value: Any) -> Any:
        """Return the value with our ids in the place of theirs."""
        text = json.dumps(value)
        for theirs, ours in self.ours.items():
            text = text.replace(theirs, ours)
        return json.loads(text)

    def _travel(self, request: dict[str, Any]) -> None:
        """Live at the server's time: the recorded client's `Date` is ten hours behind it."""
        date = parsedate_to_datetime(request["headers"]["date"])
        if abs(self.sandbox.clock.now() - date) > timedelta(days=1):
            self.sandbox.clock.travel_to(date.astimezone(UTC) + timedelta(hours=10))

    def _prepare(self, request: dict[str, Any], body: Any) -> None:
        """Create what a file reads but never made: a package, or a few bookings to list."""
        found = re.search(r"/quotes/(\w+-\w+-INS)/", request["path"])
        if found and found[1] not in self.ours:
            self.ours[found[1]] = self.caller.quoted(_like(body))["id"]
        if "/bookings/?" in request["path"]:
            payload = {"request": [EVENT], "currency": "GBP", "policyholder": HOLDER}
            for _ in range(4):
                assert self.caller.call("POST", "instant_booking/", payload).status_code == 200

    def _send(self, request: dict[str, Any]) -> requests.Response:
        path = self.translated(request["path"]).partition(f"/partners/{PARTNER}/")[2]
        body = self.translated(request["body"])
        return self.caller.call(request["method"], path, body)

    def _learn(self, theirs: Any, ours: Any) -> None:
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for name in theirs.keys() & ours.keys():
                if name in IDS and isinstance(theirs[name], str) and isinstance(ours[name], str):
                    self.ours.setdefault(theirs[name], ours[name])
                self._learn(theirs[name], ours[name])
        elif isinstance(theirs, list) and isinstance(ours, list):
            for one, other in zip(theirs, ours, strict=False):
                self._learn(one, other)


def replayed(path: Path) -> Iterator[tuple[Exchange, Replayer]]:
    """Yield every exchange of one file, played against a fresh sandbox."""
    sandbox = Sandbox(partner_code=PARTNER, api_key="key", api_secret="secret")
    with requests.Session() as session:
        mount(session, f"{HOST}/xcover", sandbox)
        caller = Caller(session, f"{HOST}/xcover", "key", "secret", PARTNER)
        replayer = Replayer(sandbox, caller)
        for exchange in replayer.play(path):
            yield exchange, replayer
    sandbox.close()


def _like(package: Any) -> dict[str, Any]:
    """Return a request for the event whose package was recorded."""
    quote = package["quotes"]["0"]
    period = {
        "policy_start_date": quote["policy_start_date"],
        "event_datetime": quote["policy_end_date"],
    }
    return {**EVENT, **period}
