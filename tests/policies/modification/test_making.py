"""A priced change that is settled: made once, at the price that was agreed on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.mirror import refresh
from django_xcover.models import (
    Attention,
    Cancellation,
    Modification,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.policies import cancellation, modification
from django_xcover.policies.modification import settlement
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.buying import Buy
from tests.conftest import the_package, work
from tests.policies.cancellation.support import cancel_elsewhere
from tests.policies.modification.support import (
    ABANDONED,
    MADE,
    NOT_ACCEPTED,
    NOT_MODIFIABLE,
    OUTDATED,
    State,
    details,
    price,
    the_modification,
    the_modify,
    total_at,
)
from tests.shop import laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.mark.parametrize("value", ["1500", "900"])
@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_a_change_is_made_only_when_its_difference_is_settled(
    buy: Buy, sandbox: Sandbox, value: str, currency: str
) -> None:
    package = buy(ticket(), laptop(price="1200"), currency=currency)
    found = price(package, value)
    work()
    assert total_at(sandbox) == package.total_price

    modification.settle(found, reference="pay_1")
    work()

    after = the_package()
    assert after.total_price == total_at(sandbox) == package.total_price + found.price_diff
    done = the_modification()
    assert (done.state, done.settlement_reference) == (State.CONFIRMED, "pay_1")
    assert done.settled_at is not None
    assert after.attention == ""
    decimals = {"GBP": 2, "JPY": 0, "KWD": 3}[currency]
    assert found.price_diff == round(found.price_diff, decimals)


def test_what_was_settled_is_the_price_agreed_on(booked: QuotePackage) -> None:
    found = price(booked)
    modification.settle(found)

    work()

    assert Quote.objects.get().chosen_price == Quote.objects.get().price == found.price_after


def test_a_change_made_is_what_the_policy_is_of_from_now_on(buy: Buy) -> None:
    package = buy(ticket(), laptop(price="1200"))
    before = package.quotes.get(label="Harbour Lights Festival").request
    found = price(package, "1500")
    assert package.quotes.get(label="Aero 14").request["price"] == "1200"

    modification.settle(found)
    work()

    kept = package.quotes.get(label="Aero 14").request
    assert (kept["price"], kept["name"]) == ("1500", "Aero 14")
    assert package.quotes.get(label="Harbour Lights Festival").request == before


def test_a_change_that_is_over_keeps_which_policy_it_was_about_and_nothing_more(
    booked: QuotePackage,
) -> None:
    found = price(booked)
    modification.settle(found)

    work()

    policy = Quote.objects.get()
    assert the_modification().changes == {"quotes": [{"id": policy.quote_id}]}


def test_a_change_without_a_difference_needs_no_settlement(booked: QuotePackage) -> None:
    found = price(booked, serial_number="SN-1")
    assert found.difference == Money(Decimal(0), "GBP")

    modification.settle(found)
    work()

    assert the_modification().state == State.CONFIRMED
    assert the_modification().settled_at is None
    assert the_package().total == booked.total


def test_a_change_made_is_announced_once_after_the_commit(
    booked: QuotePackage,
    heard: list[tuple[str, Modification]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    modification.settle(price(booked))

    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert heard == []
    work()

    assert [name for name, _modification in heard] == ["modified"]


def test_a_payment_reported_twice_confirms_once(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = price(booked)

    first = modification.settle(found, reference="pay_1")
    assert modification.settle(found, reference="pay_1") == first
    work()
    assert modification.settle(found, reference="pay_1") == first
    work()

    assert len(sandbox.calls("confirm_modification")) == 1


def test_a_second_payment_for_one_change_is_noticed(booked: QuotePackage) -> None:
    found = price(booked)
    modification.settle(found, reference="pay_1")

    with pytest.raises(exceptions.ChangeMade, match=f"^{MADE}$"):
        modification.settle(found, reference="pay_2")


def test_a_price_from_before_another_change_is_not_confirmed(booked: QuotePackage) -> None:
    first, second = price(booked, "1500"), price(booked, "900")
    modification.settle(first)

    with pytest.raises(exceptions.ChangeOutdated, match=f"^{OUTDATED}$"):
        modification.settle(second)
    work()
    with pytest.raises(exceptions.ChangeOutdated, match=f"^{OUTDATED}$"):
        modification.settle(second)

    assert the_package().total_price == first.price_after


def test_a_price_from_before_a_cancellation_is_not_confirmed(buy: Buy) -> None:
    package = buy(ticket(), laptop())
    found = price(package)
    tickets = package.quotes.get(line_reference="ticket")
    cancellation.cancel_now(package, quotes=[tickets], origin=Cancellation.Origin.STAFF)
    work()

    with pytest.raises(exceptions.ChangeOutdated, match=f"^{OUTDATED}$"):
        modification.settle(found)


def test_a_change_of_a_policy_that_was_cancelled_elsewhere_is_not_settled(buy: Buy) -> None:
    package = buy(ticket(), laptop())
    found = price(package)
    cancel_elsewhere(package.quotes.get(line_reference="laptop").quote_id)
    refresh.refresh(package)

    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        modification.settle(found, reference="pay_1")

    assert the_package().status == "CONFIRMED"
    assert the_modification().state == State.QUOTED


def test_a_new_phone_number_makes_no_price_outdated(booked: QuotePackage) -> None:
    found = price(booked)
    details(booked, phone="+441632960000")
    work()

    modification.settle(found)
    work()

    assert Modification.objects.get(pk=found.pk).state == State.CONFIRMED
    assert the_package().total_price == found.price_after


def test_an_abandoned_change_is_not_confirmed(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = price(booked)
    modification.abandon(found)
    modification.abandon(found)

    with pytest.raises(exceptions.ChangeAbandoned, match=f"^{ABANDONED}$"):
        modification.settle(found)

    assert the_modification().state == State.ABANDONED
    assert the_modification().changes == {}
    assert total_at(sandbox) == booked.total_price


def test_a_change_given_up_while_it_is_settled_is_not_settled(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = price(booked)
    real = settlement.is_outdated

    def given_up_meanwhile(*args: Any) -> bool:
        Modification.objects.update(state=State.ABANDONED)
        return real(*args)

    monkeypatch.setattr(settlement, "is_outdated", given_up_meanwhile)

    with pytest.raises(exceptions.ChangeAbandoned, match=f"^{ABANDONED}$"):
        modification.settle(found, reference="pay_1")

    assert not Operation.objects.filter(kind=OperationKind.MODIFY).exists()


def test_a_change_that_is_no_longer_wanted_is_not_made_by_the_worker(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    modification.settle(price(booked), reference="pay_1")
    Modification.objects.update(state=State.ABANDONED)

    work()

    assert sandbox.calls("confirm_modification") == []
    assert the_modify().state == OperationState.DISCARDED
    assert the_modify().error == {"message": "The change is abandoned."}


def test_a_confirmed_change_is_not_abandoned(booked: QuotePackage) -> None:
    found = price(booked)
    modification.settle(found)

    with pytest.raises(exceptions.ChangeMade, match=f"^{MADE}$"):
        modification.abandon(found)
    work()
    with pytest.raises(exceptions.ChangeMade, match=f"^{MADE}$"):
        modification.abandon(found)


@pytest.fixture
def refused(booked: QuotePackage) -> Modification:
    """Return a change that was settled by `pay_1`, and that XCover refused."""
    found = price(booked)
    Modification.objects.update(update_id="aaaaa-bbbbb-ccccc-UPD")
    modification.settle(found, reference="pay_1")
    work()
    return found


def test_an_update_id_that_xcover_does_not_know_is_refused_and_a_person_told(
    refused: Modification,
) -> None:
    assert the_modification().state == State.REFUSED
    assert modification.refusal_of(the_modification()).startswith(NOT_ACCEPTED)
    assert the_package().attention == Attention.CHANGE_REFUSED


def test_a_payment_reported_again_after_a_refusal_is_not_given_back_twice(
    refused: Modification,
) -> None:
    """Staff give it back, as the flag asks them to: the shop must not think that it has to."""
    assert modification.settle(refused, reference="pay_1") == the_modify()


def test_a_second_payment_after_a_refusal_is_refused(refused: Modification) -> None:
    with pytest.raises(exceptions.ChangeAbandoned, match=f"^{ABANDONED}$"):
        modification.settle(refused, reference="pay_2")


def test_a_refused_change_that_cost_nothing_is_not_open_any_more(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    found = price(booked, serial_number="SN-1")
    sandbox.faults.add("confirm_modification", "status", status=422, body={"errors": ["No"]})
    modification.settle(found)
    work()

    with pytest.raises(exceptions.ChangeAbandoned, match=f"^{ABANDONED}$"):
        modification.settle(found)


def test_a_change_confirmed_at_another_price_than_settled_is_flagged(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    found = price(booked)
    modification.settle(found)
    Modification.objects.update(price_after=found.price_after - 1)

    work()

    assert the_package().attention == Attention.PRICE_DIFFERS
    assert the_package().total_price == total_at(sandbox)
