"""The control API for demos and for tests in another process.

It is not part of XCover and requires no signature, because the sandbox only listens on this
machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from django_xcover.sandbox import datetimes, store
from django_xcover.sandbox.context import World
from django_xcover.sandbox.http.call_log import CallLog
from django_xcover.sandbox.http.faults import Faults, Latency
from django_xcover.sandbox.webhooks import Webhooks

OPTIONS = ("times", "seconds", "status", "body", "how")


@dataclass(frozen=True)
class Control:
    """The resources below `/_sandbox/`: `faults`, `latency`, `clock`, `calls` and `webhooks`."""

    faults: Faults
    latency: Latency
    world: World
    call_log: CallLog
    webhooks: Webhooks

    def answer(self, request: Request) -> Response:
        """Return a JSON response. A 400 explains what is wrong with the request."""
        name = request.path.removeprefix("/_sandbox/").rstrip("/")
        resources = {
            "faults": self._faults,
            "latency": self._latency,
            "clock": self._clock,
            "calls": self._calls,
            "webhooks": self._webhooks,
        }
        resource = resources.get(name)
        if resource is None:
            message = f"Not found. The resources are {', '.join(resources)}."
            return _json(404, {"message": message})
        try:
            return resource(request)
        except (KeyError, TypeError, ValueError, OverflowError) as wrong:
            return _json(400, {"message": str(wrong)})

    def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            data = _body(request)
            options = {name: _plain(data[name]) for name in OPTIONS if name in data}
            fault = self.faults.add(data["operation"], data["kind"], **options)
            return _json(201, fault.describe())
        if request.method == "DELETE":
            self.faults.clear()
            return Response(status=204)
        return _json(200, self.faults.planned())

    def _latency(self, request: Request) -> Response:
        if request.method == "POST":
            data = _body(request)
            self.latency.set(str(data["latency"]), data.get("seed"))
        return _json(200, {"latency": self.latency.spec})

    def _clock(self, request: Request) -> Response:
        if request.method == "POST":
            self.world.clock.advance(_span(_body(request)))
        return _json(200, {"now": datetimes.stamp(self.world.clock.now())})

    def _calls(self, request: Request) -> Response:
        calls = self.call_log.calls(request.args.get("operation"))
        return _json(200, [asdict(call) for call in calls])

    def _webhooks(self, request: Request) -> Response:
        sent = [
            {
                "event": delivery.event,
                "payload": delivery.payload,
                "statuses": delivery.statuses,
            }
            for delivery in self.webhooks.sent
        ]
        return _json(200, sent)


def _body(request: Request) -> dict[str, Any]:
    parsed = store.from_wire(request.get_data())
    if not isinstance(parsed, dict):
        raise TypeError("Send a JSON object.")
    return parsed


def _span(data: dict[str, Any]) -> timedelta:
    """Return the time to move by, from `advance` (such as "400d") or `advance_seconds`."""
    if "advance" in data:
        return datetimes.parse_span(str(data["advance"]))
    return timedelta(seconds=float(data["advance_seconds"]))


def _plain(value: Any) -> Any:
    """Return a fraction as a float, because here it is a time and not an amount."""
    return float(value) if hasattr(value, "as_tuple") else value


def _json(status: int, body: Any) -> Response:
    return Response(store.to_wire(body), status, content_type="application/json")
