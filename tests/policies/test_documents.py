"""Links to documents: bearer links, for those who may see the order."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from django_xcover import exceptions
from django_xcover.models import Policy, Quote, QuotePackage
from django_xcover.policies import documents
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> Policy:
    """Return the policy of a paid order of Ana's."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return Policy.objects.select_related("package").get()


def by(shopper: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.shopper = shopper  # type: ignore[attr-defined]
    return request


def test_a_stranger_is_refused(policy: Policy) -> None:
    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("mallory"), policy.quote_id, documents.CERTIFICATE)


def test_an_order_the_shop_no_longer_has_shows_nothing(policy: Policy, shop: Shop) -> None:
    shop.orders.clear()

    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, documents.CERTIFICATE)


@pytest.mark.parametrize("kind", ["", "invoice", "../etc/passwd"])
def test_an_unknown_kind_of_document_is_missing(policy: Policy, kind: str) -> None:
    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, kind)


def test_a_policy_id_in_other_letters_is_another_id(policy: Policy) -> None:
    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id.upper(), documents.CERTIFICATE)


def test_a_quote_that_was_not_booked_has_no_certificate(shopper: Shopper, shop: Shop) -> None:
    quote = shopper.says(yes=True).quotes[0]
    completion.complete(shop.order(), shopper.cart, paid=True)

    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), quote.quote_id, documents.CERTIFICATE)


def test_a_quote_without_an_order_is_shown_to_nobody(shopper: Shopper, shop: Shop) -> None:
    shop.orders[""] = shop.order()
    quote = shopper.sees().quotes[0]

    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), quote.quote_id, documents.WORDING)


def test_the_wording_can_be_read_before_the_cover_is_booked(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    quote = Quote.objects.get()

    assert documents.kinds_of(quote, quote.package) == (documents.WORDING,)
    link = documents.document_url(by("ana"), quote.quote_id, documents.WORDING)
    assert link == quote.payload["pds_url"]


def test_a_link_that_is_no_web_address_is_not_followed(policy: Policy) -> None:
    package = the_package()
    package.payload["coi"]["url"] = "javascript:alert(1)"
    package.save()

    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, documents.CERTIFICATE)


def test_a_cancelled_policy_has_no_certificate_any_more(policy: Policy) -> None:
    Policy.objects.update(status="CANCELLED")

    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, documents.CERTIFICATE)


@pytest.mark.parametrize("kind", documents.PAGES)
def test_a_booking_that_is_not_paid_leads_to_no_page(policy: Policy, kind: str) -> None:
    Policy.objects.update(status="PENDING_PAYMENT")

    with pytest.raises(exceptions.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, kind)


def test_a_cancelled_policy_can_neither_be_claimed_on_nor_cancelled(policy: Policy) -> None:
    Policy.objects.update(status="CANCELLED")
    policy.refresh_from_db()

    assert documents.kinds_of(policy, policy.package) == (documents.WORDING,)


def test_a_policy_that_cannot_be_cancelled_has_no_cancellation_page(policy: Policy) -> None:
    policy.can_be_cancelled = False

    assert documents.CANCEL not in documents.kinds_of(policy, policy.package)


def test_a_cancellation_page_without_its_token_is_not_made_up(policy: Policy) -> None:
    del policy.package.payload["security_token"]

    assert documents.CANCEL not in documents.kinds_of(policy, policy.package)


def test_xcovers_own_links_come_before_ours(policy: Policy) -> None:
    package = policy.package
    package.payload |= {
        "fnol_link": "https://www.xcover.com/en/account/claims/fnol?bookingID=X&security_token=t",
        "cancel_link": "https://www.xcover.com/en/cancel/X?security_token=t",
    }
    package.save()

    for kind, name in ((documents.CLAIM, "fnol_link"), (documents.CANCEL, "cancel_link")):
        url = documents.document_url(by("ana"), policy.quote_id, kind)
        assert url == package.payload[name]


@pytest.mark.parametrize(
    ("links", "site"),
    [
        ({}, "https://www.xcover.com/en"),
        ({"pds_url": "https://staging.xcover.com/de/pds/X-INS"}, "https://staging.xcover.com/de"),
        ({"account_url": "https://www.xcover.com/fr/account?id=1"}, "https://www.xcover.com/fr"),
        ({"account_url": "javascript:alert(1)"}, "https://www.xcover.com/en"),
    ],
)
def test_the_claim_form_is_on_the_site_and_in_the_language_of_the_booking(
    policy: Policy, links: dict[str, str], site: str
) -> None:
    package = policy.package
    package.payload = {"security_token": "t", **links}
    package.save()

    claim = documents.document_url(by("ana"), policy.quote_id, documents.CLAIM)
    cancel = documents.document_url(by("ana"), policy.quote_id, documents.CANCEL)

    assert claim == f"{site}/account/claims/fnol?bookingID={package.package_id}"
    assert cancel == f"{site}/cancel/{package.package_id}?security_token=t"


@pytest.mark.parametrize("kind", [*documents.PAPERS, documents.CLAIM, documents.CANCEL])
def test_the_owner_gets_xcovers_link(policy: Policy, kind: str) -> None:
    url = documents.document_url(by("ana"), policy.quote_id, kind)

    assert url.startswith("https://")
    assert policy.package.package_id in url


def test_the_manager_of_policies_knows_only_policies(policy: Policy, shopper: Shopper) -> None:
    shopper.cart = shopper.cart.but(reference="cart-2")
    shopper.sees()

    assert Policy.objects.count() == 1
    assert list(Policy.objects.for_order("ORD-1")) == [policy]
    assert not Policy.objects.for_order("").exists()
    assert not QuotePackage.objects.for_order("").exists()
