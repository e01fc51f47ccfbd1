"""What XCover refuses while a person waits: the exception, and the sentence through each door.

A list, held against the calls that XCover's contract has and the forms of refusals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest

from django_xcover import exceptions
from django_xcover.account.base import error_message
from django_xcover.api.exceptions import respond
from django_xcover.booking import instant_booking
from django_xcover.client import AuthenticationFailed, NotFound, RequestRefused, XCoverError
from django_xcover.exceptions import ActionRefused
from django_xcover.models import Cancellation, Modification, QuotePackage, Renewal
from django_xcover.offers import quoting
from django_xcover.policies import renewal
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.routing import ROUTES
from tests.conftest import Shopper, the_package
from tests.contract import test_carried_out
from tests.contract.conftest import Buyer
from tests.contract.refusals import REFUSALS, Kind, Refusal
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db

INSURER = "The insurer didn't accept this. Nothing has changed. Please contact us."
NOT_CANCELLABLE = "This cover cannot be cancelled."
NOT_ACCEPTED = "XCover does not accept this change."
NOT_RENEWABLE = "XCover does not renew this cover. It ends with its present period."
# Where a call has no sentence of its own for what was refused.
OTHERWISE: dict[Kind, type[XCoverError]] = {
    Kind.UNKNOWN: NotFound,
    Kind.CREDENTIALS: AuthenticationFailed,
    Kind.OTHER: RequestRefused,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call that somebody waits for, and what is raised for the refusals it understands."""

    call: str
    ask: Callable[[Buyer], object]
    refused: type[ActionRefused]
    told: str
    understood: tuple[Kind, ...] = (Kind.VALUES, Kind.STATE)
    changed: Callable[[], bool]


def asks_what_renewing_costs(buyer: Buyer) -> object:
    return renewal.quote(buyer.comes_back_at_the_end())


ASKS = (
    Ask(
        call="cancel_booking",
        ask=lambda buyer: buyer.previews(),
        refused=exceptions.NotCancellable,
        told=NOT_CANCELLABLE,
        changed=Cancellation.objects.exists,
    ),
    Ask(
        call="quote_modification",
        ask=lambda buyer: buyer.asks_for_a_price(),
        refused=exceptions.ChangeNotAccepted,
        told=NOT_ACCEPTED,
        changed=Modification.objects.exists,
    ),
    Ask(
        call="quote_for_renewal",
        ask=asks_what_renewing_costs,
        refused=exceptions.NotRenewable,
        told=NOT_RENEWABLE,
        understood=(Kind.VALUES, Kind.STATE, Kind.UNKNOWN),
        changed=lambda: Renewal.objects.exclude(state=Renewal.State.DUE).exists(),
    ),
)
# What a refusal of these leaves is the sale without the offer, or the offer quoted anew.
OFFERS = {"create_quote", "fast_quote", "update_quote", "add_quotes", "delete_quotes"}
READING = {"get_quote", "get_booking", "list_bookings", "get_instalments"}


def named(value: object) -> str:
    return str(getattr(value, "call", getattr(value, "name", "")))


def test_every_call_of_the_contract_is_in_a_list() -> None:
    calls = {name for route in ROUTES for name in route.operations.values()} | {"fast_quote"}
    carried_out = {act.call for act in test_carried_out.ACTS}

    assert {ask.call for ask in ASKS} | carried_out | OFFERS | READING == calls


@pytest.mark.parametrize(("ask", "refusal"), list(product(ASKS, REFUSALS)), ids=named)
def test_whoever_waits_is_told_why(
    buyer: Buyer, sandbox: Sandbox, ask: Ask, refusal: Refusal
) -> None:
    buyer.has_cover()
    refusal.plan(sandbox, ask.call)
    understood = refusal.kind in ask.understood
    expected = ask.refused if understood else OTHERWISE[refusal.kind]
    words = ask.told if understood else INSURER

    with pytest.raises((ActionRefused, XCoverError)) as raised:
        ask.ask(buyer)

    assert type(raised.value) is expected
    assert error_message(raised.value) == words
    answer = respond(raised.value, {})
    assert answer is not None
    assert answer.data["detail"] == words
    assert (the_package().status, ask.changed()) == ("CONFIRMED", False)


@pytest.mark.parametrize("refusal", REFUSALS, ids=named)
def test_a_cart_that_xcover_refuses_has_no_offer_and_is_sold_without(
    buyer: Buyer, sandbox: Sandbox, refusal: Refusal
) -> None:
    refusal.plan(sandbox, "create_quote")
    cart = buyer.cart()

    assert quoting.fresh_offer(cart) is None
    assert quoting.fresh_offer(cart) is None
    assert len(sandbox.calls("create_quote")) == 1, "it is not asked for again at once"
    assert not QuotePackage.objects.exists()


@pytest.mark.parametrize("refusal", REFUSALS, ids=named)
def test_a_price_that_xcover_refuses_is_none(
    buyer: Buyer, sandbox: Sandbox, refusal: Refusal
) -> None:
    refusal.plan(sandbox, "fast_quote")

    assert instant_booking.price(buyer.request()) is None


@pytest.mark.parametrize("refusal", REFUSALS, ids=named)
@pytest.mark.parametrize("call", ["update_quote", "add_quotes", "delete_quotes"])
def test_a_cart_whose_change_is_refused_is_quoted_anew(
    shopper: Shopper, sandbox: Sandbox, call: str, refusal: Refusal
) -> None:
    before, after = {
        "update_quote": ((laptop(),), (laptop(price="900"),)),
        "add_quotes": ((laptop(),), (laptop(), ticket())),
        "delete_quotes": ((laptop(), ticket()), (laptop(),)),
    }[call]
    shopper.cart = shopper.cart.but(items=before)
    first = shopper.sees()
    refusal.plan(sandbox, call)
    shopper.cart = shopper.cart.but(items=after)

    second = shopper.sees()

    assert len(sandbox.calls(call)) == 1
    assert len(second.quotes) == len(after)
    assert {quote.quote_id for quote in first.quotes}.isdisjoint(
        quote.quote_id for quote in second.quotes
    )
