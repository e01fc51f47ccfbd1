"""Who may see customers' personal data, and that each look is on record."""

from __future__ import annotations

import pytest
from django.test import Client

from django_xcover.models import AccessRecord, QuotePackage, Withdrawal
from django_xcover.testing.factories import (
    CancellationFactory,
    OperationFactory,
    QuotePackageFactory,
    WithdrawalFactory,
)
from tests.admin.conftest import VIEWS
from tests.admin.factories import make_staff

pytestmark = pytest.mark.every_engine

MAIL = "ana@example.com"
VIEW_ONLY = tuple(name for name in VIEWS if name != "view_personal_data")
PEOPLE = (MAIL, "Rossi")


@pytest.fixture
def package() -> QuotePackage:
    """Return a booking with the customer's data wherever they can be."""
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    package.policyholder_email = MAIL
    person = {"first_name": "Ana", "last_name": "Rossi", "email": MAIL}
    package.payload = {**package.payload, "policyholder": person}
    package.save()
    quote = package.quotes.all()[0]
    quote.payload = {**quote.payload, "insured": [person]}
    quote.save()
    OperationFactory.create(package=package, request={"policyholder": person})
    cancellation = CancellationFactory.create(package=package, confirmed=True)
    WithdrawalFactory.create(
        cancellation=cancellation,
        name="Ana Rossi",
        email=MAIL,
        statement="I, Ana Rossi, withdraw.",
    )
    return package


def browser(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_staff(*permissions))
    return client


def pages(package: QuotePackage) -> list[str]:
    quote, operation = package.quotes.all()[0], package.operations.all()[0]
    withdrawal = Withdrawal.objects.get()
    return [
        "quotepackage/",
        f"quotepackage/{package.pk}/change/",
        "quotepackage/order/SH-1001/",
        "policy/",
        f"policy/{quote.pk}/change/",
        "operation/",
        f"operation/{operation.pk}/change/",
        "withdrawal/",
        f"withdrawal/{withdrawal.pk}/change/",
        "cancellation/",
        f"cancellation/{withdrawal.cancellation_id}/change/",
        "decision/",
    ]


def test_a_view_permission_alone_shows_nobody(package: QuotePackage) -> None:
    client = browser(*VIEW_ONLY)

    for page in pages(package):
        answer = client.get(f"/admin/xcover/{page}")
        html = answer.content.decode()
        assert answer.status_code == 200
        assert not [trace for trace in PEOPLE if trace in html], page
    assert not AccessRecord.objects.exists()


def test_with_the_permission_they_are_shown_and_each_look_is_on_record(
    package: QuotePackage,
) -> None:
    client = browser(*VIEWS)

    for page in ("quotepackage/", *pages(package)[1:3]):
        assert MAIL in client.get(f"/admin/xcover/{page}").content.decode()

    rows = AccessRecord.objects.order_by("pk").values_list("what", "detail", "order_reference")
    assert list(rows) == [
        ("list", "quotepackage", ""),
        ("page", "quotepackage", "SH-1001"),
        ("page", "order", "SH-1001"),
    ]
    assert AccessRecord.objects.filter(is_staff=True).exclude(by="").count() == 3


def test_an_address_is_no_way_to_find_a_customer_without_the_permission(
    package: QuotePackage,
) -> None:
    client = browser(*VIEW_ONLY)

    for page in ("quotepackage", "policy", "operation", "decision"):
        answer = client.get(f"/admin/xcover/{page}/?q={MAIL}")
        assert answer.context["cl"].result_count == 0
    assert client.get("/admin/xcover/quotepackage/?q=SH-1001").context["cl"].result_count == 1


def test_a_document_that_is_opened_is_on_record(package: QuotePackage) -> None:
    client = browser("open_links")
    quote = package.quotes.all()[0]

    assert client.get(f"/xcover/documents/{quote.quote_id}/claim/").status_code == 302
    assert client.get(f"/xcover/documents/{quote.quote_id}/invoice/").status_code == 404

    record = AccessRecord.objects.get()
    assert (record.what, record.detail) == ("document", "claim")
    assert (record.order_reference, record.is_staff) == ("SH-1001", True)


def test_the_log_is_a_page_for_those_who_may(package: QuotePackage) -> None:
    browser(*VIEWS).get(f"/admin/xcover/quotepackage/{package.pk}/change/")
    client = Client()
    client.force_login(make_staff("view_accessrecord", name="auditor"))

    page = client.get("/admin/xcover/accessrecord/").content.decode()

    assert "SH-1001" in page
    assert "sam" in page
    assert client.get("/admin/xcover/accessrecord/add/").status_code == 403
    assert browser_without().get("/admin/xcover/accessrecord/").status_code == 403


def browser_without() -> Client:
    client = Client()
    client.force_login(make_staff(*VIEWS, name="clerk"))
    return client
