"""Whose policy is whose: no page and no form is another shopper's."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from django_xcover.models import Cancellation, Modification, Operation, Quote, Renewal
from django_xcover.policies import cancellation as cancelling
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import ModificationFactory, RenewalFactory
from tests.account.conftest import Member, page_of, the_policy
from tests.shop import SHOP

pytestmark = pytest.mark.django_db
PAGES = ("", "details/", "cancellations/{c}/", "changes/{m}/", "renewals/{r}/")
FORMS = (
    "cancel/",
    "cancellations/{c}/confirm/",
    "details/",
    "email/",
    "value/",
    "changes/{m}/confirm/",
    "changes/{m}/abandon/",
    "renewals/{r}/price/",
    "renewals/{r}/decline/",
)


@pytest.fixture
def ids(ana: Member, sandbox: Sandbox) -> dict[str, int]:
    """Let something be under way with Ana's policy, and return the ids of it."""
    ana.buys()
    policy = the_policy()
    package = policy.package
    cancellation = cancelling.preview(package, origin=Cancellation.Origin.SHOPPER)
    modification = ModificationFactory.create(package=package, free=True)
    Quote.objects.update(is_renewable=True)
    renewal = RenewalFactory.create(package=package, due=True, due_on=timezone.now())
    Operation.objects.all().delete()
    return {"c": cancellation.pk, "m": modification.pk, "r": renewal.pk}


def states() -> list[Any]:
    rows = [Quote, Cancellation, Modification, Renewal]
    return [list(model._default_manager.values()) for model in rows]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_anothers_policy_is_not_found(
    bob: Member, ids: dict[str, int], path: str
) -> None:
    assert bob.gets(page_of(rest=path.format(**ids))).status_code == 404


@pytest.mark.parametrize("path", FORMS)
def test_a_form_for_anothers_policy_is_not_found_and_does_nothing(
    bob: Member, sandbox: Sandbox, ids: dict[str, int], path: str
) -> None:
    before, calls = states(), len(sandbox.calls())
    fields = {"policies": [the_policy().quote_id], "first_name": "Bob", "phone": "+447700900999"}

    response = bob.posts(page_of(rest=path.format(**ids)), **fields)

    assert response.status_code == 404
    assert states() == before
    assert not Operation.objects.exists()
    assert len(sandbox.calls()) == calls


@pytest.mark.parametrize("path", [path for path in (*PAGES, *FORMS) if "{" in path])
def test_what_is_under_way_is_not_reached_through_ones_own_policy(
    ana: Member, bob: Member, sandbox: Sandbox, ids: dict[str, int], path: str
) -> None:
    bob.buys(reference="ORD-2")
    his = Quote.objects.exclude(pk=Quote.objects.order_by("pk")[0].pk).get()
    before = states()

    response = bob.posts(page_of(his, path.format(**ids)))

    assert response.status_code in {404, 405}
    assert bob.gets(page_of(his, path.format(**ids))).status_code in {404, 405}
    assert states() == before


@pytest.mark.parametrize("path", PAGES)
def test_the_owner_finds_the_same_pages(ana: Member, ids: dict[str, int], path: str) -> None:
    assert ana.gets(page_of(rest=path.format(**ids))).status_code == 200


def test_ids_are_compared_with_their_case(ana: Member) -> None:
    ana.buys()
    Quote.objects.update(quote_id="AbC")

    assert ana.gets("/xcover/mycover/policies/AbC/").status_code == 200
    assert ana.gets("/xcover/mycover/policies/abc/").status_code == 404


def test_anothers_policy_and_none_look_the_same(ana: Member, bob: Member) -> None:
    ana.buys()

    theirs, nobodys = bob.gets(page_of()), bob.gets("/xcover/mycover/policies/none/")

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content


def test_a_policy_whose_order_the_shop_has_forgotten_is_not_shown(ana: Member) -> None:
    ana.buys()
    SHOP.orders.clear()

    assert ana.gets(page_of()).status_code == 404


def test_a_quote_that_no_order_was_made_of_is_no_policy(ana: Member) -> None:
    ana.buys()
    package = the_policy().package
    package.order_reference = ""
    package.save()

    assert ana.gets(page_of()).status_code == 404


@pytest.mark.parametrize("number", ["0", "9" * 30])
def test_a_number_that_is_none_is_not_found(ana: Member, number: str) -> None:
    ana.buys()

    assert ana.gets(page_of(rest=f"cancellations/{number}/")).status_code == 404
    assert ana.posts(page_of(rest=f"renewals/{number}/decline/")).status_code == 404


def test_no_page_carries_the_vendors_links_or_token(ana: Member) -> None:
    ana.buys()
    token = the_policy().package.payload["security_token"]

    page = ana.opens(page_of())

    assert token
    assert token not in page.html
    assert "security_token" not in page.html
    hrefs = [link["href"] for link in page.all("a")]
    assert all(href.startswith(("/xcover/", "#")) for href in hrefs)
