"""Marking many discrepancies at once: only the unknown, only what was seen, each with a name."""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_xcover.models import Discrepancy
from django_xcover.sync.reconciliation import discrepancies
from django_xcover.testing.factories import DiscrepancyFactory, QuotePackageFactory
from tests.admin.factories import make_staff
from tests.admin.pressing import messages_of

pytestmark = pytest.mark.every_engine

Kind, State = Discrepancy.Kind, Discrepancy.State
LIST = "/admin/xcover/discrepancy/"
MARK = "/admin/xcover/discrepancy/together/resolve/"
NOTE = "Made before the shop was connected"


def stranger(**values: Any) -> Discrepancy:
    """Return a booking of £12.50 that nobody here knows."""
    facts = {"kind": Kind.UNKNOWN, "ours": None, "order_reference": ""}
    money = {"theirs": Decimal("12.50"), "at_stake": Decimal("12.50")}
    return DiscrepancyFactory.create(package=QuotePackageFactory.create(), **facts | money | values)


@pytest.fixture
def client_() -> Client:
    client = Client()
    client.force_login(make_staff("view_discrepancy", "resolve_discrepancy"))
    return client


def choose(client: Client, *rows: Discrepancy, across: bool = False) -> Any:
    """Choose `rows` in the list, and the action."""
    chosen = [str(row.pk) for row in rows]
    facts = {"action": "resolve_together", "_selected_action": chosen, "index": "0"}
    return client.post(LIST, facts | {"select_across": "1" if across else "0"})


