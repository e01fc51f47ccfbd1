"""The WSGI application of the sandbox, including faults at the connection."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from django_xcover.sandbox.browser.card_form import CardForm
from django_xcover.sandbox.browser.elements import Elements
from django_xcover.sandbox.context import World
from django_xcover.sandbox.documents import Documents
from django_xcover.sandbox.http.call_log import CallLog
from django_xcover.sandbox.http.control import Control
from django_xcover.sandbox.http.faults import Faults, Latency
from django_xcover.sandbox.http.pipeline import Delivery, Gateway
from django_xcover.sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

API = ("/x/", "/xcover/")


@dataclass(frozen=True)
class Application:
    """Routes to the API, the control API, what browsers load, and the documents."""

    gateway: Gateway
    world: World
    faults: Faults
    latency: Latency
    call_log: CallLog
    webhooks: Webhooks

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request, or break its connection for a planned fault."""
        request = Request(environ)
        if request.path.startswith(API):
            self.latency.wait()
            response = _delivered(self.gateway.answer(request), environ)
        elif request.path.startswith("/_sandbox/"):
            control = Control(self.faults, self.latency, self.world, self.call_log, self.webhooks)
            response = control.answer(request)
        elif request.path.startswith("/xpay/"):
            response = CardForm(self.world.xpay).answer(request)
        elif request.path.startswith("/xce/"):
            self.latency.wait()
            response = Elements(self.world, self.call_log).answer(request)
        else:
            response = Documents(self.world).answer(request)
        return response(environ, start)


def _delivered(delivery: Delivery, environ: WSGIEnvironment) -> Response:
    if delivery.held is not None:
        delivery.held.hold()
    delivery.finish()
    if delivery.response is None:
        break_connection(environ)
        raise ConnectionResetError("A planned fault broke the connection.")
    if delivery.drip:
        content = delivery.response.get_data()
        delivery.response.response = dripping(content, delivery.drip)
        delivery.response.headers["Content-Length"] = str(len(content))
    return delivery.response


def dripping(content: bytes, seconds: float) -> Iterator[bytes]:
    """Yield the content byte by byte, spread over `seconds`."""
    for position in range(len(content)):
        time.sleep(seconds / len(content))
        yield content[position : position + 1]


def break_connection(environ: WSGIEnvironment) -> None:
    """Reset the connection instead of responding."""
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        linger_not = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        connection.shutdown(socket.SHUT_RD)
