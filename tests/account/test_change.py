"""Changing details on the shopper's pages, and changes that have a price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_xcover import payments
from django_xcover.models import Modification, Operation, OperationKind, Quote, Status
from django_xcover.policies import modification
from django_xcover.sandbox import Sandbox
from django_xcover.types import Due
from tests.account.conftest import Member, page_of, text_of, the_policy
from tests.checkout.page import Page
from tests.conftest import the_package, work
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db
State = Modification.State
PHONE = "Start the number with + and the country code, for example +44 7700 900123."


def details(member: Member, **changes: str) -> dict[str, str]:
    """Return the form as the page would send it after `changes`."""
    page = member.opens(page_of(rest="details/"))
    form = {
        field["name"]: field.attributes.get("value", "")
        for field in page.all("input")
        if field.attributes.get("type") != "hidden"
    }
    return {**form, **changes}


def sends(member: Member, **fields: str) -> Any:
    return member.posts(page_of(rest="details/"), **fields)


def the_change() -> Modification:
    return Modification.objects.get()


def address(rest: str = "") -> str:
    return page_of(rest=f"changes/{the_change().pk}/{rest}")


def errors(response: Any) -> list[str]:
    return Page(response.content).errors


def at_xcover(sandbox: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.package(the_package().package_id)["policyholder"]
    return found


@pytest.fixture
def priced(ana: Member) -> Modification:
    """Return a change of the laptop's value that costs more."""
    ana.buys(laptop(price="800"))
    policy = the_policy()
    return modification.quote_change(
        policy.package, quote=policy, update_fields={"price": Decimal(1600)}, origin="staff"
    )


# What is refused


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("email", "", "This field is required."),
        ("email", "ana", "Enter a valid email address."),
        ("phone", "07700 900999", PHONE),
        ("phone", "+44 770O 900999", PHONE),
        ("phone", "+1", PHONE),
        ("first_name", "4242 4242 4242 4242", "Please never send card numbers here."),
    ],
)
def test_details_that_cannot_be_right_are_asked_for_again(
    ana: Member, field: str, value: str, complaint: str
) -> None:
    ana.buys()

    response = sends(ana, **details(ana, **{field: value}))

    assert response.status_code == 400
    page = Page(response.content)
    assert complaint in text_of(page)
    assert page.one("input", name=field)["aria-invalid"] == "true"
    assert not Modification.objects.exists()


def test_an_empty_form_changes_nothing(ana: Member) -> None:
    ana.buys()

    assert sends(ana).status_code == 400
    assert not Modification.objects.exists()


def test_the_same_details_again_change_nothing(ana: Member) -> None:
    ana.buys()

    response = sends(ana, **details(ana))

    assert response.status_code == 409
    assert errors(response) == ["Nothing would change."]


def test_a_cancelled_policy_is_not_changed(ana: Member) -> None:
    ana.buys()
    form = details(ana, phone="+447700900999")
    policy = the_policy()
    policy.status = Status.CANCELLED
    policy.save()

    response = sends(ana, **form)

    assert response.status_code == 409
    assert errors(response) == ["This cover cannot be changed."]


