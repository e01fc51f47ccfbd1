"""What holds for everything that staff may do: who may, how it is sent, what is left on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.utils.text import capfirst

from django_xcover.admin import DiscrepancyAdmin
from django_xcover.admin.common.row_actions import ListActionAdmin, RowActionsAdmin
from django_xcover.models import Attention, QuotePackage
from django_xcover.testing.factories import (
    CancellationFactory,
    DiscrepancyFactory,
    FlagFactory,
    InstalmentFactory,
    ModificationFactory,
    OperationFactory,
    OrderEventFactory,
    QuotePackageFactory,
    RenewalFactory,
)
from tests.admin.conftest import ACTS, VIEWS
from tests.admin.factories import make_staff
from tests.admin.pressing import action_url, do, messages_of, page_of
from tests.docs.pages import DOCS, table

ADMINS = [one for one in admin.site._registry.values() if isinstance(one, RowActionsAdmin)]
EVERY_ACTION = [
    pytest.param(one.opts.model_name, action, id=f"{one.opts.model_name} {action.name}")
    for one in ADMINS
    for action in one.row_actions
]


@pytest.fixture
def rows() -> dict[str, Model]:
    """Return a row of each kind that something can be done to."""
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    flag = FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)
    quote = package.quotes.all()[0]
    return {
        "quotepackage": package,
        "flag": flag,
        "policy": quote,
        "cancellation": CancellationFactory.create(package=package),
        "modification": ModificationFactory.create(package=package),
        "renewal": RenewalFactory.create(package=package),
        "instalment": InstalmentFactory.create(quote=quote),
        "discrepancy": DiscrepancyFactory.create(package=package),
        "operation": OperationFactory.create(package=package, needs_person=True),
        "orderevent": OrderEventFactory.create(needs_person=True),
    }


@pytest.fixture
def flagged() -> QuotePackage:
    """Return a booking that was made at another price than shown."""
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)
    return package


def stored(row: Model) -> Any:
    return type(row)._default_manager.filter(pk=row.pk).values().get()


@pytest.mark.parametrize(("model", "action"), EVERY_ACTION)
def test_each_act_asks_for_its_own_permission_and_all_others_do_not_help(
    client: Client, rows: dict[str, Any], model: str, action: Any
) -> None:
    others = [name for name in (*VIEWS, *ACTS) if name != action.permission]
    client.force_login(make_staff(*others, "retry_operation", "refresh_quotepackage"))
    row, before = rows[model], stored(rows[model])

    answer = client.post(f"/admin/xcover/{model}/{row.pk}/{action.name}/", {})

    assert answer.status_code == 403
    assert stored(row) == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(("model", "action"), EVERY_ACTION)
def test_the_permission_to_act_without_the_permission_to_look_is_none(
    client: Client, rows: dict[str, Any], model: str, action: Any
) -> None:
    client.force_login(make_staff(*ACTS))

    answer = client.post(f"/admin/xcover/{model}/{rows[model].pk}/{action.name}/", {})

    assert answer.status_code == 403


@pytest.mark.parametrize(("model", "action"), EVERY_ACTION)
def test_a_get_does_nothing(clerk: Client, rows: dict[str, Any], model: str, action: Any) -> None:
    row, before = rows[model], stored(rows[model])

    answer = clerk.get(f"/admin/xcover/{model}/{row.pk}/{action.name}/", {"amount": "1"})

    assert answer.status_code == 405
    assert stored(row) == before


@pytest.mark.parametrize(("model", "action"), EVERY_ACTION)
def test_a_post_from_another_site_is_refused(rows: dict[str, Any], model: str, action: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_staff(*VIEWS, *ACTS))

    answer = strict.post(f"/admin/xcover/{model}/{rows[model].pk}/{action.name}/", {})

    assert answer.status_code == 403


@pytest.mark.parametrize(("model", "action"), EVERY_ACTION)
def test_what_does_not_exist_is_a_404(clerk: Client, model: str, action: Any) -> None:
    assert clerk.post(f"/admin/xcover/{model}/4711/{action.name}/", {}).status_code == 404


@pytest.mark.parametrize(("model", "action"), EVERY_ACTION)
def test_a_shopper_is_sent_to_the_login(
    client: Client, rows: dict[str, Any], model: str, action: Any
) -> None:
    answer = client.post(f"/admin/xcover/{model}/{rows[model].pk}/{action.name}/", {})

    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


@pytest.mark.parametrize("model", [one.opts.model_name for one in ADMINS])
def test_a_viewer_sees_no_form(viewer: Client, rows: dict[str, Any], model: str) -> None:
    page = viewer.get(f"/admin/xcover/{model}/{rows[model].pk}/change/").content.decode()

    assert "xcover-act" not in page


def test_every_act_is_documented_with_its_place_and_permission() -> None:
    names = dict(
        Permission.objects.filter(content_type__app_label="xcover").values_list("codename", "name")
    )
    rows = table(DOCS / "booking.md", "| What staff may do |")

    row_actions = {
        (str(action.label).rstrip("…"), capfirst(one.opts.verbose_name), names[action.permission])
        for one in ADMINS
        for action in one.row_actions
    }
    buttons = {
        (
            str(one.action_label),
            capfirst(one.opts.verbose_name),
            names[f"{one.action_name}_{one.opts.model_name}"],
        )
        for one in admin.site._registry.values()
        if isinstance(one, ListActionAdmin)
    }
    # Neither is about one row: a list's action with a page of its own, and a page's button.
    together = str(DiscrepancyAdmin.resolve_together.short_description).rstrip("…")  # type: ignore[attr-defined]
    others = {
        (together, "List of discrepancies", names["resolve_discrepancy"]),
        ("Let the next call through", "System health", names["retry_operation"]),
    }
    assert {tuple(row) for row in rows} == row_actions | buttons | others


def test_a_flag_is_not_cleared_without_saying_what_was_done(
    clerk: Client, flagged: QuotePackage
) -> None:
    answer = do(clerk, flagged.flags.get(), "resolve", note=" ")

    flagged.refresh_from_db()
    assert answer.status_code == 200
    assert "This field is required" in answer.content.decode()
    assert flagged.attention == Attention.PRICE_DIFFERS


def test_each_flag_is_resolved_on_its_own_and_stays_on_record(
    clerk: Client, flagged: QuotePackage
) -> None:
    newer = FlagFactory.create(package=flagged, reason=Attention.POLICY_MISSING)
    older = flagged.flags.get(reason=Attention.PRICE_DIFFERS)

    do(clerk, older, "resolve", note="Refunded")

    flagged.refresh_from_db()
    assert flagged.attention == Attention.POLICY_MISSING
    older.refresh_from_db()
    newer.refresh_from_db()
    clerk_pk = str(User.objects.get(username="clerk").pk)
    assert (older.resolved_by, older.note, older.is_open) == (clerk_pk, "Refunded", False)
    assert newer.is_open

    do(clerk, newer, "resolve", note="Booked by hand")

    flagged.refresh_from_db()
    assert flagged.attention == ""
    assert flagged.flags.count() == 2


def test_resolving_twice_is_done_and_logged_once(clerk: Client, flagged: QuotePackage) -> None:
    do(clerk, flagged.flags.get(), "resolve", note="Refunded")
    answer = do(clerk, flagged.flags.get(), "resolve", note="Refunded")

    assert "is no longer flagged for this" in messages_of(answer)[-1]
    assert LogEntry.objects.count() == 1


def test_a_note_is_kept_without_what_names_the_customer(
    clerk: Client, flagged: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "django_xcover")

    note = "Refunded, told ana@example.com, +44 7700 900123"
    do(clerk, flagged.flags.get(), "resolve", note=note)

    message = LogEntry.objects.get().change_message
    assert "Refunded, told" in message
    for secret in ("ana@example.com", "900123"):
        assert secret not in message
        assert secret not in caplog.text


def test_a_card_number_is_refused_and_neither_kept_nor_shown_again(
    clerk: Client, flagged: QuotePackage
) -> None:
    answer = do(clerk, flagged.flags.get(), "resolve", note="Refunded to 4242 4242 4242 4242")

    flagged.refresh_from_db()
    assert messages_of(answer) == ["Please never send card numbers here. Nothing was saved."]
    assert flagged.attention == Attention.PRICE_DIFFERS
    assert "4242" not in clerk.get(answer.url).content.decode()
    assert not LogEntry.objects.exists()


def test_a_flag_that_was_looked_into_is_gone_and_on_record(
    clerk: Client, flagged: QuotePackage
) -> None:
    story = "/admin/xcover/quotepackage/order/SH-1001/"
    assert action_url(flagged.flags.get(), "resolve") in clerk.get(story).content.decode()

    answer = do(clerk, flagged.flags.get(), "resolve", note="Refunded the difference", next=story)

    flagged.refresh_from_db()
    entry = LogEntry.objects.get()
    assert (answer.url, flagged.attention) == (story, "")
    assert entry.user.get_username() == "clerk"
    assert entry.change_message == messages_of(answer)[0]
    assert "Refunded the difference" in entry.change_message
    assert "Nothing to do" in clerk.get(story).content.decode()


def test_a_form_stands_on_a_page_once(clerk: Client, flagged: QuotePackage) -> None:
    assert page_of(clerk, flagged).count(action_url(flagged.flags.get(), "resolve")) == 1


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example"])
def test_nobody_is_sent_to_another_site(clerk: Client, flagged: QuotePackage, next_: str) -> None:
    assert do(clerk, flagged.flags.get(), "resolve", note="x", next=next_).url.startswith("/admin/")
