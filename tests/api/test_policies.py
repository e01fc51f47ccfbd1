"""A shopper's orders and policies, as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_xcover.models import Quote
from django_xcover.policies import instalments
from tests.api.conftest import Program, policy_path
from tests.checkout.conftest import vendor_says
from tests.checkout.test_plans import MONTHLY
from tests.conftest import the_package, work
from tests.shop import SHOP, laptop, ticket

pytestmark = pytest.mark.django_db
DOCUMENTS = ["certificate", "certificate-pdf", "wording", "claim", "cancel", "account"]
BELOW = ["", "instalments/", "documents/claim/", "cancellations/1/", "modifications/1/"]


@pytest.mark.parametrize("rest", [*BELOW, "renewals/1/"])
def test_somebody_elses_policy_is_not_there(insured: Program, rest: str) -> None:
    path = policy_path(rest)
    insured.front.shopper = "bob"

    response = insured.gets(path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["cancellations/", "modifications/", "cancellations/1/confirm/", "renewals/1/decline/"]
)
def test_nothing_is_done_to_somebody_elses_policy(insured: Program, path: str) -> None:
    insured.front.shopper = "bob"

    assert insured.posts(policy_path(path)).status_code == 404


def test_an_order_that_is_not_the_shoppers_is_not_there(insured: Program) -> None:
    insured.front.shopper = "bob"
    theirs = insured.gets("orders/ORD-1/cover/")
    nobodys = insured.gets("orders/ORD-9/cover/")
    odd = insured.gets("orders/ORD%00/cover/")

    assert theirs.status_code == nobodys.status_code == odd.status_code == 404
    assert theirs.json() == nobodys.json()


@pytest.mark.parametrize("page", ["x", "-1", "99999999", "1.5"])
def test_a_page_that_is_none_is_not_there(insured: Program, page: str) -> None:
    assert insured.gets(f"policies/?page={page}").status_code == 404


@pytest.mark.parametrize("kind", ["invoice", "coi"])
def test_an_unknown_document_is_not_there(insured: Program, kind: str) -> None:
    assert insured.gets(policy_path(f"documents/{kind}/")).status_code == 404


def test_a_policy_paid_at_once_has_no_instalments(insured: Program) -> None:
    assert insured.gets(policy_path("instalments/")).status_code == 404


def test_the_cover_of_an_order_says_how_far_it_is(insured: Program) -> None:
    cover = insured.gets("orders/ORD-1/cover/").json()

    assert cover["state"] == "booked"
    assert cover["policies"][0]["documents"] == DOCUMENTS
    assert cover["policies"][0]["price"]["formatted"] == "£7.89"


def test_no_link_of_the_vendors_is_in_any_answer_but_the_one_that_asks_for_it(
    insured: Program,
) -> None:
    for path in ("orders/ORD-1/cover/", "policies/", policy_path()):
        assert "security_token" not in insured.gets(path).content.decode()

    response = insured.gets(policy_path("documents/certificate/"))

    assert response.json() == {"url": the_package().payload["coi"]["url"]}
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_a_policy_tells_what_can_be_done_about_it(insured: Program) -> None:
    policy = insured.gets(policy_path()).json()

    assert policy["policy"]["state"] in {"upcoming", "active"}
    assert policy["booking_id"] == the_package().package_id
    assert policy["policyholder"]["email"] == "ana@example.com"
    assert policy["can_cancel"] is True
    assert policy["cancellation"] is policy["modification"] is policy["renewal"] is None
    assert policy["pays_in_parts"] is False
    assert policy["wording"]["benefits"]
    assert "phone" in policy["changeable"]


def test_a_list_of_fifty_policies_takes_few_queries(program: Program) -> None:
    for number in range(5):
        program.buys(*(laptop(f"{number}-{n}") for n in range(10)), reference=f"ORD-{number}")
    program.buys(ticket(), reference="ORD-6")

    with CaptureQueriesContext(connection) as queries:
        page = program.gets("policies/").json()

    assert len(page["policies"]) == 50
    assert (page["previous"], page["next"]) == (None, 2)
    assert (page["count"], page["page"], page["pages"]) == (51, 1, 2)
    assert len(queries) <= 5
    second = program.gets("policies/?page=2").json()
    assert len(second.pop("policies")) == 1
    assert second == {"count": 51, "page": 2, "pages": 2, "previous": 1, "next": None}


def test_one_policy_takes_few_queries(insured: Program) -> None:
    with CaptureQueriesContext(connection) as queries:
        insured.gets(policy_path())

    assert len(queries) <= 12


def test_instalments_tell_what_is_due_next(program: Program) -> None:
    program.shopper.sees()
    vendor_says(instalment_plans=[{**MONTHLY, "amount": "7.89", "first_instalment_amount": "0.66"}])
    quote = Quote.objects.get()
    program.posts("choice/", quote=quote.quote_id, choice="yes", plan="1year-monthly")
    _pay(program)
    instalments.mirror(the_package())

    schedule = program.gets(policy_path("instalments/")).json()

    assert len(schedule["parts"]) == 12
    assert [part["state"] for part in schedule["parts"][:2]] == ["paid", "next"]
    assert schedule["next"] == 2
    assert schedule["due"]["kind"] == "instalment"
    assert schedule["due"]["amount"]["amount"] == "0.66"


def _pay(program: Program) -> Any:
    from tests import completion

    completion.complete(SHOP.order(owner="ana"), program.shopper.cart, paid=True)
    work()
