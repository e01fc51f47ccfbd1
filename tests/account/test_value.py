"""Asking on the shopper's pages for another insured value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from django_xcover import payments
from django_xcover.models import Modification, Operation, Quote, Status
from django_xcover.policies import modification
from django_xcover.sandbox import Sandbox
from django_xcover.types import PolicyRequest
from tests.account.conftest import Member, page_of, text_of, the_policy
from tests.checkout.page import Page
from tests.conftest import work
from tests.sandbox.support import HOME, PARCEL
from tests.shop import laptop

pytestmark = pytest.mark.django_db
State = Modification.State
ASKED = "quote_modification"


def asks(member: Member, amount: str) -> Any:
    return member.posts(page_of(rest="value/"), amount=amount)


def address(rest: str = "") -> str:
    return page_of(rest=f"changes/{Modification.objects.get().pk}/{rest}")


def errors(response: Any) -> list[str]:
    return Page(response.content).errors


@pytest.fixture
def insured(ana: Member) -> Member:
    """Return Ana, whose laptop of £800 is insured."""
    ana.buys(laptop(price="800"))
    return ana


# What is refused


@pytest.mark.parametrize(
    ("amount", "complaint"),
    [
        ("", "This field is required."),
        ("much", "Enter a number."),
        ("NaN", "Enter a number."),
        ("0", "Ensure this value is greater than or equal to 0.01."),
        ("-5", "Ensure this value is greater than or equal to 0.01."),
        ("1600.505", "Ensure that there are no more than 2 decimal places."),
        ("9" * 18, "Ensure that there are no more than 17 digits before the decimal point."),
        ("4242 4242 4242 4242", "Please never send card numbers here."),
        ("4242424242424242", "Please never send card numbers here."),
    ],
)
def test_an_amount_that_cannot_be_right_is_asked_for_again(
    insured: Member, sandbox: Sandbox, amount: str, complaint: str
) -> None:
    calls = len(sandbox.calls())

    response = asks(insured, amount)

    assert response.status_code == 400
    page = Page(response.content)
    assert complaint in text_of(page)
    assert page.one("input", name="amount")["aria-invalid"] == "true"
    assert len(sandbox.calls()) == calls
    assert not Modification.objects.exists()


def test_a_currency_without_decimals_takes_none(insured: Member) -> None:
    policy = the_policy()
    policy.package.currency = "JPY"
    policy.package.save()

    response = asks(insured, "1600.5")

    assert "no more than 0 decimal places" in text_of(Page(response.content))


def test_the_same_value_changes_nothing(insured: Member) -> None:
    response = asks(insured, "800.00")

    assert response.status_code == 409
    assert errors(response) == ["Nothing would change."]


def test_tickets_have_no_value_that_a_shopper_changes(ana: Member) -> None:
    ana.buys()

    response = asks(ana, "1600")

    assert response.status_code == 409
    assert errors(response) == ["The insured value of this policy cannot be changed."]
    assert "Change the insured value" not in text_of(ana.opens(page_of()))


def test_a_cancelled_policy_keeps_its_value(insured: Member) -> None:
    Quote.objects.update(status=Status.CANCELLED)

    assert asks(insured, "1600").status_code == 409
    assert "Change the insured value" not in text_of(insured.opens(page_of()))


def test_while_another_change_is_being_made_it_has_to_wait(insured: Member) -> None:
    modification.change_details(the_policy().package, {"phone": "+447700900999"}, origin="staff")

    response = asks(insured, "1600")

    assert response.status_code == 409
    assert errors(response)[0].startswith("An earlier change is still being made.")


def test_while_xcover_does_not_answer_the_amount_stays_in_the_form(
    insured: Member, sandbox: Sandbox
) -> None:
    sandbox.faults.add(ASKED, "status", times=None, status=503)

    response = asks(insured, "1600")

    assert response.status_code == 503
    assert errors(response)[0].startswith("We can't reach the insurer at the moment.")
    assert Page(response.content).one("input", name="amount")["value"] == "1600"
    assert not Modification.objects.exists()


def test_a_value_that_xcover_does_not_insure_is_refused(insured: Member) -> None:
    response = asks(insured, "20000")

    assert response.status_code == 409
    assert errors(response) == ["XCover does not accept this change."]


# How it goes


def test_the_policys_page_leads_to_the_form(insured: Member) -> None:
    page = insured.opens(page_of())

    assert page.one("a", href=page_of(rest="value/")).text == "Change the insured value"
    assert "£800" in text_of(page)
    form = insured.opens(page_of(rest="value/"))
    assert Decimal(form.one("input", name="amount")["value"]) == 800
    assert "Insured value (GBP)" in text_of(form)


def test_a_comma_is_read_as_the_reader_writes_it(insured: Member) -> None:
    with translation.override("de"):
        asks(insured, "1600,50")

    [item] = Modification.objects.get().changes["quotes"]
    assert Decimal(item["update_fields"]["price"]) == Decimal("1600.50")


@pytest.mark.parametrize(
    ("language", "amount"), [("en", "1,600.50"), ("de", "1.600,50"), ("de", "1600.50")]
)
def test_an_amount_may_be_grouped_as_the_page_groups_it(
    insured: Member, language: str, amount: str
) -> None:
    with translation.override(language):
        asks(insured, amount)

    [item] = Modification.objects.get().changes["quotes"]
    assert Decimal(item["update_fields"]["price"]) == Decimal("1600.50")


def test_no_transaction_is_held_while_xcover_is_asked(
    insured: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    real = modification.quote_change
    outside = len(connection.savepoint_ids)

    def looks(*args: Any, **kwargs: Any) -> Modification:
        held.append(len(connection.savepoint_ids) - outside)
        return real(*args, **kwargs)

    monkeypatch.setattr(modification, "quote_change", looks)
    asks(insured, "1600")

    assert held == [0]


def test_a_form_sent_twice_leads_to_the_same_open_change(insured: Member, sandbox: Sandbox) -> None:
    first, second = asks(insured, "1600"), asks(insured, "1600.00")

    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"] == address()
    assert len(sandbox.calls(ASKED)) == 1
    assert not Operation.objects.filter(subject=str(Modification.objects.get().pk)).exists()


def test_what_was_left_is_priced_anew(insured: Member) -> None:
    asks(insured, "1600")
    modification.abandon(Modification.objects.get())

    asks(insured, "1600")

    assert [row.state for row in Modification.objects.all()] == [State.QUOTED, State.ABANDONED]


@pytest.mark.parametrize(
    ("body", "amount"),
    [({**PARCEL, "cover_amount": Decimal(300)}, "900"), (HOME, "26000")],
    ids=["parcel", "renters"],
)
def test_a_parcel_and_a_homes_contents_have_a_value_too(
    ana: Member, body: dict[str, Any], amount: str
) -> None:
    fields = dict(body)
    kind = fields.pop("policy_type")
    ana.buys(PolicyRequest(reference="one", label="One", policy_type=kind, fields=fields))

    response = asks(ana, amount)

    assert response.status_code == 303
    shown = f"Insured value£{Decimal(amount):,.2f}"
    assert shown in text_of(ana.opens(response["Location"]))


def test_only_what_the_thing_is_worth_is_called_its_insured_value(
    insured: Member, sandbox: Sandbox
) -> None:
    policy = the_policy()
    changes = {"price": Decimal("1600.50"), "quantity": 2}
    modification.quote_change(policy.package, quote=policy, update_fields=changes, origin="staff")
    Quote.objects.update(policy_type="another_insurance")

    text = text_of(insured.opens(address()))

    assert "Price£1,600.50" in text, "the amount of a policy that has no such value"
    assert "Quantity2" in text


def test_a_lower_value_gives_something_back(insured: Member) -> None:
    asks(insured, "200")

    change = Modification.objects.get()
    assert change.price_diff < 0
    page = text_of(insured.opens(address()))
    assert "You get back" in page
    assert "Nothing has changed yet. If you want this change, please contact us" in page
    assert insured.posts(address("confirm/")).status_code == 404


def test_a_higher_value_is_paid_for_and_then_insured(insured: Member) -> None:
    response = asks(insured, "1600")

    assert "You pay" in text_of(insured.opens(response["Location"]))
    change = Modification.objects.get()
    assert (change.origin, change.state) == ("shopper", State.QUOTED)
    due = payments.find("modification", str(change.pk))
    assert due is not None
    payments.record_payment(due, reference="pay-1")
    assert payments.page_url(due) == address()
    work()
    change.refresh_from_db()
    assert change.state == State.CONFIRMED
    assert the_policy().package.total_price == change.price_after


def test_after_a_change_the_new_value_is_shown_and_the_old_one_can_be_asked_for_again(
    insured: Member,
) -> None:
    asks(insured, "1600")
    assert "£800.00" in text_of(insured.opens(page_of())), "nothing is changed yet"
    modification.settle(Modification.objects.get(), reference="pay-1")
    work()

    assert "£1,600.00" in text_of(insured.opens(page_of()))
    form = insured.opens(page_of(rest="value/"))
    assert Decimal(form.one("input", name="amount")["value"]) == 1600
    assert errors(asks(insured, "1600")) == ["Nothing would change."]
    assert asks(insured, "800").status_code == 303
