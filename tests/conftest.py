"""Fixtures shared by all tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from django.test import RequestFactory, TransactionTestCase
from django.utils import translation

from django_xcover import worker
from django_xcover.clients import cache as shared_cache
from django_xcover.mirror import flags
from django_xcover.mirror.presentation import Offer
from django_xcover.models import Operation, QuotePackage
from django_xcover.offers import carts, choices, quoting
from django_xcover.offers.carts import CartToInsure
from django_xcover.sandbox import Sandbox
from tests.emptying import empty
from tests.requirements import need_browser
from tests.shop import SHOP, Cart, Shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ReadCart = Callable[..., CartToInsure]
# Milliseconds to wait for a page: only a test that fails waits so long, and a busy machine is slow.
PATIENCE = 30_000


# Few tests that take long: begun last, one process would wait for them at the end. The engines stay
# there, where the two of them have the cores to themselves.
LONGEST_FIRST = (
    "chaos/test_storm.py",
    "test_crashes.py",
    "processes/test_brokers.py",
    "processes/test_worker.py",
    "example_shop/test_demo.py",
    "oscar/test_oscar.py",
    "browser/test_my_cover.py",
    "browser/test_purchase.py",
    "browser/test_gallery.py",
    "browser/test_admin.py",
    "chaos/test_plants.py",  # not beside the other storms, with which the list begins
    "checkout/test_script.py",
    "checkout/test_layout_shifts.py",
    "test_fuzz.py",
    "benchmarks/test_growth.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Function]
) -> Iterator[None]:
    """Mark what commits, and let the processes of a run begin with the files that take longest."""
    _mark_what_commits(items)
    yield
    if hasattr(config, "workerinput"):
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (_place(item.path), -tests[item.path], item.path))


def _place(path: Path) -> int:
    name = path.relative_to(Path(__file__).parent).as_posix()
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)


def _mark_what_commits(items: list[pytest.Function]) -> None:
    """Locks, lost connections and rollbacks differ between engines."""
    for item in items:
        mark = item.get_closest_marker("django_db")
        if (mark and mark.kwargs.get("transaction")) or "transactional_db" in item.fixturenames:
            item.add_marker("every_engine")


@pytest.fixture(autouse=True)
def no_language_left_behind() -> Iterator[None]:
    """Leave no language active: a request for a German page sets it for the whole thread."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _quick_to_empty() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


# Chromium's own calls home would be refused where there is no network, many at a time.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Return a real browser, or skip the test where there is none."""
    path = need_browser()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for async code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    """Return the smallest shop, in place of the example shop."""
    settings.XCOVER = {**django_settings.XCOVER, "ADAPTER": "tests.shop.Adapter"}
    SHOP.orders.clear()
    yield SHOP
    SHOP.orders.clear()


@pytest.fixture
def sandbox(shop: Shop, xcover_sandbox: Sandbox) -> Sandbox:
    """Return a local XCover that answers in this process."""
    return xcover_sandbox


@pytest.fixture
def request_for(rf: RequestFactory) -> Callable[[Cart], HttpRequest]:
    """Return a maker of requests by a shopper with this cart."""

    def make(cart: Cart | None) -> HttpRequest:
        request = rf.get("/checkout/")
        request.cart = cart  # type: ignore[attr-defined]
        return request

    return make


@pytest.fixture
def read(request_for: Callable[[Cart], HttpRequest]) -> ReadCart:
    """Return a reader of carts, as a view would read them."""

    def read_cart(cart: Cart) -> CartToInsure:
        found = carts.read_cart(request_for(cart))
        assert found is not None
        return found

    return read_cart


START = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the clock, which stands still unless it is moved."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def memory(
    shop: Shop, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> shared_cache.Memory:
    """Return an empty cache for circuits and rates, which a test may replace."""
    cache = LocMemCache("tests of services", {})
    cache.clear()
    memory = shared_cache.Memory(lambda: cache)
    monkeypatch.setattr(shared_cache, "memory", memory)
    return memory


class Shopper:
    """Somebody with a cart, doing what a browser does."""

    def __init__(self, cart: Cart, read_cart: ReadCart) -> None:
        self.cart = cart
        self._read = read_cart

    def sees(self) -> Offer:
        """Look at the checkout and return the offer, which must be there."""
        offer = quoting.fresh_offer(self._read(self.cart))
        assert offer is not None
        return offer

    def says(self, *, yes: bool, line: int = 0, plan: str = "") -> Offer:
        """Look at the offer and answer it."""
        quote = self.sees().quotes[line]
        return self.posts(quote.quote_id, yes=yes, plan=plan)

    def posts(self, quote_id: str, *, yes: bool, plan: str = "") -> Offer:
        """Send an answer to a quote, whatever the page showed."""
        return choices.choose(
            self._read(self.cart),
            quote_id=quote_id,
            accepted=yes,
            template_version="test",
            plan=plan,
        )


@pytest.fixture
def shopper(sandbox: Sandbox, read: ReadCart) -> Shopper:
    """Return a shopper with two festival tickets in the cart."""
    return Shopper(Cart(), read)


def work() -> None:
    """Let a worker make one attempt at each operation, in order."""
    for pk in Operation.objects.order_by("pk").values_list("pk", flat=True):
        worker.run(pk)


def the_package() -> QuotePackage:
    """Return the only package there is."""
    return QuotePackage.objects.get()


def resolve_flags(package: QuotePackage, note: str) -> bool:
    """Let a person look into all that `package` is flagged for; False when that is nothing."""
    resolved = [flags.resolve(row, by="7", note=note) for row in package.flags.open()]
    return any(resolved)


def the_operation() -> Operation:
    """Return the only operation there is."""
    return Operation.objects.get()
