"""The price on a product's page as shops have it by default: no web worker waits for XCover."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from django_xcover.client import XCoverClient
from django_xcover.clients import cache as shared_cache
from django_xcover.clients.cache import CacheScope
from django_xcover.conf import get_config
from django_xcover.offers import background, fast_quote, product_price
from django_xcover.sandbox import Sandbox
from tests.checkout.conftest import Visitor, front, visitor
from tests.shop import ANA, PRODUCTS, laptop
from tests.threads import finish, threads

__all__ = ["front", "threads", "visitor"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sandbox", "threads"),
]
PRICE, PHONE = "/xcover/price/?product=laptop", "/xcover/price/?product=phone"


@pytest.fixture(autouse=True)
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Empty the cache, and sell a second product."""
    monkeypatch.setitem(PRODUCTS, "phone", laptop("phone"))
    cache.clear()
    yield
    cache.clear()


class Slow:
    """Holds XCover's prices back until `go` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.go = threading.Semaphore(0), threading.Event()
        call = XCoverClient.fast_quote

        def held(client: XCoverClient, *args: Any, **options: Any) -> Any:
            self.asked.release()
            assert self.go.wait(30)
            return call(client, *args, **options)

        monkeypatch.setattr(XCoverClient, "fast_quote", held)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    held = Slow(monkeypatch)
    yield held
    held.go.set()
    finish()


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cache of this process count as one that all processes share."""
    monkeypatch.setattr(shared_cache, "cache_scope", lambda: CacheScope.SHARED)


def test_no_request_waits_for_a_price_and_the_next_one_has_it(
    visitor: Visitor, sandbox: Sandbox, slow: Slow
) -> None:
    began = time.monotonic()
    first = visitor.client.get(PRICE)
    again = visitor.client.get(first["Location"])
    assert time.monotonic() - began < 2
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.content, first["X-XCover"], first["Retry-After"]) == (b"", "1", "1")
    slow.go.set()
    finish()

    assert visitor.client.get(first["Location"]).json()["text"].startswith("Add cover from")
    assert len(sandbox.calls("fast_quote")) == 1


def test_one_request_is_enough_if_xcover_answers_in_the_normal_time(
    visitor: Visitor, shared: None
) -> None:
    assert visitor.client.get(PRICE).status_code == 200


def test_only_one_request_in_all_processes_waits(
    visitor: Visitor, slow: Slow, shared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(threading.Thread, "join", lambda thread, wait=None: waits.append(wait))

    assert Client().get(PRICE).status_code == 202
    assert visitor.client.get(PHONE).status_code == 202

    assert waits == [product_price.WAIT]
    monkeypatch.undo()


def test_an_answer_after_the_deadline_is_kept_for_the_next_look(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[float] = []
    call = XCoverClient.fast_quote

    def noted(client: XCoverClient, *args: Any, deadline: float) -> Any:
        deadlines.append(deadline)
        return call(client, *args, deadline=deadline)

    monkeypatch.setattr(XCoverClient, "fast_quote", noted)
    visitor.client.get(PRICE)
    finish()

    assert deadlines == [get_config().late_answer_deadline]
    assert deadlines[0] > get_config().offer_deadline


def test_prices_leave_half_of_the_threads_to_the_offers_at_checkout(
    visitor: Visitor, settings: Any, slow: Slow
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_THREADS": 2}

    assert visitor.client.get(PRICE).status_code == 202
    assert visitor.client.get(PHONE).status_code == 202
    assert len(background._running) == 1
    assert visitor.client.get("/xcover/offer/").status_code == 202
    slow.go.set()
    finish()

    assert visitor.client.get(PHONE).status_code == 202
    finish()
    assert visitor.client.get(PHONE).status_code == 200


def test_without_a_price_the_requests_end_and_xcover_is_asked_once(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    sandbox.faults.add("fast_quote", "status", times=None)

    assert visitor.client.get(PRICE).status_code == 202
    finish()

    assert [visitor.client.get(PRICE).status_code for _ in range(3)] == [204] * 3
    assert len(sandbox.calls("fast_quote")) == 1


def test_a_thread_that_fails_ends_the_requests_as_well(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise ValueError(ANA.email)

    monkeypatch.setattr(fast_quote, "ask", fails)

    with caplog.at_level(logging.ERROR):
        visitor.client.get(PRICE)
        finish()

    assert visitor.client.get(PRICE).status_code == 204
    assert ANA.email not in caplog.text


def test_while_the_cache_fails_no_worker_waits_and_nobody_asks(
    visitor: Visitor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache, "cache_scope", lambda: CacheScope.UNAVAILABLE)

    assert visitor.client.get(PRICE).status_code == 204
    assert sandbox.calls("fast_quote") == []


@pytest.mark.parametrize("cause", ["no cache", "no threads"])
def test_a_shop_that_cannot_ask_in_a_thread_asks_in_the_request(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    if cause == "no cache":
        monkeypatch.setattr(shared_cache, "cache_scope", lambda: CacheScope.NONE)
    else:
        monkeypatch.setattr(background, "is_possible", lambda: False)

    assert visitor.client.get(PRICE).status_code == 200
