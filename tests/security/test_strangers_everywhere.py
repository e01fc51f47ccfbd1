"""Another's policy cannot be reached by any address there is, and the admin by no customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers
from django.test import Client

from django_xcover.models import Cancellation, Decision, Modification, Operation, Quote
from django_xcover.sandbox import Sandbox
from tests.account.conftest import Member, ana, bob, come
from tests.account.conftest import front as pages_front
from tests.admin.factories import make_staff
from tests.api.conftest import Program, insured, program
from tests.api.conftest import front as api_front
from tests.conftest import Shopper
from tests.security.walking import addresses

pytestmark = pytest.mark.django_db
__all__ = ["ana", "bob", "come", "insured", "program"]
WHAT_THEY_MAY = {404, 405}


@pytest.fixture
def front(request: pytest.FixtureRequest) -> Any:
    """Return the API's shop or the pages' shop, as the test needs."""
    return request.getfixturevalue(
        "api_front" if "program" in request.fixturenames else "pages_front"
    )


__all__ += ["api_front", "pages_front"]


def everything() -> str:
    """Return all rows that an act could have changed."""
    models = (Quote, Cancellation, Modification, Operation, Decision)
    rows = [row for model in models for row in model._default_manager.order_by("pk")]
    return str(serializers.serialize("json", rows))


def below_policies(prefix: str) -> list[str]:
    """Return every address of the only policy there is."""
    places = {"quote_id": Quote.objects.get().quote_id, "kind": "certificate", "pk": "1"}
    found = [path for path in addresses(places, below=prefix) if places["quote_id"] in path]
    assert len(found) > 8
    return found


def test_no_page_about_anothers_policy_opens_or_acts(
    ana: Member, bob: Member, sandbox: Sandbox
) -> None:
    ana.buys()
    before, calls = everything(), len(sandbox.calls())

    answers = {
        path: {bob.gets(path).status_code, bob.posts(path, policies=[]).status_code}
        for path in below_policies("/xcover/")
    }

    assert {path: seen for path, seen in answers.items() if not seen <= WHAT_THEY_MAY} == {}
    assert (everything(), len(sandbox.calls())) == (before, calls)


def test_no_endpoint_about_anothers_policy_answers_or_acts(
    insured: Program, sandbox: Sandbox
) -> None:
    insured.front.shopper = "bob"
    before, calls = everything(), len(sandbox.calls())

    answers = {
        path: {call(path).status_code for call in every_method(insured.client)}
        for path in below_policies("/xcover/api/")
    }

    assert {path: seen for path, seen in answers.items() if not seen <= WHAT_THEY_MAY} == {}
    assert (everything(), len(sandbox.calls())) == (before, calls)


def every_method(client: Any) -> list[Callable[..., Any]]:
    """Return what a client can do to an address."""
    return [client.get, client.post, client.put, client.patch, client.delete]


@pytest.mark.parametrize("who", ["nobody", "customer", "staff"])
def test_no_address_of_the_admin_opens_for_those_without_a_permission(
    shopper: Shopper, who: str
) -> None:
    package = shopper.says(yes=True).package_id
    client = Client()
    if who != "nobody":
        user = make_staff(name=who)
        user.is_staff = who == "staff"
        user.save()
        client.force_login(user)
    row = str(Quote.objects.get().package_id)
    found = list(addresses({"object_id": row, "reference": "ORD-1"}, below="/admin/xcover/"))

    answers = {
        path: {client.get(path).status_code, client.post(path).status_code} for path in found
    }

    assert len(found) > 30
    # 302 leads to the login, or from /<id>/ to the page of the row, which is tried as well.
    assert {path: seen for path, seen in answers.items() if not seen <= {302, 403, 404, 405}} == {}
    pages = [client.get(path, follow=True).content.decode() for path in found]
    assert not any(package in page for page in pages)
