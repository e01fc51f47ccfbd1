"""Quoting in the background: no web worker waits for XCover, and nothing is quoted twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_xcover.client.connections import Deadline
from django_xcover.clients import circuit_breaker
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.models import OfferCount, OfferOutcome, QuoteAttempt, QuotePackage
from django_xcover.offers import counts, quote_attempts, quoting
from django_xcover.offers.carts import CartToInsure
from django_xcover.sandbox import Sandbox
from tests.checkout.conftest import front as front  # noqa: PLC0414 - a fixture
from tests.checkout.shopfront import Front
from tests.conftest import ReadCart
from tests.shop import ANA, Cart, ticket
from tests.threads import finish

pytestmark = pytest.mark.django_db(transaction=True)
OFFER = "/xcover/offer/"


@pytest.fixture(autouse=True)
def threads(settings: Any, sandbox: Sandbox) -> Iterator[None]:
    """Quote in threads, as by default, and leave none behind."""
    settings.XCOVER = {**settings.XCOVER, "OFFER_THREADS": 2, "OFFER_DEADLINE": 3.0}
    counts._counted.clear()
    yield
    sandbox.faults.clear()
    finish()


def deadline(settings: Any, seconds: float) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": seconds}


def outcomes() -> dict[str, int]:
    finish()
    return dict(OfferCount.objects.values_list("outcome", "count"))


class Slow:
    """Holds XCover's answers back until it is told to let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.go = threading.Semaphore(0), threading.Event()
        create = quoting._create

        def held(cart: CartToInsure, until: Deadline) -> Any:
            self.asked.release()
            assert self.go.wait(30)
            return create(cart, until)

        monkeypatch.setattr(quoting, "_create", held)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    held = Slow(monkeypatch)
    yield held
    held.go.set()
    finish()


def test_the_first_look_waits_for_nothing_and_the_next_finds_the_offer(
    slow: Slow, read: ReadCart
) -> None:
    began = time.monotonic()
    assert quoting.look(read(Cart())) == quoting.BEGUN
    assert time.monotonic() - began < 2
    assert quoting.look(read(Cart()), again=True) == quoting.BEGUN

    slow.go.set()
    finish()

    assert quoting.look(read(Cart()), again=True).offer is not None
    assert not QuoteAttempt.objects.exists()
    assert outcomes() == {"offered": 1}


def test_two_looks_at_one_cart_quote_once(slow: Slow, read: ReadCart, sandbox: Sandbox) -> None:
    for _ in range(5):
        assert quoting.look(read(Cart())) == quoting.BEGUN
    slow.go.set()
    finish()

    assert quoting.look(read(Cart())).offer is not None
    assert len(sandbox.calls("create_quote")) == 1


