"""A stand-in for XCover Elements: the script, and the quotes that it makes in the browser.

Inferred: the addresses, and everything that the element looks like. Its documents only have the
name of the element and its signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from django_xcover.sandbox import store
from django_xcover.sandbox.context import Answer, Inquiry, World
from django_xcover.sandbox.http.call_log import Call, CallLog
from django_xcover.sandbox.http.errors import ApiError, method_not_allowed
from django_xcover.sandbox.resources.quotes import create_quote

SCRIPT = Path(__file__).parent / "elements.js"
# The script runs on the shop's page, and calls from there.
ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Elements:
    """The resources below `/xce/`: `elements.js?partner=…` and `quotes?partner=…`."""

    world: World
    call_log: CallLog

    def answer(self, request: Request) -> Response:
        """Return the script, or a new quote package for the partner in the query."""
        name = request.path.removeprefix("/xce/").rstrip("/")
        if name == "elements.js":
            return Response(SCRIPT.read_bytes(), mimetype="text/javascript")
        if name != "quotes":
            return Response("Not found.", 404, mimetype="text/plain")
        answer = self._quoted(request)
        self.call_log.record(
            Call("element_quote", request.method, request.path, None, answer.status)
        )
        return Response(
            store.to_wire(answer.body), answer.status, ANYWHERE, mimetype="application/json"
        )

    def _quoted(self, request: Request) -> Answer:
        try:
            if request.method != "POST":
                raise method_not_allowed(request.method)
            with self.world.store.transaction():
                return create_quote(self._inquiry(request))
        except ApiError as refused:
            return Answer(refused.status, refused.body)

    def _inquiry(self, request: Request) -> Inquiry:
        payload: Any
        try:
            payload = store.from_wire(request.get_data())
        except ValueError:
            payload = None
        partner = request.args.get("partner", "")
        return Inquiry(world=self.world, partner=partner, ids={}, payload=payload, query={})
