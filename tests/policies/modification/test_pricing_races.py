"""Two requests for the price of a change at the same time, and what else happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from django_xcover import exceptions, signals
from django_xcover.models import Modification, Quote
from django_xcover.overview.modifications import quote_value
from django_xcover.policies import modification as modifying
from django_xcover.policies.modification import pricing
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, work
from tests.shop import Shop, laptop

State = Modification.State
LATER = "Your cover has changed since this was priced. Please ask for a new price."
MOMENT = "An earlier change is still being made. Please try again in a moment."


@pytest.fixture
def insured(shopper: Shopper, shop: Shop) -> Quote:
    """Return the policy of a laptop of £1200."""
    shopper.cart = shopper.cart.but(items=(laptop(),))
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_policy()


def the_policy() -> Quote:
    return Quote.objects.select_related("package").get()


def price(**fields: Any) -> Modification:
    quote = the_policy()
    return modifying.quote_change(
        quote.package, quote=quote, update_fields=fields, origin="shopper"
    )


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Return a way to have something happen once, while XCover is asked for a price."""

    def arrange(happens: Callable[[], Any]) -> None:
        real, due = pricing._ask, [happens]

        def ask(*args: Any, **kwargs: Any) -> Any:
            answer = real(*args, **kwargs)
            if due:
                due.pop()()
            return answer

        monkeypatch.setattr(pricing, "_ask", ask)

    return arrange


Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.mark.django_db
def test_a_price_that_was_overtaken_by_a_change_being_made_is_not_offered(
    insured: Quote, meanwhile: Meanwhile
) -> None:
    other = price(price=Decimal(900))
    meanwhile(lambda: modifying.settle(other, reference="pay-1"))

    with pytest.raises(exceptions.BeingChanged, match=f"^{MOMENT}$"):
        price(price=Decimal(1500))

    assert Modification.objects.get() == other


@pytest.mark.django_db
def test_a_price_that_was_overtaken_by_a_change_made_is_not_offered(
    insured: Quote, meanwhile: Meanwhile
) -> None:
    other = price(price=Decimal(900))

    def make() -> None:
        modifying.settle(other, reference="pay-1")
        work()

    meanwhile(make)

    with pytest.raises(exceptions.ChangeOutdated, match=f"^{LATER}$"):
        price(price=Decimal(1500))

    assert Modification.objects.get() == other


@pytest.mark.django_db
def test_a_price_given_up_meanwhile_is_not_found_again(
    insured: Quote, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: modifying.abandon(price(price=Decimal(1500))))

    found = price(price=Decimal(1500))

    assert found.state == State.QUOTED
    assert Modification.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"price": Decimal(1500)}, {"price": Decimal(1600)}),
        ({"price": Decimal(1500)}, {"price": Decimal(1500), "quantity": 2}),
    ],
)
def test_another_change_is_another_price(
    insured: Quote, meanwhile: Meanwhile, first: dict[str, Any], second: dict[str, Any]
) -> None:
    meanwhile(lambda: price(**first))

    assert price(**second) == Modification.objects.latest("pk")
    assert Modification.objects.count() == 2


@pytest.mark.django_db
def test_the_second_of_two_requests_finds_the_price_of_the_first(
    insured: Quote, meanwhile: Meanwhile, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[Modification] = []
    found: list[Modification] = []

    def hear(sender: type, modification: Modification, **kwargs: Any) -> None:
        heard.append(modification)

    signals.modification_quoted.connect(hear)
    meanwhile(lambda: found.append(quote_value(the_policy(), Decimal("1500.00"))))

    with django_capture_on_commit_callbacks(execute=True):
        second = quote_value(the_policy(), Decimal(1500))
    signals.modification_quoted.disconnect(hear)

    assert [second] == found == heard == list(Modification.objects.all())


@pytest.mark.django_db
def test_a_price_asked_for_again_later_is_asked_of_xcover_again(
    insured: Quote, sandbox: Sandbox
) -> None:
    first, second = price(price=Decimal(1500)), price(price=Decimal(1500))

    assert first != second, "how long a price holds at XCover is not documented"
    assert len(sandbox.calls("quote_modification")) == 2


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_open_one_price(insured: Quote, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody_has_asked = threading.Barrier(8)
    real = pricing._ask

    def ask(*args: Any, **kwargs: Any) -> Any:
        answer = real(*args, **kwargs)
        everybody_has_asked.wait(timeout=60)
        return answer

    monkeypatch.setattr(pricing, "_ask", ask)
    found: list[Any] = []

    def one() -> None:
        try:
            found.append(quote_value(the_policy(), Decimal(1500)).pk)
        except Exception as error:  # noqa: BLE001 - told by the assertion
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [Modification.objects.get().pk] * 8
