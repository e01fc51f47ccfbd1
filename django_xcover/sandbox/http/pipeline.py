"""Process one request: authentication, routing, idempotency and planned faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from django_xcover.sandbox import store
from django_xcover.sandbox.context import Answer, Inquiry, World
from django_xcover.sandbox.events import Notice
from django_xcover.sandbox.http import errors, faults
from django_xcover.sandbox.http.auth import Gatekeeper
from django_xcover.sandbox.http.call_log import Call, CallLog
from django_xcover.sandbox.http.faults import Fault, Faults
from django_xcover.sandbox.http.idempotency import Idempotency, scope_of
from django_xcover.sandbox.http.routing import Match, find
from django_xcover.sandbox.resources import OPERATIONS
from django_xcover.sandbox.webhooks import Webhooks

# Recorded: a key without a limit, and a constant time in 2019.
RATE_LIMIT = {
    "X-Ratelimit-Limit": "-1",
    "X-Ratelimit-Remaining": "-1",
    "X-Ratelimit-Reset": "1568836675",
}


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Delivery:
    """A response and how it is transported. If `response` is None, the connection breaks."""

    response: Response | None
    held: Fault | None = None
    drip: float = 0
    finish: Callable[[], None] = field(default=_nothing)


@dataclass(frozen=True)
class Gateway:
    """The API as one function, which the HTTP server and the in-process adapter both call."""

    world: World
    gatekeeper: Gatekeeper
    faults: Faults
    idempotency: Idempotency
    call_log: CallLog
    webhooks: Webhooks

    def answer(self, request: Request) -> Delivery:
        """Return the response to a request below `/x/` or `/xcover/`, with planned faults."""
        match = find(request)
        try:
            delivery, operation = self._admitted(request, match)
        except errors.ApiError as refused:
            newer = request.headers.get("X-API-Error-Version", "").lower() == "v2"
            body = errors.second_version(refused) if newer else refused.body
            answer = Answer(refused.status, body, refused.headers)
            delivery, operation = Delivery(respond(answer)), _name(request, match)
        if delivery.response is not None and match is not None:
            delivery.response.headers["Allow"] = match.route.allow
        self._record(request, operation, delivery)
        return delivery

    def _admitted(self, request: Request, match: Match | None) -> tuple[Delivery, str]:
        partner = self.gatekeeper.admit(request, datetime.now(UTC))
        if match is None or match.partner != partner.code:
            raise errors.not_found()
        if request.method == "OPTIONS":
            return Delivery(respond(Answer(200, {}))), "options"
        operation = match.route.operation(request)
        fault = self.faults.take(operation)
        scope = scope_of(request, partner.code, request.path.partition("/partners/")[2])
        if fault is not None and fault.kind in faults.BEFORE:
            return self._not_carried_out(fault, scope), operation
        answered = self._carried_out(request, match, operation, fault, scope)
        return _disturbed(answered, fault), operation

    def _not_carried_out(self, fault: Fault, scope: str | None) -> Delivery:
        if fault.kind == "reset":
            return Delivery(None)
        if fault.kind == "garbage":
            return Delivery(Response("<html>It works!</html>", 200, mimetype="text/html"))
        if fault.kind == "throttle":
            raise errors.throttled(int(fault.seconds))
        if fault.kind == "hang":
            return self._hanging(fault, scope)
        return Delivery(respond(_failure(fault)))

    def _hanging(self, fault: Fault, scope: str | None) -> Delivery:
        """Hold the request and lock its key, as if the request were still running."""
        gone = respond(Answer(504, {}))
        if scope is None:
            return Delivery(gone, held=fault)
        self.idempotency.lock(scope)
        return Delivery(gone, held=fault, finish=lambda: self.idempotency.release(scope))

    def _carried_out(
        self, request: Request, match: Match, operation: str, fault: Fault | None, scope: str | None
    ) -> Response:
        body = request.get_data()
        notices: list[Notice] = []
        with self.idempotency.running(scope):
            first = self.idempotency.stored(scope, body)
            if first is not None:
                return _with_body(409, first)
            with self.world.store.transaction():
                answer = OPERATIONS[operation](self._inquiry(request, match, fault, notices))
                response = respond(answer)
                self.idempotency.keep(scope, body, response.get_data())
        # After the transaction, because a receiver may immediately read the booking.
        self.webhooks.post(notices)
        return response

    def _inquiry(
        self, request: Request, match: Match, fault: Fault | None, notices: list[Notice]
    ) -> Inquiry:
        return Inquiry(
            world=self.world,
            partner=match.partner,
            ids=match.ids,
            payload=_payload(request),
            query=request.args,
            effect=fault,
            notices=notices,
        )

    def _record(self, request: Request, operation: str, delivery: Delivery) -> None:
        key = request.headers.get("x-idempotency-key")
        status = None if delivery.response is None else delivery.response.status_code
        self.call_log.record(Call(operation, request.method, request.path, key, status))


def respond(answer: Answer) -> Response:
    """Return an HTTP response: compact JSON without charset; empty bodies have no content type."""
    content = b"" if answer.body is None else store.to_wire(answer.body)
    response = _with_body(answer.status, content)
    response.headers.extend(answer.headers)
    return response


def _with_body(status: int, content: bytes) -> Response:
    response = Response(content, status)
    response.headers.update(RATE_LIMIT)
    if content:
        response.headers["Content-Type"] = "application/json"
    else:
        del response.headers["Content-Type"]
    return response


def _payload(request: Request) -> Any:
    """Return the parsed body, or {} for a GET or an empty body.

    Raise ApiError 400, with the message captured in 2026, for a body that is not JSON.
    """
    if request.method in {"GET", "HEAD"} or not request.get_data().strip():
        return {}
    try:
        parsed = store.from_wire(request.get_data())
    except ValueError as wrong:
        message = f"JSON parse error - {wrong}"
        raise errors.ApiError(400, "validation_error", message) from None
    return {} if parsed is None else parsed


def _disturbed(response: Response, fault: Fault | None) -> Delivery:
    """Return the delivery of a response whose request was carried out, with its fault."""
    kind = fault.kind if fault else ""
    if fault is None or kind in faults.EFFECTS:
        return Delivery(response)
    if kind == "drip":
        return Delivery(response, drip=fault.seconds)
    if kind == "process_then_hang":
        return Delivery(response, held=fault)
    if kind == "process_then_reset":
        return Delivery(None)
    return Delivery(respond(_failure(fault)))


def _failure(fault: Fault) -> Answer:
    """Return the fault's status and body. Inferred: `{}`, the body of the only recorded 502."""
    return Answer(fault.status, {} if fault.body is None else fault.body)


def _name(request: Request, match: Match | None) -> str:
    if match is None:
        return "unknown"
    try:
        return match.route.operation(request)
    except errors.ApiError:
        return "unknown"
