"""The control page for demonstrations and for tests that run in another process.

It is not part of XCover and asks for no signature: the sandbox listens on this machine only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from django_xcover.sandbox import datetimes, store
from django_xcover.sandbox.context import World
from django_xcover.sandbox.http.call_log import Journal
from django_xcover.sandbox.http.faults import Faults
from django_xcover.sandbox.http.latency import Latency
from django_xcover.sandbox.webhooks import Webhooks

OPTIONS = ("times", "seconds", "status", "body", "how")


@dataclass(frozen=True)
class Control:
    """Below `/_sandbox/`: `faults`, `latency`, `clock`, `calls` and `webhooks`."""

    faults: Faults
    latency: Latency
    world: World
    journal: Journal
    webhooks: Webhooks

    def answer(self, request: Request) -> Response:
        """Answer in JSON; 400 says what is wrong with a fault, 404 and 405 speak for themselves."""
        name = request.path.removeprefix("/_sandbox/").rstrip("/")
        rooms = {
            "faults": self._faults,
            "latency": self._latency,
            "clock": self._clock,
            "calls": self._calls,
            "webhooks": self._webhooks,
        }
        room = rooms.get(name)
        if room is None:
            return _json(404, {"message": "There are faults, latency, clock, calls and webhooks."})
        try:
            return room(request)
        except (KeyError, TypeError, ValueError, OverflowError) as wrong:
            return _json(400, {"message": str(wrong)})

    def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            asked = _body(request)
            options = {name: _plain(asked[name]) for name in OPTIONS if name in asked}
            fault = self.faults.add(asked["operation"], asked["kind"], **options)
            return _json(201, fault.describe())
        if request.method == "DELETE":
            self.faults.clear()
            return Response(status=204)
        return _json(200, self.faults.planned())

    def _latency(self, request: Request) -> Response:
        if request.method == "POST":
            asked = _body(request)
            self.latency.set(str(asked["latency"]), asked.get("seed"))
        return _json(200, {"latency": self.latency.spec})

    def _clock(self, request: Request) -> Response:
        if request.method == "POST":
            self.world.clock.advance(_span(_body(request)))
        return _json(200, {"now": datetimes.stamp(self.world.clock.now())})

    def _calls(self, request: Request) -> Response:
        calls = self.journal.calls(request.args.get("operation"))
        return _json(200, [asdict(call) for call in calls])

    def _webhooks(self, request: Request) -> Response:
        sent = [
            {"event": one.event, "payload": one.payload, "statuses": one.statuses}
            for one in self.webhooks.sent
        ]
        return _json(200, sent)


def _body(request: Request) -> dict[str, Any]:
    parsed = store.from_wire(request.get_data())
    if not isinstance(parsed, dict):
        raise TypeError("Send a JSON object.")
    return parsed


def _span(asked: dict[str, Any]) -> timedelta:
    """Return how far to move: `advance` such as "400d", or `advance_seconds`."""
    if "advance" in asked:
        return datetimes.parse_span(str(asked["advance"]))
    return timedelta(seconds=float(asked["advance_seconds"]))


def _plain(value: Any) -> Any:
    """Return a fraction as a float: here it is a time, not money."""
    return float(value) if hasattr(value, "as_tuple") else value


def _json(status: int, body: Any) -> Response:
    return Response(store.to_wire(body), status, content_type="application/json")
