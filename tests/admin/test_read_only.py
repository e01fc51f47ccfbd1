"""Mirrors and evidence: seen by those who may, changed by nobody."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client

from django_xcover.models import Quote
from django_xcover.testing.factories import (
    CancellationFactory,
    DiscrepancyFactory,
    HoldFactory,
    InstalmentFactory,
    ModificationFactory,
    OfferDayFactory,
    OperationFactory,
    OrderEventFactory,
    QuotePackageFactory,
    RenewalFactory,
)
from tests.admin.factories import make_staff

MODELS = (
    "quotepackage",
    "policy",
    "decision",
    "operation",
    "cancellation",
    "modification",
    "renewal",
    "instalment",
    "discrepancy",
    "orderevent",
    "hold",
    "offerday",
)


def row_of(model: str) -> Model:
    """Return a row of that list, made for the test."""
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    quote = package.quotes.all()[0]
    made: dict[str, Model] = {
        "quotepackage": package,
        "policy": quote,
        "decision": package.decisions.all()[0],
        "operation": OperationFactory.create(package=package),
        "cancellation": CancellationFactory.create(package=package),
        "modification": ModificationFactory.create(package=package),
        "renewal": RenewalFactory.create(package=package),
        "instalment": InstalmentFactory.create(quote=quote),
        "discrepancy": DiscrepancyFactory.create(package=package),
        "orderevent": OrderEventFactory.create(order_reference="SH-1001"),
        "hold": HoldFactory.create(package=package, taken=True),
        "offerday": OfferDayFactory.create(),
    }
    return made[model]


@pytest.mark.parametrize("model", MODELS)
def test_a_member_of_staff_without_permission_sees_no_list(client: Client, model: str) -> None:
    client.force_login(make_staff())

    assert client.get(f"/admin/xcover/{model}/").status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_a_member_of_staff_without_permission_sees_no_row(client: Client, model: str) -> None:
    row = row_of(model)
    client.force_login(make_staff())

    assert client.get(f"/admin/xcover/{model}/{row.pk}/change/").status_code == 403


def test_one_permission_opens_one_list_and_no_other(client: Client) -> None:
    client.force_login(make_staff("view_policy"))

    answers = {model: client.get(f"/admin/xcover/{model}/").status_code for model in MODELS}

    assert {model for model, status in answers.items() if status == 200} == {"policy"}
    assert set(answers.values()) == {200, 403}


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_a_row_by_a_crafted_post(root: Client, model: str) -> None:
    answer = root.post(f"/admin/xcover/{model}/add/", {"package_id": "FORGED", "state": "done"})

    assert answer.status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_nobody_changes_a_row_by_a_crafted_post(root: Client, model: str) -> None:
    row = row_of(model)
    before = type(row)._default_manager.filter(pk=row.pk).values().get()

    answer = root.post(
        f"/admin/xcover/{model}/{row.pk}/change/",
        {"status": "CANCELLED", "choice": "declined", "state": "done", "price": "0.01"},
    )

    assert answer.status_code == 403
    assert type(row)._default_manager.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("model", MODELS)
def test_nobody_deletes_a_row_by_a_crafted_post(root: Client, model: str) -> None:
    row = row_of(model)

    answer = root.post(f"/admin/xcover/{model}/{row.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS)
def test_nobody_deletes_rows_by_the_list_action(root: Client, model: str) -> None:
    row = row_of(model)

    root.post(
        f"/admin/xcover/{model}/",
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )

    assert type(row)._default_manager.filter(pk=row.pk).exists()


def test_a_package_page_takes_no_rows_through_its_inlines(root: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    forms = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0}

    answer = root.post(
        f"/admin/xcover/quotepackage/{package.pk}/change/",
        {f"quotes-{key}": value for key, value in forms.items()} | {"quotes-0-price": "0.01"},
    )

    assert answer.status_code == 403
    assert Quote.objects.count() == 2


def test_a_viewer_sees_neither_save_nor_delete(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    page = viewer.get(f"/admin/xcover/quotepackage/{package.pk}/change/").content.decode()

    assert 'name="_save"' not in page
    assert "deletelink" not in page


def test_a_package_page_hides_operations_from_those_who_may_not_see_them(client: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package)
    client.force_login(make_staff("view_quotepackage", "view_decision"))

    page = client.get(f"/admin/xcover/quotepackage/{package.pk}/change/").content.decode()

    assert "decisions-group" in page
    assert "operations-group" not in page


@pytest.mark.parametrize("model", MODELS)
def test_every_page_of_a_row_opens_for_a_viewer_and_changes_nothing(
    viewer: Client, model: str
) -> None:
    row = row_of(model)
    before = type(row)._default_manager.filter(pk=row.pk).values().get()

    assert viewer.get(f"/admin/xcover/{model}/{row.pk}/change/").status_code == 200
    assert type(row)._default_manager.filter(pk=row.pk).values().get() == before
