"""Whether a policy, an order or an account exists is not told to those who may not see it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse

from django_xcover.models import Quote
from django_xcover.policies.documents import KINDS
from tests.account.conftest import Member, ana, bob, come
from tests.account.conftest import front as pages_front
from tests.api.conftest import Program, insured, program
from tests.api.conftest import front as api_front
from tests.security.walking import addresses

pytestmark = pytest.mark.django_db
__all__ = ["ana", "api_front", "bob", "come", "insured", "pages_front", "program"]
NONCE = re.compile(r"'nonce-[^']+'|[A-Za-z0-9]{64}")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def front(request: pytest.FixtureRequest) -> Any:
    """Return the API's shop or the pages' shop, as the test needs."""
    return request.getfixturevalue(
        "api_front" if "program" in request.fixturenames else "pages_front"
    )


def seen(answer: Any, *ids: str) -> tuple[Any, ...]:
    """Return what a stranger sees of an answer, without the ids that stood in the address."""
    assert isinstance(answer, HttpResponse)
    body = answer.content.decode()
    for one in ids:
        body = body.replace(one, "ID")
    # Without what differs from one request to the next.
    headers = {name: NONCE.sub("", value) for name, value in answer.items()}
    for name in ("Content-Length", "Expires"):
        headers.pop(name, None)
    return answer.status_code, NONCE.sub("", body), headers


def below(prefix: str, quote_id: str, kind: str) -> list[str]:
    places = {"quote_id": quote_id, "kind": kind, "pk": "1"}
    return [path for path in addresses(places, below=prefix) if quote_id in path]


@pytest.mark.parametrize("kind", [*KINDS, "invoice"])
def test_no_page_tells_a_policy_of_another_from_none(ana: Member, bob: Member, kind: str) -> None:
    ana.buys()
    real = Quote.objects.get().quote_id
    paths = list(zip(below("/xcover/", real, kind), below("/xcover/", UNKNOWN, kind), strict=True))

    told = {
        path: (seen(bob.gets(path), real), seen(bob.posts(path, policies=[]), real))
        for path, _ in paths
    }
    unknown = {
        path: (seen(bob.gets(other), UNKNOWN), seen(bob.posts(other, policies=[]), UNKNOWN))
        for path, other in paths
    }

    assert len(paths) > 8
    assert told == unknown


@pytest.mark.parametrize("kind", ["certificate", "account", "invoice"])
def test_no_endpoint_tells_a_policy_of_another_from_none(insured: Program, kind: str) -> None:
    insured.front.shopper = "bob"
    real, client = Quote.objects.get().quote_id, insured.client
    methods = (client.get, client.post, client.put, client.patch, client.delete)
    prefix = "/xcover/api/"
    paths = list(zip(below(prefix, real, kind), below(prefix, UNKNOWN, kind), strict=True))

    told = {path: [seen(call(path), real) for call in methods] for path, _ in paths}
    unknown = {path: [seen(call(other), UNKNOWN) for call in methods] for path, other in paths}

    assert len(paths) > 8
    assert told == unknown


def test_the_api_tells_no_order_of_another_from_none(insured: Program) -> None:
    insured.front.shopper = "bob"

    answers = [
        seen(insured.client.get(f"/xcover/api/v1/orders/{number}/cover/"), number)
        for number in (Quote.objects.get().package.order_reference, "NO-SUCH-ORDER")
    ]

    assert answers[0] == answers[1]
    assert answers[0][0] == 404