def test_processes_that_look_at_once_quote_once(read: ReadCart, sandbox: Sandbox) -> None:
    cart = read(Cart())
    barrier = threading.Barrier(6)
    mine: list[bool] = []

    def claim() -> None:
        barrier.wait()
        try:
            mine.append(quote_attempts.claim(cart).is_mine)
        finally:
            connection.close()

    workers = [threading.Thread(target=claim) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(mine) == [False] * 5 + [True]


def test_a_cart_quoted_by_another_process_just_before_the_claim_is_not_quoted_again(
    read: ReadCart, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cart = read(Cart())
    claim = quote_attempts.claim

    def after_another(cart: CartToInsure) -> Any:
        monkeypatch.setattr(quote_attempts, "claim", claim)
        quoting.look(cart)
        finish()
        return claim(cart)

    monkeypatch.setattr(quote_attempts, "claim", after_another)

    assert quoting.look(cart).offer is not None
    assert len(sandbox.calls("create_quote")) == 1
    assert not QuoteAttempt.objects.exists()


def test_a_poll_after_a_failure_says_that_nothing_comes_and_asks_nobody(
    read: ReadCart, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_quote", "status", times=None, status=503)
    assert quoting.look(read(Cart())) == quoting.BEGUN
    finish()

    assert quoting.look(read(Cart()), again=True) == quoting.NOTHING
    assert len(sandbox.calls("create_quote")) == 1
    assert outcomes() == {"fault": 1}


def test_a_late_answer_is_kept_for_the_next_look(slow: Slow, read: ReadCart, settings: Any) -> None:
    deadline(settings, 1.0)
    assert quoting.look(read(Cart())) == quoting.BEGUN
    time.sleep(1.05)
    assert quoting.look(read(Cart()), again=True) == quoting.NOTHING
    assert quoting.look(read(Cart())) == quoting.NOTHING

    slow.go.set()
    finish()

    assert quoting.look(read(Cart())).offer is not None


def test_a_late_answer_is_counted_as_a_lost_offer(
    read: ReadCart, sandbox: Sandbox, settings: Any
) -> None:
    deadline(settings, 0.3)
    sandbox.latency.set("0.5")

    assert quoting.look(read(Cart())) == quoting.BEGUN

    assert outcomes() == {"late": 1}
    assert QuotePackage.objects.count() == 1


def test_a_changed_cart_waits_for_the_quote_of_what_it_was(
    slow: Slow, read: ReadCart, sandbox: Sandbox
) -> None:
    assert quoting.look(read(Cart())) == quoting.BEGUN
    changed = read(Cart(items=(ticket(price="80"),)))
    assert quoting.look(changed) == quoting.NOT_YET
    slow.go.set()
    finish()

    assert quoting.look(changed) == quoting.BEGUN
    finish()

    assert quoting.look(changed, again=True).offer is not None
    assert QuotePackage.objects.count() == 1


def test_when_all_threads_are_busy_a_cart_is_quoted_at_a_later_look(
    slow: Slow, read: ReadCart
) -> None:
    carts = [read(Cart(reference=f"cart-{number}")) for number in range(3)]
    looks = [quoting.look(cart) for cart in carts]
    assert looks == [quoting.BEGUN, quoting.BEGUN, quoting.NOT_YET]
    slow.go.set()
    finish()

    assert quoting.look(carts[2]) == quoting.BEGUN


def test_inside_a_transaction_the_cart_is_quoted_at_once(read: ReadCart) -> None:
    with transaction.atomic():
        assert quoting.look(read(Cart())).offer is not None


@pytest.mark.parametrize("age", [timedelta(days=-30), timedelta(minutes=1)])
def test_an_attempt_of_a_dead_process_or_a_wrong_clock_holds_nobody(
    read: ReadCart, age: timedelta
) -> None:
    cart = read(Cart())
    claim = quote_attempts.claim(cart)
    QuoteAttempt.objects.update(started_at=timezone.now() - age)

    taken = quote_attempts.claim(cart)

    assert taken.is_mine
    quote_attempts.release(claim.row)  # the dead one comes back to life
    assert QuoteAttempt.objects.get().token == taken.row.token


def test_of_two_that_take_over_one_wins(read: ReadCart) -> None:
    row = quote_attempts.claim(read(Cart())).row
    others = [QuoteAttempt(cart=row.cart, fingerprint="x", token=uuid.uuid4()) for _ in range(2)]

    assert [quote_attempts._take_over(row, other) for other in others] == [True, False]


def test_a_slow_vendor_that_answers_others_is_not_at_fault(
    read: ReadCart, sandbox: Sandbox, settings: Any
) -> None:
    # The first answer comes before the third deadline has passed: three are what opens the circuit.
    deadline(settings, 0.4)
    settings.XCOVER = {**settings.XCOVER, "OFFER_THREADS": 20}
    sandbox.latency.set("0.45")

    for number in range(8):
        quoting.look(read(Cart(reference=f"cart-{number}")))
        time.sleep(0.2)
    finish()

    assert circuit_breaker.state("default").circuit == Circuit.CLOSED
    assert circuit_breaker.state("default").faults == 0
    assert QuotePackage.objects.count() == 8


def test_a_dead_vendor_is_known_after_one_deadline_not_after_three(
    read: ReadCart, slow: Slow, settings: Any
) -> None:
    deadline(settings, 0.3)
    settings.XCOVER = {**settings.XCOVER, "OFFER_THREADS": 3}
    for number in range(3):
        quoting.look(read(Cart(reference=f"cart-{number}")))

    time.sleep(0.6)

    assert circuit_breaker.state("default").circuit == Circuit.OPEN
    assert quoting.look(read(Cart(reference="another"))) == quoting.NOTHING


def test_a_circuit_that_late_answers_opened_is_closed_by_them(
    read: ReadCart, sandbox: Sandbox, settings: Any
) -> None:
    deadline(settings, 0.3)
    settings.XCOVER = {**settings.XCOVER, "OFFER_THREADS": 3}
    sandbox.latency.set("0.6")
    for number in range(3):
        quoting.look(read(Cart(reference=f"cart-{number}")))
    time.sleep(0.4)
    assert circuit_breaker.state("default").circuit == Circuit.OPEN

    finish()

    assert circuit_breaker.state("default").circuit == Circuit.CLOSED


def test_a_visitor_has_a_limit_and_the_next_one_their_own(
    read: ReadCart, sandbox: Sandbox, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 2, "OFFER_THREADS": 9}
    looks = [quoting.look(read(Cart(reference=f"cart-{number}"))) for number in range(4)]
    finish()

    assert [found.is_limited for found in looks] == [False, False, True, True]
    assert len(sandbox.calls("create_quote")) == 2
    assert caplog.text.count("VISITOR_QUOTES") == 1
    assert "127.0.0.1" not in caplog.text
    cart = read(Cart(reference="cart-9"))
    other = replace(cart, visitor="another")
    assert quoting.look(other) == quoting.BEGUN
    finish()
    counts.write()
    assert outcomes()["visitor_limit"] == 2


def test_looking_again_while_all_threads_are_busy_uses_up_no_quotes(
    slow: Slow, read: ReadCart, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 3}
    carts = [read(Cart(reference=f"cart-{number}")) for number in range(3)]
    quoting.look(carts[0])
    quoting.look(carts[1])
    for _ in range(5):
        assert quoting.look(carts[2]) == quoting.NOT_YET
    slow.go.set()
    finish()

    assert quoting.look(carts[2]) == quoting.BEGUN


def test_what_is_stored_is_shown_to_a_visitor_beyond_the_limit(
    read: ReadCart, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 1}
    quoting.look(read(Cart()))
    finish()

    assert quoting.look(read(Cart())).offer is not None


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_refused_are_counted_and_kept(
    read: ReadCart, sandbox: Sandbox, status: int
) -> None:
    sandbox.faults.add("create_quote", "status", times=None, status=status)
    quoting.look(read(Cart()))
    finish()

    assert counts.auth_refusals_since("default", timezone.now()) == 1
    assert OfferOutcome.NOT_AUTHORISED in counts.last_times("default")


def test_an_error_in_a_thread_is_logged_without_what_it_says(
    read: ReadCart, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What leaves a thread goes to stderr and to error reports with the variables of each frame."""

    def fail(*args: Any) -> Any:
        raise ValueError(ANA.email)

    left: list[Any] = []
    monkeypatch.setattr(quoting, "_create", fail)
    monkeypatch.setattr(threading, "excepthook", left.append)

    quoting.look(read(Cart()))
    finish()

    assert left == []
    assert "ValueError" in caplog.text
    assert ANA.email not in caplog.text


def test_an_error_of_our_own_ends_the_attempt_and_is_counted(
    read: ReadCart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(quoting, "_create", fail)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)

    quoting.look(read(Cart()))

    assert outcomes() == {"error": 1}
    assert quoting.look(read(Cart()), again=True) == quoting.NOTHING


# Over HTTP


@pytest.fixture
def queries() -> Callable[[], CaptureQueriesContext]:
    return lambda: CaptureQueriesContext(connection)


def test_the_fragment_says_not_yet_and_where_to_look_again(
    front: Front, client: Client, slow: Slow, queries: Callable[[], CaptureQueriesContext]
) -> None:
    with queries() as first:
        response = client.get(OFFER, {"next": "/checkout/"})
    assert (response.status_code, response.content) == (202, b"")
    assert response.headers["Retry-After"] == "1"
    address = response.headers["Location"]
    assert address == "/xcover/offer/?next=%2Fcheckout%2F&again=1"
    with queries() as between:
        assert client.get(address).headers["Location"] == address
    slow.go.set()
    finish()
    with queries() as last:
        assert client.get(address).status_code == 200

    assert len(first) <= 6
    assert len(between) <= 3
    assert len(last) <= 3


def test_a_visitor_beyond_the_limit_is_refused_with_when_to_come_back(
    front: Front, client: Client, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 1}
    client.get(OFFER)
    finish()
    front.cart = Cart(reference="cart-2")

    response = client.get(OFFER)

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 600


def test_without_javascript_the_page_loads_itself_until_the_offer_is_there(
    front: Front, client: Client, slow: Slow
) -> None:
    response = client.get(f"{OFFER}page/", {"next": "/checkout/"})
    assert b"looking for insurance for your order" in response.content
    pause, _, address = response.headers["Refresh"].partition("; url=")
    assert pause == "1"
    slow.go.set()
    finish()

    response = client.get(address)

    assert "Refresh" not in response.headers
    assert b"Yes, add cover for" in response.content


def test_a_refused_answer_brings_the_new_offer_when_it_comes_in_time(
    front: Front, client: Client
) -> None:
    fields = {"quote": "unknown", "choice": "yes"}
    response = client.post("/xcover/choose/", fields, headers={"Accept": "application/json"})

    assert response.status_code == 409
    assert response.json()["waiting"] is False
    assert "Yes, add cover for" in response.json()["html"]


def test_a_refused_answer_says_that_the_new_offer_comes_later(
    front: Front, client: Client, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_xcover.checkout.views.WAIT", 0.05)
    fields = {"quote": "unknown", "choice": "yes"}
    response = client.post("/xcover/choose/", fields, headers={"Accept": "application/json"})

    assert response.json()["waiting"] is True
