"""The page that says how everything stands: who sees what of it, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_xcover.client import ServerFault, Throttled
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import CREATE_QUOTE
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, rate_limits
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.conf import get_config
from django_xcover.models import AccountPause, Attention, Discrepancy
from django_xcover.outbox import account_pause, lease
from django_xcover.testing.factories import (
    AccountPauseFactory,
    CancellationFactory,
    DiscrepancyFactory,
    FlagFactory,
    InstalmentFactory,
    OperationFactory,
    QuotePackageFactory,
    ReconciliationFactory,
)
from tests.admin.conftest import ACCOUNT
from tests.admin.factories import in_minutes, make_staff
from tests.admin.pressing import messages_of
from tests.caches import Away

PAGE = "/admin/xcover/operation/status/"
TRY = "/admin/xcover/operation/status/default/try/"
WELL = "No problems found."


@pytest.fixture(autouse=True)
def memory(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[shared_cache.Memory]:
    """Return a cache that processes share, and that knows of a sweep just now."""
    cache = FileBasedCache(str(tmp_path), {})
    memory = shared_cache.Memory(lambda: cache)
    monkeypatch.setattr(shared_cache, "memory", memory)
    lease.record_sweep()
    yield memory
    cache.clear()


def staff(*permissions: str, name: str = "sam") -> Client:
    """Return the browser of a member of staff with these permissions."""
    client = Client()
    client.force_login(make_staff(*permissions, name=name))
    return client


def text(client: Client) -> str:
    """Return the page as text."""
    page: str = client.get(PAGE).content.decode()
    return page.replace("&#x27;", "'").replace("&amp;", "&")


def fail(times: int = 3, account: str = "default") -> None:
    """Let calls fail, by default as often as opens the circuit."""
    for _ in range(times):
        with suppress(ServerFault), circuit_breaker.guard(account):
            raise ServerFault(status=503)


def circuit() -> Circuit:
    return circuit_breaker.state("default").circuit


def throttled(seconds: float) -> None:
    """Let XCover refuse a quote and ask for a pause."""
    limiter = rate_limits.limiter_of(get_config().account("default"))
    with suppress(Throttled), limiter(CREATE_QUOTE, Deadline.after(1)):
        raise Throttled(status=429, retry_after=seconds)


# Who


@pytest.mark.parametrize("path", [PAGE, TRY])
def test_it_is_closed_to_shoppers_and_to_staff_who_may_not_see_operations(path: str) -> None:
    fail()
    shopper, clerk = Client(), staff("view_quotepackage", "retry_operation")

    assert shopper.post(path).status_code == 302
    assert clerk.post(path).status_code == 403
    assert clerk.get(PAGE).status_code == 403
    assert circuit() == Circuit.OPEN


def test_who_may_not_see_rows_sees_how_many_and_no_link_to_them() -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    DiscrepancyFactory.create(package=package)
    account_pause.pause("default", by="ana", reason="Prices are wrong")

    page = text(staff("view_operation"))

    assert "1 item needs a person." in page
    assert "/admin/xcover/discrepancy/" not in page
    assert "/admin/xcover/accountpause/" not in page
    assert "This account is paused" in page
    assert "Prices are wrong" not in page


def test_it_shows_no_key_and_no_secret(root: Client) -> None:
    secrets = (("hook-key", "hook-secret-of-the-tests"),)
    account = {**ACCOUNT, "WEBHOOK_SECRETS": secrets}
    setting = {"ADAPTER": "tests.admin.shop.BoxOfficeAdapter", "ACCOUNTS": {"default": account}}
    throttled(30)
    with override_settings(XCOVER=setting):
        page = text(root)

    for value in ("key-of-the-tests", "secret-of-the-tests", "hook-key", "127.0.0.1:9"):
        assert value not in page


def test_a_viewer_finds_nothing_to_press(viewer: Client) -> None:
    fail()
    account_pause.pause("default", by="ana")

    page = text(viewer)

    assert "Let the next call through" not in page
    assert "Resume" not in page
    assert "Pause this account" not in page


# The circuit


def test_an_open_circuit_says_since_when_until_when_and_what_it_means(viewer: Client) -> None:
    fail()

    page = text(viewer)

    assert "XCover does not answer (default): shoppers see no new offers." in page
    assert "No calls since" in page
    assert (
        "from {} one call checks".format(_clock(circuit_breaker.state("default").open_until))
        in page
    )
    assert 'http-equiv="refresh"' in page
    assert WELL not in page


def _clock(moment: Any) -> str:
    return f"{timezone.localtime(moment):%H:%M:%S}"


def test_a_half_open_circuit_says_who_tries(viewer: Client) -> None:
    fail()
    circuit_breaker.try_now("default")

    page = text(viewer)

    assert "The next shopper's call checks whether XCover is back." in page
    assert "half open" in page


def test_faults_that_open_nothing_yet_are_told(viewer: Client) -> None:
    fail(2)

    page = text(viewer)

    assert "2 of the last 2 failed" in page
    assert WELL in page
    assert 'http-equiv="refresh"' not in page


def test_a_cache_that_is_away_is_said_and_is_no_error(
    viewer: Client, memory: shared_cache.Memory
) -> None:
    memory.find = Away

    answer = viewer.get(PAGE)

    assert answer.status_code == 200
    assert "The cache can&#x27;t be reached" in answer.content.decode()
    assert "No problems found, as far as can be known without the cache." in answer.content.decode()


def test_a_memory_of_this_process_is_not_passed_off_as_what_all_know(
    viewer: Client, memory: shared_cache.Memory
) -> None:
    own = LocMemCache("of-this-process", {})
    own.clear()
    memory.find = lambda: own

    page = text(viewer)

    assert "shows the circuits and rates of one process" in page
    assert "No sweep has run" not in page


def test_a_pause_that_xcover_has_asked_for_is_shown_and_looking_counts_no_call(
    viewer: Client, memory: shared_cache.Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttled(30)
    written = list[str]()
    for name in ("add", "incr", "set", "decr"):
        monkeypatch.setattr(
            FileBasedCache, name, lambda *args, name=name, **kw: written.append(name)
        )

    page = text(viewer)

    assert "at most 50 a second; XCover asked for a pause until" in page
    assert "at most 20 a second" in page
    assert "XCover asked for a pause (default): there are no new offers until it is over." in page
    assert written == []


# Trying by hand


def test_the_button_lets_one_call_try_and_leaves_a_name(agent: Client) -> None:
    fail()
    assert TRY in text(agent)

    answer = agent.post(TRY)

    assert answer.headers["Location"] == PAGE
    assert messages_of(answer) == ["The next call checks whether XCover is back (default)."]
    assert circuit() == Circuit.HALF_OPEN
    assert str(LogEntry.objects.get().user) == "agent"


def test_a_viewer_a_get_and_a_closed_circuit_try_nothing(viewer: Client, agent: Client) -> None:
    assert messages_of(agent.post(TRY)) == ["default: the circuit isn't open."]
    fail()

    assert viewer.post(TRY).status_code == 403
    assert agent.get(TRY).status_code == 405
    assert agent.post(TRY.replace("default", "nowhere")).status_code == 404
    assert circuit() == Circuit.OPEN
    assert not LogEntry.objects.exists()


# The rest


def test_all_well_says_so_and_how_fresh_it_is(viewer: Client) -> None:
    ReconciliationFactory.create(account="default", finished_at=in_minutes(-60))

    page = text(viewer)

    assert WELL in page
    assert "1 hour ago" in page.replace("\xa0", " ")
    assert "none in the past ten minutes" in page
    assert "nothing is due" in page


def test_each_number_leads_to_its_rows(root: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, needs_person=True)
    FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)
    DiscrepancyFactory.create(package=package)

    page = text(root)

    assert "3 items need a person." in page
    for query, number in {
        "operation/?state__exact=needs_person": 1,
        "quotepackage/?attention=flagged": 1,
        "discrepancy/?state__exact=open": 1,
        "webhookdelivery/?state__exact=failed": 0,
    }.items():
        assert f'<a href="/admin/xcover/{query}">{number}</a>' in page
        listed = root.get(f"/admin/xcover/{query}")
        assert listed.context["cl"].result_count == number


def test_money_that_the_shop_has_yet_to_move_is_told_and_leads_to_its_rows(root: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    CancellationFactory.create(package=package, confirmed=True)
    InstalmentFactory.create(quote=package.quotes.all()[0], period_start_date=in_minutes(-60))
    CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1002", confirmed=True, total_refund=0
    )

    page = text(root)

    assert WELL not in page
    assert "1 refund is to be recorded." in page
    assert "1 instalment is overdue." in page
    for query in ("cancellation/?refund=missing", "instalment/?payment=overdue"):
        assert f'<a href="/admin/xcover/{query}">1</a>' in page
        assert root.get(f"/admin/xcover/{query}").context["cl"].result_count == 1


def test_an_operation_that_no_worker_takes_points_at_the_worker(viewer: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1001", next_attempt_at=in_minutes(-30))

    assert "1 operation has waited for a worker for more than 15 minutes" in text(viewer)


def test_an_operation_that_waits_behind_a_person_points_at_no_worker(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, needs_person=True)
    OperationFactory.create(package=package, subject="second", next_attempt_at=in_minutes(-30))

    assert "waited for a worker" not in text(viewer)


def test_a_sweeper_that_stays_away_is_told(viewer: Client) -> None:
    with time_machine.travel(in_minutes(-6)):
        lease.record_sweep()

    assert "No sweep has run recently" in text(viewer)


def test_who_may_pauses_and_resumes_from_here() -> None:
    client = staff("view_operation", "view_accountpause", "add_accountpause", "resume_accountpause")
    way = "/admin/xcover/accountpause/add/?account=default"
    assert way in text(client)
    assert '<option value="default" selected>' in client.get(way).content.decode()
    row = account_pause.pause("default", by="ana", reason="Prices are wrong")
    page = text(client)
    assert "Prices are wrong" in page
    assert way not in page

    answer = client.post(f"/admin/xcover/accountpause/{row.pk}/resume/", {"next": PAGE})

    assert answer.headers["Location"] == PAGE
    assert not AccountPause.objects.exists()


def test_a_paused_account_that_is_gone_from_the_settings_can_be_resumed() -> None:
    client = staff("view_operation", "view_accountpause", "resume_accountpause")
    row = AccountPauseFactory.create(account="gone")

    page = text(client)

    assert "no longer in the settings" in page
    assert f"/admin/xcover/accountpause/{row.pk}/resume/" in page


def test_no_other_site_presses_a_button() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff("view_operation", "retry_operation"))
    fail()

    assert client.post(TRY).status_code == 403
    assert circuit() == Circuit.OPEN


@pytest.mark.parametrize("path", ["", "operation/", "accountpause/", "discrepancy/"])
def test_the_way_there_is_shown_to_those_who_may_go(viewer: Client, path: str) -> None:
    others = staff("view_quotepackage", "view_accountpause", "view_discrepancy", name="others")

    assert PAGE in viewer.get(f"/admin/xcover/{path}").content.decode()
    assert PAGE not in others.get(f"/admin/xcover/{path}").content.decode()


def test_the_front_page_leads_there_where_the_app_stands_before_the_admin(
    viewer: Client, settings: Any
) -> None:
    apps = [name for name in settings.INSTALLED_APPS if name != "django_xcover"]
    # The templates as well, or the one that was found before would be kept.
    first = {"INSTALLED_APPS": ["django_xcover", *apps], "TEMPLATES": settings.TEMPLATES}
    with override_settings(**first):
        front = viewer.get("/admin/").content.decode()
        others = staff("view_quotepackage", name="others").get("/admin/").content.decode()
        our_page = viewer.get("/admin/xcover/").content.decode()

    assert PAGE in front
    assert PAGE not in others
    assert our_page.count(PAGE) == 1


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get(PAGE)
    return len(asked)


def test_the_queries_are_the_same_whatever_there_is(root: Client) -> None:
    queries_of(root)
    few = queries_of(root)
    for number in range(5):
        package = QuotePackageFactory.create(
            booked=True, two_quotes=True, order_reference=f"SH-{number}"
        )
        OperationFactory.create(package=package, needs_person=True)
        DiscrepancyFactory.create(package=package)
        CancellationFactory.create(package=package, confirmed=True)
    fail()
    account_pause.pause("default", by="ana")
    accounts = {f"shop{number}": ACCOUNT for number in range(5)} | {"default": ACCOUNT}
    setting = {"ADAPTER": "tests.admin.shop.BoxOfficeAdapter", "ACCOUNTS": accounts}

    with override_settings(XCOVER=setting):
        many = queries_of(root)

    assert Discrepancy.objects.count() == 5
    # The session, its user, 23 for how everything stands, and one for what may be resumed.
    assert (few, many) == (26, 26)
