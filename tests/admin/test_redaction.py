"""No page shows what lets its reader act as the customer, nor more of a person than is needed."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from django_xcover.admin.common.redaction import HIDDEN, redact, redact_text
from django_xcover.testing.factories import (
    DecisionFactory,
    OperationFactory,
    QuotePackageFactory,
    answers,
)
from django_xcover.testing.factories.answers import SECURITY_TOKEN, SIGNUP_TOKEN, SITE
from tests.admin.factories import make_staff

SECRETS = (
    SECURITY_TOKEN,
    SIGNUP_TOKEN,
    "security_token=",
    "signup_token=",
    "/coi/",
    "/signup/abc",
    "/cancel/",
    "fnol?",
    "insurance-desk@partner.example",
    "inner@partner.example",
    "447700900123",
    "1985-02-03",
    "1 Quay Street",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_page_shows(agent: Client, secret: str) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    quote = package.quotes.all()[0]
    package.payload |= {
        "sign_up_url": f"{SITE}/signup/abc",
        "fnol_link": f"{SITE}/account/claims/fnol?security_token={SECURITY_TOKEN}",
        "cancel_link": f"{SITE}/cancel/{package.package_id}?security_token={SECURITY_TOKEN}",
        "partner": answers.PARTNER,
    }
    package.save()
    quote.payload = package.payload
    quote.save()
    operation = OperationFactory.create(
        package=package, error={"type": "KeyError", "message": SECURITY_TOKEN}
    )
    decision = DecisionFactory.create(
        quote=quote, shown={"pds_url": f"{SITE}/x?security_token={SIGNUP_TOKEN}"}
    )
    pages = [
        f"quotepackage/{package.pk}/change/",
        f"policy/{quote.pk}/change/",
        f"operation/{operation.pk}/change/",
        f"decision/{decision.pk}/change/",
        "quotepackage/order/SH-1001/",
        "quotepackage/",
        "policy/",
        "operation/",
        "decision/",
    ]

    for page in pages:
        assert secret not in agent.get(f"/admin/xcover/{page}").content.decode(), page


def test_a_support_agent_still_sees_who_it_is_about(viewer: Client) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001")

    page = viewer.get(f"/admin/xcover/operation/{operation.pk}/change/").content.decode()

    for known in ("Ana", "Rossi", "ana@example.com"):
        assert known in page


def test_a_request_is_closed_to_those_who_may_not_see_operations(client: Client) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001")

    answer = client.get(f"/admin/xcover/operation/{operation.pk}/change/")

    assert answer.status_code == 302
    assert "Ana" not in answer.content.decode()


def test_what_a_new_version_of_xcover_adds_to_a_person_is_hidden() -> None:
    person = {"policyholder": {"first_name": "Ana", "passport_number": "X123", "gender": None}}

    assert redact(person) == {
        "policyholder": {"first_name": "Ana", "passport_number": HIDDEN, "gender": None}
    }


def test_insured_people_are_hidden_like_policyholders() -> None:
    insured = {"insured": [{"first_name": "Ben", "metadata": {"diet": "none"}}]}

    assert redact(insured) == {"insured": [{"first_name": "Ben", "metadata": HIDDEN}]}


@pytest.mark.parametrize(
    "key",
    ["security_token", "SECURITY_TOKEN", "apiKey", "fnol_link", "x-signature", "client_secret"],
)
def test_keys_that_name_a_secret_hide_their_value(key: str) -> None:
    assert redact({"deep": [{key: "s3cret"}]}) == {"deep": [{key: HIDDEN}]}


@pytest.mark.parametrize(
    "address",
    [
        f"{SITE}/anything?security_token=abc",
        f"{SITE}/anything?t=abc&policy_type=x",
        f"{SITE}/anything#access=abc",
    ],
)
def test_an_address_loses_what_follows_its_path(address: str) -> None:
    assert redact_text(f"See {address} now") == f"See {SITE}/anything?{HIDDEN} now"


@pytest.mark.parametrize(
    "address", ["https://a\u2100b/x?token=s3cret", "https://[::1/?token=s3cret"]
)
def test_what_is_no_address_is_hidden_whole(address: str) -> None:
    assert redact_text(f"See {address} now") == f"See {HIDDEN} now"


def test_a_link_to_the_terms_stays_whole() -> None:
    address = f"{SITE}/pds/KXR4W-9PJTC-INS?policy_type=event_ticket_protection_v1"

    assert redact({"pds_url": address}) == {"pds_url": address}


def test_ids_are_no_tokens() -> None:
    ids = "KXR4W-9PJTC-INS aB3dE-9fGhJ-kL2mN-UPD 7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11"

    assert redact_text(ids) == ids


def test_nothing_but_the_hidden_parts_changes() -> None:
    request = answers.booking_request(["7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11"], "SH-1001")

    shown = redact(request)

    assert shown["quotes"] == request["quotes"]
    assert shown["partner_transaction_id"] == request["partner_transaction_id"]


def test_no_page_carries_inline_styles_or_scripts_of_ours(agent: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, needs_person=True)
    OperationFactory.create(package__order_reference="SH-2", done=True)
    pages = ["quotepackage/order/SH-1001/", f"quotepackage/{package.pk}/change/", "policy/"]

    for page in pages:
        html = agent.get(f"/admin/xcover/{page}").content.decode()
        assert not re.search(r"\sstyle=|\son[a-z]+=\"", html), page
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", html), page


def test_links_to_documents_are_for_those_who_may_open_them(viewer: Client) -> None:
    policy = QuotePackageFactory.create(
        booked=True, two_quotes=True, order_reference="SH-1001"
    ).quotes.all()[0]
    page = f"/admin/xcover/policy/{policy.pk}/change/"
    may = Client()
    may.force_login(make_staff("view_policy", "open_links", name="may"))

    assert "/documents/" not in viewer.get(page).content.decode()
    assert f"/documents/{policy.quote_id}/certificate/" in may.get(page).content.decode()


def test_a_link_to_a_document_shows_no_token(client: Client) -> None:
    policy = QuotePackageFactory.create(
        booked=True, two_quotes=True, order_reference="SH-1001"
    ).quotes.all()[0]
    client.force_login(make_staff("view_policy", "open_links"))

    page = client.get(f"/admin/xcover/policy/{policy.pk}/change/").content.decode()

    assert SECURITY_TOKEN not in page
    assert SIGNUP_TOKEN not in page
