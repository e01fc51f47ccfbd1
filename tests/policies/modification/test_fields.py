"""Which fields of a policy are money: the same for the shopper's form and for staff's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.forms import Field

from django_xcover.admin.common.forms import AmountField, PolicyForm
from django_xcover.models import Quote
from django_xcover.overview.modifications import insured_value
from django_xcover.policies.modification.texts import WORTH, Path, amount_of, is_amount, worth_of
from django_xcover.testing.factories import PolicyFactory


def asked_for(quote: Quote) -> Field:
    """Return the only field of the form in which staff change what was sent to quote it."""
    [field] = PolicyForm(quote).fields.values()
    return field


@pytest.mark.django_db
@pytest.mark.parametrize("named", [*WORTH.items(), ("pet_insurance", "insured_for")])
def test_what_the_shopper_may_change_is_an_amount_for_staff_too(
    named: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy_type, name = named
    monkeypatch.setitem(WORTH, policy_type, name)
    quote = PolicyFactory.create(
        policy_type=policy_type, request={"policy_type": policy_type, name: "800"}
    )

    value = insured_value(quote)

    assert value is not None
    assert value.amount == asked_for(quote).initial == Decimal(800)
    assert isinstance(asked_for(quote), AmountField)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("tickets", 1, "price"), True),
        (("total_ticket_price",), True),
        (("Monthly_RENT",), True),
        (("event_postcode",), False),
        (("price_list", "name"), False),
        ((0,), False),
        ((), False),
    ],
)
def test_a_field_of_an_unknown_policy_type_is_told_by_its_name(path: Path, expected: bool) -> None:
    assert is_amount("unheard_of", path) is expected


@pytest.mark.parametrize("value", [None, "", "many", "NaN", "-Infinity", True, [1], {}])
def test_what_is_no_amount_is_none(value: Any) -> None:
    assert amount_of(value) is None


@pytest.mark.parametrize("value", ["133.70", Decimal("133.70"), 133.7])
def test_an_amount_is_the_same_as_text_and_as_number(value: Any) -> None:
    assert amount_of(value) == Decimal("133.7")


def test_tickets_are_worth_what_they_cost_and_nothing_that_a_shopper_changes() -> None:
    assert worth_of("event_ticket_protection") == ""
