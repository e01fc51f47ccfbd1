"""Lines that are alike: whose quote is it, and whose yes?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest

from django_xcover.client import XCoverClient
from django_xcover.cover import current_cover, freeze_cover
from django_xcover.models import Quote
from django_xcover.offers import quoting
from django_xcover.offers.carts import read_cart
from django_xcover.sandbox import Sandbox
from tests.conftest import ReadCart, Shopper
from tests.shop import Cart, laptop, named, ticket

pytestmark = pytest.mark.django_db
RequestFor = Callable[[Cart | None], HttpRequest]


@pytest.fixture
def renumbered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what gives the quotes of each answer to these calls the keys in reverse."""

    def renumber(*calls: str) -> None:
        for call in calls:
            honest = getattr(XCoverClient, call)

            def bent(*args: Any, honest: Any = honest, **options: Any) -> Any:
                answer = honest(*args, **options)
                quotes = list(answer["quotes"].values())[::-1]
                return {**answer, "quotes": {str(n): one for n, one in enumerate(quotes)}}

            monkeypatch.setattr(XCoverClient, call, bent)

    return renumber


@pytest.mark.parametrize("yes", [0, 1])
def test_a_yes_to_one_of_two_like_lines_stays_with_its_line_when_answers_renumber(
    shopper: Shopper, renumbered: Callable[..., None], request_for: RequestFor, yes: int
) -> None:
    items = (named("a", "For Ana"), named("b", "For Ben"))
    shopper.cart = shopper.cart.but(items=items)
    accepted = shopper.says(yes=True, line=yes).quotes[yes]
    renumbered("add_quotes", "update_quote", "delete_quotes", "get_quote")

    shopper.cart = shopper.cart.but(items=(laptop(), *items))
    offer = shopper.sees()

    assert [quote.label for quote in offer.quotes] == ["Aero 14", "For Ana", "For Ben"]
    chosen = [quote for quote in offer.quotes if quote.choice]
    assert [(q.quote_id, q.label, q.price) for q in chosen] == [
        (accepted.quote_id, items[yes].label, accepted.price)
    ]
    cover = freeze_cover(request_for(shopper.cart))
    assert [(line.label, line.whole) for line in cover.lines] == [
        (items[yes].label, accepted.price)
    ]


@pytest.mark.parametrize("gone", [0, 1])
def test_of_two_like_lines_the_one_that_goes_takes_its_own_yes_along(
    shopper: Shopper, renumbered: Callable[..., None], request_for: RequestFor, gone: int
) -> None:
    items = (named("a", "For Ana"), named("b", "For Ben"))
    shopper.cart = shopper.cart.but(items=items)
    shopper.says(yes=True, line=0)
    renumbered("add_quotes", "update_quote", "delete_quotes", "get_quote")

    shopper.cart = shopper.cart.but(items=(items[1 - gone],))
    shopper.sees()

    labels = [line.label for line in current_cover(request_for(shopper.cart)).lines]
    assert labels == ([] if gone == 0 else ["For Ana"])


def test_a_yes_is_not_handed_on_when_a_lines_number_comes_to_mean_another_thing(
    shopper: Shopper, request_for: RequestFor
) -> None:
    """A shop that numbers its lines: the first is taken out, and the second becomes the first."""
    shopper.cart = shopper.cart.but(items=(named("1", "Harbour Lights"), named("2", "Night Out")))
    shopper.says(yes=True, line=0)
    shopper.says(yes=False, line=1)

    shopper.cart = shopper.cart.but(items=(named("1", "Night Out"),))
    quote = shopper.sees().quotes[0]

    assert (quote.label, quote.choice) == ("Night Out", "")
    assert quote.lapse is not None
    assert quote.lapse.message == (
        "This has changed since you chose: what is insured. Please choose again."
    )
    assert freeze_cover(request_for(shopper.cart)).premium is None


@pytest.mark.parametrize("second", ["ticket", "laptop"])
def test_new_quotes_whose_keys_do_not_begin_at_the_first_line_are_not_given_to_lines_by_guess(
    sandbox: Sandbox, read: ReadCart, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    honest = XCoverClient.create_quote

    def shifted(*args: Any, **options: Any) -> Any:
        answer = honest(*args, **options)
        quotes = {str(n): one for n, one in enumerate(answer["quotes"].values(), start=1)}
        return {**answer, "quotes": quotes}

    monkeypatch.setattr(XCoverClient, "create_quote", shifted)
    other = laptop() if second == "laptop" else named("b", "For Ben")

    offer = quoting.fresh_offer(read(Cart(items=(named("a", "For Ana"), other))))

    if second == "ticket":
        assert offer is None
        return
    assert offer is not None
    names = [(quote.label, quote.name) for quote in offer.quotes]
    assert [label for label, _ in names] == ["For Ana", "Aero 14"]
    assert len({name for _, name in names}) == 2


def test_two_lines_of_one_reference_are_not_offered(
    request_for: RequestFor, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    cart = Cart(items=(ticket("same", price="60"), ticket("same", price="80")))

    assert read_cart(request_for(cart)) is None
    assert "two items have the same reference" in caplog.text
    assert not Quote.objects.exists()
