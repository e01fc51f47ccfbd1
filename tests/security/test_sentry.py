"""What the SDK of Sentry would send: its events, with the breadcrumbs that led to them."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
import sentry_sdk
from celery import current_app
from celery.app import trace
from django.test import Client
from rest_framework.test import APIClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.stdlib import StdlibIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.transport import Transport

from django_xcover import signals
from django_xcover.client import RequestRefused
from django_xcover.clients import factory
from django_xcover.mirror import presentation
from django_xcover.models import Operation, Quote, QuotePackage
from tests import completion
from tests.admin.conftest import VIEWS
from tests.admin.factories import make_staff
from tests.client import server as does
from tests.client.conftest import Connect, Serve, connect, no_proxies, serve
from tests.conftest import Shopper
from tests.security.error_reports.support import EMAIL, SECRETS, ZOE
from tests.security.error_reports.test_doors import booked, browser, front, offered, tokens, zoe
from tests.security.reporting import MARK, MARKER, chain, errors_at_every_query
from tests.shop import Shop

__all__ = ["booked", "browser", "connect", "front", "no_proxies", "offered", "serve", "zoe"]

pytestmark = pytest.mark.django_db
REFUSAL = {"message": MARKER, "errors": {"policyholder": {"email": [EMAIL]}}}


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep each item of an envelope, as it would be sent."""
        self.sent += [json.loads(item.payload.get_bytes()) for item in envelope.items]

    def leaks(self) -> set[str]:
        """Return the places in the events that show the customer, a key or a token."""
        secrets = (MARK, *SECRETS, *tokens())
        return {
            f"{place}: {text[:200]}"
            for event in self.sent
            for place, text in texts(event, "")
            if any(secret in f"{place}{text}" for secret in secrets)
        }


def texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield each text in an event, with its place."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from texts(one, f"{place}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, place)
    else:
        yield place, str(value)


@pytest.fixture
def sentry() -> Iterator[Kept]:
    """Report errors as a shop does, but to a list."""
    kept = Kept()
    sentry_sdk.init(
        dsn="https://key@sentry.invalid/1",
        transport=kept,
        default_integrations=False,
        max_request_body_size="never",  # as docs/personal-data.md asks for
        integrations=[
            DjangoIntegration(),
            CeleryIntegration(),
            LoggingIntegration(event_level=logging.WARNING),
            StdlibIntegration(),
            ThreadingIntegration(),
        ],
    )
    with tasks_are_watched(), sentry_sdk.isolation_scope():
        yield kept
    sentry_sdk.get_global_scope().set_client(None)


PLAIN = trace.build_tracer
WATCHED: list[Any] = []


@contextmanager
def tasks_are_watched() -> Iterator[None]:
    """Let Celery's tasks report to Sentry inside the block only.

    The SDK patches Celery once per process, for good, and each task that is run from then on.
    """
    if trace.build_tracer is not PLAIN:
        WATCHED[:] = [trace.build_tracer]
    trace.build_tracer = WATCHED[0]
    yield
    trace.build_tracer = PLAIN
    for task in current_app.tasks.values():
        for name in ("run", "_sentry_is_patched"):
            vars(task).pop(name, None)


def check(sentry: Kept, act: Callable[[], object], *, least: int = 1) -> None:
    """Let each query of `act` fail in turn, and look at what is reported."""
    for error in errors_at_every_query(act):
        sentry_sdk.capture_exception(error)

    assert sum("exception" in event for event in sentry.sent) >= least
    assert sentry.leaks() == set()


def test_the_sdk_does_report_variables_and_breadcrumbs(sentry: Kept, booked: QuotePackage) -> None:
    """Otherwise the tests below would show nothing."""

    def of_the_shop() -> None:
        name = MARKER
        logging.getLogger("shop").warning("bought by %s", name)
        raise LookupError

    try:
        of_the_shop()
    except LookupError as error:
        sentry_sdk.capture_exception(error)

    places = " ".join(sorted(sentry.leaks()))
    assert ".exception.values.stacktrace.frames.vars.name" in places
    assert ".breadcrumbs.values.message" in places


def test_the_offer(sentry: Kept, browser: Client, offered: Shopper) -> None:
    answer = {"quote": Quote.objects.get().quote_id, "choice": "no"}
    browser.raise_request_exception = False

    check(sentry, lambda: browser.get("/xcover/offer/"))
    check(sentry, lambda: browser.post("/xcover/choose/", answer))


