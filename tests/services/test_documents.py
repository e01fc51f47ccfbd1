"""Links to documents: bearer links, for those who may see the order."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import RequestFactory

from django_xcover.models import Policy, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.services import documents, orders
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> Policy:
    """Return the policy of a paid order of Ana's."""
    shopper.says(yes=True)
    orders.complete(shop.order(), shopper.cart, paid=True)
    work()
    return Policy.objects.select_related("package").get()


def by(shopper: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.shopper = shopper  # type: ignore[attr-defined]
    return request


def test_a_stranger_is_refused(policy: Policy) -> None:
    with pytest.raises(PermissionDenied):
        documents.document_url(by("mallory"), policy.quote_id, documents.CERTIFICATE)


def test_an_order_the_shop_no_longer_has_shows_nothing(policy: Policy, shop: Shop) -> None:
    shop.orders.clear()

    with pytest.raises(PermissionDenied):
        documents.document_url(by("ana"), policy.quote_id, documents.CERTIFICATE)


@pytest.mark.parametrize("kind", ["", "claim", "../etc/passwd"])
def test_an_unknown_kind_of_document_is_missing(policy: Policy, kind: str) -> None:
    with pytest.raises(documents.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, kind)


def test_a_policy_id_in_other_letters_is_another_id(policy: Policy) -> None:
    with pytest.raises(documents.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id.upper(), documents.CERTIFICATE)


def test_a_quote_that_was_not_booked_has_no_certificate(shopper: Shopper) -> None:
    quote = shopper.sees().quotes[0]

    with pytest.raises(documents.DocumentMissing):
        documents.document_url(by("ana"), quote.quote_id, documents.CERTIFICATE)


def test_a_link_that_is_no_web_address_is_not_followed(policy: Policy) -> None:
    package = the_package()
    package.payload["coi"]["url"] = "javascript:alert(1)"
    package.save()

    with pytest.raises(documents.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, documents.CERTIFICATE)


def test_a_cancelled_policy_has_no_certificate_any_more(policy: Policy) -> None:
    Policy.objects.update(status="CANCELLED")

    with pytest.raises(documents.DocumentMissing):
        documents.document_url(by("ana"), policy.quote_id, documents.CERTIFICATE)


@pytest.mark.parametrize("kind", documents.KINDS)
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
