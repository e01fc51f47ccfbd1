"""Whatever else a form or a program sends after the sale is used for nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_xcover.models import Modification, Operation, Quote
from tests.account.conftest import Member, ana, come, page_of
from tests.account.conftest import front as pages_front
from tests.account.test_change import details
from tests.api.conftest import Program, policy_path, program
from tests.api.conftest import front as api_front
from tests.security.smuggling import SMUGGLED, facts
from tests.shop import laptop

pytestmark = pytest.mark.django_db
__all__ = ["ana", "api_front", "come", "pages_front", "program"]
AS_TEXT = {name: str(value) for name, value in SMUGGLED.items()}
FURTHER: dict[str, Any] = {"price_diff": "0", "price_after": "0.01", "settled_at": "2020-01-01"}


@pytest.fixture
def front(request: pytest.FixtureRequest) -> Any:
    """Return the API's shop or the pages' shop, as the test needs."""
    of_api = "program" in request.fixturenames
    return request.getfixturevalue("api_front" if of_api else "pages_front")


def test_the_form_of_details_takes_no_other_field(ana: Member) -> None:
    ana.buys()
    before, form = facts(Quote.objects.get()), details(ana, phone="+447700900999")

    response = ana.posts(page_of(rest="details/"), **{**AS_TEXT, **form})

    assert response.status_code == 303
    change = Modification.objects.get()
    assert change.changes == {"policyholder": {"phone": "+447700900999"}}
    assert_a_shoppers(change, state="requested")
    assert facts(Quote.objects.get()) == before


def test_the_form_of_a_value_takes_no_other_field(ana: Member) -> None:
    ana.buys(laptop(price="800"))
    before = facts(Quote.objects.get())

    response = ana.posts(page_of(rest="value/"), amount="1600", **AS_TEXT, **FURTHER)

    assert response.status_code == 303
    assert_a_shoppers(Modification.objects.get(), state="quoted")
    assert Modification.objects.get().price_diff > Decimal(1)
    assert facts(Quote.objects.get()) == before


def test_a_change_over_the_api_takes_no_other_field(program: Program) -> None:
    program.buys(laptop(price="800"))
    before = facts(Quote.objects.get())

    response = program.posts(
        policy_path("modifications/"), update_fields={"price": 1600}, **SMUGGLED, **FURTHER
    )

    assert response.status_code == 201
    assert_a_shoppers(Modification.objects.get(), state="quoted")
    assert Modification.objects.get().price_diff > Decimal(1)
    assert facts(Quote.objects.get()) == before


def assert_a_shoppers(change: Modification, *, state: str) -> None:
    """Let a change be of the only policy, asked for by a shopper, and settled by nobody."""
    assert (change.state, change.origin, change.settled_at) == (state, "shopper", None)
    assert change.package == Quote.objects.get().package
    assert change.currency == "GBP"
    assert not Operation.objects.exclude(package=change.package).exists()