def test_an_offer_that_cannot_be_shown(
    sentry: Kept, browser: Client, offered: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(text: Any) -> Any:
        raise KeyError(text)

    monkeypatch.setattr(presentation, "clean_text", fails)
    browser.raise_request_exception = False

    assert browser.get("/xcover/offer/").status_code == 500
    assert any("exception" in event for event in sentry.sent)
    assert sentry.leaks() == set()


def test_the_api(
    sentry: Kept, front: Any, booked: QuotePackage, settings: Any, zoe: Shopper
) -> None:
    settings.ROOT_URLCONF = "tests.api.shopfront"
    front.cart, front.shopper = zoe.cart, "ana"
    client, root = APIClient(raise_request_exception=False), "/xcover/api/v1/"
    policy = f"{root}policies/{Quote.objects.get().quote_id}/"
    body = {"policyholder": {"first_name": MARKER, "email": EMAIL}}

    check(sentry, lambda: client.get(policy))
    check(sentry, lambda: client.post(f"{policy}modifications/", body, format="json"))


@pytest.mark.parametrize("signal", [signals.order_completed, signals.payment_completed])
def test_the_receivers(sentry: Kept, signal: Any, offered: Shopper, shop: Shop) -> None:
    order = shop.orders["ORD-1"]

    check(sentry, lambda: signal.send(sender=object, order=order, cart=offered.cart))


def test_a_receiver_that_fails_and_lets_the_order_go_on(
    sentry: Kept, offered: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise ValueError(MARKER)

    monkeypatch.setattr("tests.shop.Adapter.get_policyholder", fails)
    completion.complete(shop.orders["ORD-1"], offered.cart, paid=True)
    run(Operation.objects.get().pk)

    assert sentry.sent
    assert sentry.leaks() == set()


def run(pk: int) -> None:
    """Run an operation in a worker, as Celery traces it."""
    current_app.tasks["django_xcover.tasks.run_operation"].apply((pk,))


def test_a_task(
    sentry: Kept, offered: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    completion.complete(shop.orders["ORD-1"], offered.cart, paid=True)
    operation = Operation.objects.get()
    check(sentry, lambda: run(operation.pk), least=2)

    def fails(*args: Any, **options: Any) -> Any:
        raise KeyError(MARKER)

    monkeypatch.setattr(factory, "client_for", fails)
    run(operation.pk)

    assert sentry.leaks() == set()


def test_a_call_to_xcover_that_is_refused(sentry: Kept, serve: Serve, connect: Connect) -> None:
    client = connect(serve(does.json(422, REFUSAL)))

    with pytest.raises(RequestRefused) as refused:
        client.create_booking("KXR4W-9PJTC-INS", {"policyholder": ZOE}, idempotency_key="k")
    sentry_sdk.capture_exception(refused.value)

    [event] = [event for event in sentry.sent if "exception" in event]
    assert any(crumb["type"] == "http" for crumb in event["breadcrumbs"]["values"])
    assert sentry.leaks() == set()


def test_frames_that_a_tool_puts_around_the_database_are_emptied_as_well(
    sentry: Kept, offered: Shopper, shop: Shop
) -> None:
    order = shop.orders["ORD-1"]
    send = signals.payment_completed.send

    errors = list(errors_at_every_query(lambda: send(object, order=order, cart=offered.cart)))

    shown = [repr(frame.f_locals) for error in errors for frame in frames_of_the_sdk(error)]
    assert shown
    assert not [text for text in shown if MARK in text]


def frames_of_the_sdk(error: BaseException) -> Iterator[FrameType]:
    """Yield the frames of Sentry's wrappers, which it hides itself but other reports show."""
    for one in chain(error):
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if str(frame.f_globals.get("__name__")).startswith("sentry_sdk."):
                yield frame


def test_the_admin(sentry: Kept, booked: QuotePackage, client: Client) -> None:
    client.force_login(make_staff(*VIEWS))
    client.raise_request_exception = False

    check(sentry, lambda: client.get("/admin/xcover/quotepackage/"))
    check(sentry, lambda: client.get(f"/admin/xcover/quotepackage/{booked.pk}/change/"))
