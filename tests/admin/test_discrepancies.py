"""Discrepancies and paused accounts in the admin: who sees them, who moves them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_xcover.admin.pauses import AccountPauseAdmin
from django_xcover.models import AccountPause, Discrepancy
from django_xcover.outbox import account_pause
from django_xcover.testing.factories import DiscrepancyFactory
from tests.admin.factories import make_staff
from tests.admin.pressing import do, messages_of, page_of

Kind, State = Discrepancy.Kind, Discrepancy.State
LIST = "/admin/xcover/discrepancy/"
PAUSES = "/admin/xcover/accountpause/"


@pytest.fixture
def missing() -> Discrepancy:
    """Return cover that was paid for and that XCover does not have."""
    return DiscrepancyFactory.create(
        package__order_reference="SH-1001", package_id="KXR4W-9PJTC-INS"
    )


def staff(*permissions: str) -> Client:
    """Return the browser of a member of staff with these permissions."""
    client = Client()
    client.force_login(make_staff(*permissions))
    return client


def test_without_permission_nothing_is_seen(missing: Discrepancy) -> None:
    client = staff()

    assert client.get(LIST).status_code == 403
    assert client.get(PAUSES).status_code == 403


def test_who_may_only_look_resolves_nothing(missing: Discrepancy) -> None:
    client = staff("view_discrepancy")

    answer = do(client, missing, "resolve", note="Refunded")

    assert answer.status_code == 403
    assert Discrepancy.objects.get().state == State.OPEN
    assert "Mark as looked into" not in page_of(client, missing)


def test_a_superuser_neither_adds_nor_changes_nor_deletes_one(
    root: Client, missing: Discrepancy
) -> None:
    for action in ("change", "delete"):
        assert root.post(f"{LIST}{missing.pk}/{action}/", {"state": "gone"}).status_code == 403
    assert root.post(f"{LIST}add/", {"kind": "unknown"}).status_code == 403
    assert Discrepancy.objects.get().state == State.OPEN


def test_the_list_and_the_page_say_what_how_much_and_what_to_do(missing: Discrepancy) -> None:
    client = staff("view_discrepancy")

    listed = client.get(LIST).content.decode()
    page = page_of(client, missing)

    assert "paid but not covered" in listed
    assert "£3.40" in listed
    assert "refund £3.40 and inform the customer" in page


def test_looking_into_it_leaves_a_name_and_no_telephone_number(missing: Discrepancy) -> None:
    client = staff("view_discrepancy", "resolve_discrepancy")

    answer = do(client, missing, "resolve", note="Refunded, called +44 7700 900123")

    row = Discrepancy.objects.get()
    assert row.state == State.RESOLVED
    assert row.note.startswith("Refunded, called")
    assert "900123" not in row.note
    assert "looked into" in messages_of(answer)[0]
    assert LogEntry.objects.get().user.get_username() == "sam"


def test_what_has_changed_meanwhile_is_not_resolved(missing: Discrepancy) -> None:
    client = staff("view_discrepancy", "resolve_discrepancy")
    Discrepancy.objects.update(state=State.GONE)

    do(client, missing, "resolve", note="Refunded")

    assert Discrepancy.objects.get().state == State.GONE


@pytest.mark.parametrize("text", ["SH-1001", "kxr4w-9pjtc-ins", "SH-10"])
def test_it_is_found_by_order_and_by_package(missing: Discrepancy, text: str) -> None:
    page = staff("view_discrepancy").get(LIST, {"q": text}).content.decode()

    assert "KXR4W-9PJTC-INS" in page


def test_who_may_pauses_an_account_with_a_reason() -> None:
    client = staff("view_accountpause", "add_accountpause")

    client.post(f"{PAUSES}add/", {"account": "default", "reason": "Prices are wrong"})

    row = AccountPause.objects.get()
    assert (row.account, row.reason, row.paused_by) == ("default", "Prices are wrong", "sam")
    assert LogEntry.objects.count() == 1


def test_an_account_that_does_not_exist_is_no_choice() -> None:
    client = staff("view_accountpause", "add_accountpause")

    client.post(f"{PAUSES}add/", {"account": "nowhere", "reason": ""})

    assert not AccountPause.objects.exists()


def test_a_viewer_pauses_and_resumes_nothing() -> None:
    client = staff("view_accountpause")
    row = account_pause.pause("default", by="ana")

    assert client.post(f"{PAUSES}add/", {"account": "default"}).status_code == 403
    assert client.post(f"{PAUSES}{row.pk}/resume/").status_code == 403
    assert client.post(f"{PAUSES}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AccountPause.objects.exists()


def test_the_button_resumes_and_leaves_a_name(caplog: pytest.LogCaptureFixture) -> None:
    client = staff("view_accountpause", "resume_accountpause")
    row = account_pause.pause("default", by="ana", reason="Prices are wrong")
    assert "Prices are wrong" in page_of(client, row)

    answer = client.post(f"{PAUSES}{row.pk}/resume/")

    assert not AccountPause.objects.exists()
    assert answer.headers["Location"] == PAUSES
    assert messages_of(answer) == ["Resumed default."]
    assert LogEntry.objects.count() == 1
    assert "resumed by sam" in caplog.text


def test_no_account_goes_on_without_a_name_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    client = staff("view_accountpause", "resume_accountpause")
    row = account_pause.pause("default", by="ana")

    def fail(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(AccountPauseAdmin, "log_change", fail)

    with pytest.raises(RuntimeError):
        client.post(f"{PAUSES}{row.pk}/resume/")

    assert AccountPause.objects.exists()