def seen(page: Any) -> str:
    """Return what the page remembers of the rows it shows."""
    found = re.search(r'name="seen" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def mark(client: Client, page: Any, note: str = NOTE) -> Any:
    """Send the form of the page."""
    return client.post(MARK, {"note": note, "seen": seen(page)})


def states() -> list[str]:
    return list(Discrepancy.objects.order_by("pk").values_list("state", flat=True))


def test_who_may_only_look_is_offered_nothing_and_refused(client: Client) -> None:
    row = stranger()
    client.force_login(make_staff("view_discrepancy"))

    assert "unknown to us” as looked" not in client.get(LIST).content.decode()
    choose(client, row)
    answer = client.post(MARK, {"note": NOTE, "seen": f"{row.pk}:{discrepancies.fingerprint(row)}"})

    assert answer.status_code == 403
    assert states() == [State.OPEN]


def test_who_may_resolve_and_not_look_is_refused() -> None:
    row, client = stranger(), Client()
    client.force_login(make_staff("resolve_discrepancy"))

    answer = client.post(MARK, {"note": NOTE, "seen": f"{row.pk}:{discrepancies.fingerprint(row)}"})

    assert answer.status_code == 403
    assert states() == [State.OPEN]


def test_choosing_marks_nothing_and_says_how_many_and_how_much(client_: Client) -> None:
    rows = [stranger(), stranger(), stranger(currency="EUR", at_stake=Decimal("0.10"))]

    page = choose(client_, *rows).content.decode()

    assert "3 bookings that are unknown to us" in page
    assert "<strong>€0.10</strong>, <strong>£25.00</strong>" in page
    assert states() == [State.OPEN] * 3


def test_all_are_marked_with_one_note_and_a_name_on_each(
    client_: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="django_xcover")
    rows = [stranger() for _ in range(3)]

    answer = mark(client_, choose(client_, *rows), f"{NOTE}, called +44 7700 900123")

    assert states() == [State.RESOLVED] * 3
    assert {row.note for row in Discrepancy.objects.all()} == {f"{NOTE}, called [hidden]"}
    assert messages_of(answer) == ["3 discrepancies were marked as looked into."]
    assert [str(entry.object_id) for entry in LogEntry.objects.order_by("pk")] == [
        str(row.pk) for row in rows
    ]
    assert {str(entry.user) for entry in LogEntry.objects.all()} == {"sam"}
    assert len([line for line in caplog.messages if "was resolved by user" in line]) == 3


def test_another_kind_and_what_is_not_open_are_left_out(client_: Client) -> None:
    unpaid, over, ours = (
        DiscrepancyFactory.create(package=QuotePackageFactory.create()),
        stranger(state=State.GONE),
        stranger(),
    )

    page = choose(client_, unpaid, over, ours)
    mark(client_, page)

    assert "2 others that were chosen are left out" in page.content.decode()
    assert states() == [State.OPEN, State.GONE, State.RESOLVED]


def test_with_nothing_to_mark_there_is_no_page(client_: Client) -> None:
    answer = choose(client_, DiscrepancyFactory.create(package=QuotePackageFactory.create()))

    assert answer.status_code == 302
    assert messages_of(answer) == [
        "Nothing to mark: choose open discrepancies that are “unknown to us”."
    ]


def test_what_has_changed_meanwhile_is_skipped_and_told(client_: Client) -> None:
    dearer, gone, same = stranger(), stranger(), stranger()
    page = choose(client_, dearer, gone, same)
    Discrepancy.objects.filter(pk=dearer.pk).update(theirs=Decimal("99.00"))
    Discrepancy.objects.filter(pk=gone.pk).update(state=State.GONE)

    answer = mark(client_, page)

    assert states() == [State.OPEN, State.GONE, State.RESOLVED]
    assert messages_of(answer) == [
        "1 discrepancy was marked as looked into.",
        "2 were left as they are: not open any more, or changed. Look again.",
    ]
    assert LogEntry.objects.count() == 1


def test_the_same_page_sent_twice_marks_once(client_: Client) -> None:
    page = choose(client_, stranger())

    mark(client_, page)
    mark(client_, page, "Another note")

    assert Discrepancy.objects.get().note == NOTE
    assert LogEntry.objects.count() == 1


def test_without_a_note_it_asks_again_and_forgets_nothing(client_: Client) -> None:
    page = choose(client_, stranger(), stranger())

    again = mark(client_, page, "")
    assert "This field is required." in again.content.decode()
    assert states() == [State.OPEN] * 2
    mark(client_, again)

    assert states() == [State.RESOLVED] * 2


@pytest.mark.parametrize("nonsense", ["", "x", "1", "1:zz", "1:0123456789ab;", "9" * 40 + ":0"])
def test_a_page_that_came_back_broken_marks_nothing(client_: Client, nonsense: str) -> None:
    stranger()

    answer = client_.post(MARK, {"note": NOTE, "seen": nonsense})

    assert messages_of(answer) == [
        "Nothing was marked: the form was incomplete. Please start again from the list."
    ]
    assert states() == [State.OPEN]


def test_no_crafted_page_marks_another_kind(client_: Client) -> None:
    row = DiscrepancyFactory.create(package=QuotePackageFactory.create())

    client_.post(MARK, {"note": NOTE, "seen": f"{row.pk}:{discrepancies.fingerprint(row)}"})

    assert states() == [State.OPEN]


def test_no_other_site_marks_anything() -> None:
    row, client = stranger(), Client(enforce_csrf_checks=True)
    client.force_login(make_staff("view_discrepancy", "resolve_discrepancy"))

    answer = client.post(MARK, {"note": NOTE, "seen": f"{row.pk}:{discrepancies.fingerprint(row)}"})

    assert answer.status_code == 403
    assert states() == [State.OPEN]


def test_a_card_number_is_refused(client_: Client) -> None:
    page = choose(client_, stranger())

    mark(client_, page, "Paid with 4111 1111 1111 1111")

    assert states() == [State.OPEN]


def test_all_of_the_list_can_be_chosen_at_once(client_: Client) -> None:
    first, *_rest = [stranger() for _ in range(4)]

    mark(client_, choose(client_, first, across=True))

    assert states() == [State.RESOLVED] * 4


def test_more_than_go_at_a_time_are_told(client_: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discrepancies, "LIMIT", 2)
    rows = [stranger() for _ in range(3)]

    page = choose(client_, *rows)
    mark(client_, page)

    assert "1 other that was chosen is left out" in page.content.decode()
    assert states() == [State.RESOLVED, State.RESOLVED, State.OPEN]


def queries_to_mark(client: Client, count: int) -> tuple[int, int]:
    """Return the queries of the page for so many rows, and of its form."""
    rows = [stranger() for _ in range(count)]
    with CaptureQueriesContext(connection) as asking:
        page = choose(client, *rows)
    with CaptureQueriesContext(connection) as marking:
        mark(client, page)
    return len(asking), len(marking)


def test_the_queries_are_the_same_however_many_are_marked(client_: Client) -> None:
    queries_to_mark(client_, 1)

    assert queries_to_mark(client_, 2) == queries_to_mark(client_, 20)