def test_a_field_that_may_not_be_changed_is_not_looked_at(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()

    sends(ana, **details(ana, country="DE", price="0", phone="+447700900999"))
    work()

    assert at_xcover(sandbox)["country"] == "GB"


def test_only_the_fields_that_xcover_names_are_asked_for(ana: Member) -> None:
    ana.buys()
    package = the_package()
    package.payload["policyholder"]["fields_allowed_to_update"] = ["phone", "favourite_colour"]
    package.save()

    page = ana.opens(page_of(rest="details/"))

    labels = [label.text for label in page.all("label")]
    assert labels == [
        "Phone, with + and the country code (optional)",
        "Favourite colour (optional)",
    ]


def test_what_xcover_does_not_accept_is_told_in_the_words_of_the_form(ana: Member) -> None:
    ana.buys()
    modification.change_details(the_package(), {"phone": "12345"}, origin="staff")
    work()

    page = ana.opens(address())

    assert page.one("h1").text == "Your policy wasn't changed"
    assert "XCover does not accept this change." in text_of(page)
    assert "Phone, with + and the country code: The phone number should" in text_of(page)
    assert "policyholder" not in text_of(page)


def test_a_phone_number_that_xcover_has_holds_up_no_other_change(ana: Member) -> None:
    ana.buys()
    package = the_package()
    package.payload["policyholder"]["phone"] = "07700 900999"
    package.save()

    assert sends(ana, **details(ana, city="Dover")).status_code == 303
    assert the_change().changes == {"policyholder": {"city": "Dover"}}


def test_a_phone_number_is_sent_as_plus_and_digits(ana: Member) -> None:
    ana.buys()

    sends(ana, **details(ana, phone="+44 (7700) 900-999"))

    assert the_change().changes == {"policyholder": {"phone": "+447700900999"}}


def test_another_change_while_one_is_being_made_has_to_wait(ana: Member) -> None:
    ana.buys()
    form = details(ana, phone="+447700900999")
    sends(ana, **form)

    response = sends(ana, **{**form, "phone": "+447700900111"})

    assert response.status_code == 409
    assert errors(response)[0].startswith("An earlier change is still being made.")


def test_a_form_that_changes_more_than_is_being_changed_is_not_taken_for_the_same(
    ana: Member,
) -> None:
    ana.buys()
    form = details(ana, phone="+447700900999")
    sends(ana, **form)

    response = sends(ana, **{**form, "last_name": "Bianchi"})

    assert response.status_code == 409
    assert errors(response)[0].startswith("An earlier change is still being made.")


def test_what_is_to_be_paid_names_the_policy_that_changes(
    ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.buys(ticket(), laptop(price="800"))
    tickets, device = Quote.objects.select_related("package").order_by("position")
    change = modification.quote_change(
        device.package, quote=device, update_fields={"price": Decimal(1600)}, origin="staff"
    )
    labels = []

    def url(self: object, request: object, due: Due) -> str:
        labels.append(due.label)
        return "/pay/"

    monkeypatch.setattr("tests.shop.Adapter.get_payment_url", url, raising=False)
    ana.opens(page_of(tickets, f"changes/{change.pk}/"))

    found = payments.find("modification", str(change.pk))
    assert found is not None
    assert found.label == "Aero 14"
    assert labels == ["Aero 14"]
    assert payments.page_url(found) == page_of(device, f"changes/{change.pk}/")


# How it goes


def test_a_new_phone_number_reaches_xcover(ana: Member, sandbox: Sandbox) -> None:
    ana.buys()

    response = sends(ana, **details(ana, phone="+447700900999"))

    assert (response.status_code, response["Location"]) == (303, address())
    waiting = ana.opens(address())
    assert waiting.one("h1").text == "Your policy is being changed"
    assert "+447700900999" in text_of(waiting)
    work()
    assert ana.opens(address()).one("h1").text == "Your policy has been changed"
    assert at_xcover(sandbox)["phone"] == "+447700900999"
    assert "+447700900999" in text_of(ana.opens(page_of()))


def test_a_form_sent_twice_changes_once_and_leads_to_the_same_page(ana: Member) -> None:
    ana.buys()
    form = details(ana, phone="+447700900999")

    first, second = sends(ana, **form), sends(ana, **form)

    assert first["Location"] == second["Location"] == address()
    assert Operation.objects.filter(kind=OperationKind.MODIFY).count() == 1


def test_a_change_shows_its_price_before_anything_happens(
    ana: Member, priced: Modification, sandbox: Sandbox
) -> None:
    page = ana.opens(address())

    shown = text_of(page)
    assert "Insured value£1,600.00" in shown
    assert "Previous price" in shown
    assert "You pay" in shown
    assert "Leave as it is" in [button.text for button in page.all("button")]
    assert "Make the change" not in shown
    assert not sandbox.calls("confirm_modification")


def test_the_shopper_cannot_confirm_what_is_not_paid(ana: Member, priced: Modification) -> None:
    assert ana.posts(address("confirm/")).status_code == 404
    assert the_change().state == State.QUOTED


def test_what_is_paid_back_is_left_to_the_shop(ana: Member, priced: Modification) -> None:
    Modification.objects.update(price_diff=-5)

    shown = text_of(ana.opens(address()))

    assert "You get back" in shown
    assert ana.posts(address("confirm/")).status_code == 404


def test_a_change_that_costs_nothing_is_made_at_a_word(ana: Member, priced: Modification) -> None:
    Modification.objects.update(price_diff=0)

    first, second = ana.posts(address("confirm/")), ana.posts(address("confirm/"))

    assert first["Location"] == second["Location"] == address()
    assert the_change().state == State.REQUESTED
    assert Operation.objects.filter(kind=OperationKind.MODIFY).count() == 1


def test_a_price_for_several_policies_says_so(ana: Member) -> None:
    ana.buys(ticket(), laptop(price="800"))
    device = Quote.objects.select_related("package").get(label="Aero 14")
    modification.quote_change(
        device.package, quote=device, update_fields={"price": Decimal(1600)}, origin="staff"
    )

    shown = text_of(ana.opens(page_of(device, f"changes/{the_change().pk}/")))

    assert "PolicyAero 14" in shown
    assert "Previous price, all policies of this order" in shown
    assert "New price, all policies of this order" in shown


def test_a_price_for_one_policy_does_not_speak_of_others(ana: Member, priced: Modification) -> None:
    shown = text_of(ana.opens(address()))

    assert "all policies of this order" not in shown


def test_a_change_is_left_as_it_is(ana: Member, priced: Modification) -> None:
    first, second = ana.posts(address("abandon/")), ana.posts(address("abandon/"))

    assert first.status_code == second.status_code == 303
    assert "The change wasn't made." in text_of(ana.opens(address()))


def test_a_change_that_is_being_made_is_not_abandoned(ana: Member, priced: Modification) -> None:
    modification.settle(priced)

    response = ana.posts(address("abandon/"))

    assert response.status_code == 409
    assert errors(response) == ["This change has already been confirmed."]


def test_a_change_that_the_shop_was_paid_for_is_made(
    ana: Member, priced: Modification, sandbox: Sandbox
) -> None:
    due = payments.find("modification", str(priced.pk))
    assert due is not None
    assert due.amount == priced.difference

    payments.record_payment(due, reference="pay-1")
    work()

    assert the_change().state == State.CONFIRMED
    assert payments.find("modification", str(priced.pk)) is None
