"""Changing cover from the admin: details at once, prices shown and settled first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.forms import CharField
from django.test import Client

from django_xcover.admin.common.forms import PolicyForm, changed, leaves, name_of
from django_xcover.models import Modification, Operation, Quote, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import ModificationFactory, QuotePackageFactory
from tests.admin.pressing import do, messages_of, page_of, page_url
from tests.conftest import work

State = Modification.State


@pytest.fixture
def laptop_policy(booked: QuotePackage) -> Any:
    """Return the policy of the laptop, whose value can be changed."""
    from django_xcover.models import Policy

    return Policy.objects.get(package=booked, policy_type="product_insurance")


def filled_in(client: Client, policy: Quote, **changes: str) -> dict[str, str]:
    """Return the form on the page of `policy` as a browser sends it, with `changes` by label."""
    form = client.get(page_url(policy)).context["row_actions"][0].form
    sent = {name: str(form[name].value() or "") for name in form.fields}
    labels = {str(field.label): name for name, field in form.fields.items()}
    return sent | {labels[label]: value for label, value in changes.items()}


def test_details_left_empty_change_nothing(clerk: Client, booked: QuotePackage) -> None:
    answer = do(clerk, booked, "details", phone=" ")

    assert "Enter at least one change" in answer.content.decode()
    assert not Modification.objects.exists()


def test_an_address_that_is_none_is_asked_for_again(clerk: Client, booked: QuotePackage) -> None:
    answer = do(clerk, booked, "details", email="ana at home")

    assert "Enter a valid email address" in answer.content.decode()
    assert 'value="ana at home"' in answer.content.decode()
    assert not Modification.objects.exists()


def test_details_that_may_not_be_changed_have_no_field(clerk: Client, booked: QuotePackage) -> None:
    booked.payload["policyholder"]["fields_allowed_to_update"] = ["phone"]
    booked.save()

    do(clerk, booked, "details", phone="+447700900999", last_name="Bianchi")

    assert Modification.objects.get().changes == {"policyholder": {"phone": "+447700900999"}}


def test_details_of_cover_that_is_over_cannot_be_changed(clerk: Client) -> None:
    package = QuotePackageFactory.create(cancelled=True, two_quotes=True, order_reference="SH-1")

    answer = do(clerk, package, "details", phone="+447700900999")

    assert messages_of(answer) == ["This cover cannot be changed."]
    assert not LogEntry.objects.exists()


def test_a_phone_that_xcover_refuses_is_told_and_nothing_waits(
    clerk: Client, booked: QuotePackage
) -> None:
    do(clerk, booked, "details", phone="447700900999")
    work()

    modification = Modification.objects.get()
    page = page_of(clerk, modification)
    assert modification.state == State.REFUSED
    assert "refused by XCover" in page
    assert "The phone number should start with" in page
    assert "http-equiv" not in page


def test_new_details_reach_xcover_and_no_log(
    clerk: Client, booked: QuotePackage, sandbox: Sandbox
) -> None:
    answer = do(clerk, booked, "details", phone="+447700900999", city="Dover")
    modification = Modification.objects.get()
    assert answer.url == page_url(modification)
    assert '<meta http-equiv="refresh" content="3">' in page_of(clerk, modification)
    work()

    modification.refresh_from_db()
    message = LogEntry.objects.get().change_message
    assert modification.state == State.CONFIRMED
    assert sandbox.calls("modify_booking") or sandbox.calls("booking_modification")
    assert "city, phone" in message
    assert "Dover" not in message
    assert "900999" not in message


@pytest.mark.parametrize("fault", ["hang", "garbage", "status"])
def test_a_price_that_xcover_cannot_give_is_a_sentence(
    clerk: Client, laptop_policy: Quote, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("*", fault, times=None, seconds=0.05, status=503)

    answer = do(clerk, laptop_policy, "price", **filled_in(clerk, laptop_policy, Price="900"))

    assert messages_of(answer)[0].startswith("Nothing was done. XCover")
    assert not Modification.objects.exists()


def test_a_form_sent_as_it_came_asks_for_nothing(
    clerk: Client, laptop_policy: Quote, sandbox: Sandbox
) -> None:
    answer = do(clerk, laptop_policy, "price", **filled_in(clerk, laptop_policy))

    assert "Nothing would change" in answer.content.decode()
    assert sandbox.calls("quote_modification") == []


@pytest.mark.parametrize("price", ["-", "a lot", "1e999", ""])
def test_a_value_that_is_no_amount_is_asked_for_again(
    clerk: Client, laptop_policy: Quote, price: str
) -> None:
    answer = do(clerk, laptop_policy, "price", **filled_in(clerk, laptop_policy, Price=price))

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()


def test_a_value_that_xcover_refuses_is_told(clerk: Client, laptop_policy: Quote) -> None:
    answer = do(clerk, laptop_policy, "price", **filled_in(clerk, laptop_policy, Price="-5"))

    assert "XCover does not accept this change" in messages_of(answer)[0]
    assert not Modification.objects.exists()


def test_a_change_shows_its_difference_and_changes_nothing_before_it_is_settled(
    clerk: Client, laptop_policy: Quote
) -> None:
    before = laptop_policy.price
    answer = do(clerk, laptop_policy, "price", **filled_in(clerk, laptop_policy, Price="2400"))

    modification = Modification.objects.get()
    page = page_of(clerk, modification)
    laptop_policy.refresh_from_db()
    assert answer.url == page_url(modification)
    assert modification.price_diff > 0
    assert f"To charge: £{modification.price_diff.normalize():f}" in page.replace(",", "")
    words = "Aero 14: Insured value £2,400.00 (was £1,200.00)"
    assert words in page
    assert words in clerk.get("/admin/xcover/modification/").content.decode()
    assert laptop_policy.price == before

    do(clerk, modification, "settle", reference="P-1")
    work()

    modification.refresh_from_db()
    laptop_policy.refresh_from_db()
    assert modification.state == State.CONFIRMED
    assert laptop_policy.price == before + modification.price_diff
    made = page_of(clerk, modification)
    assert "Aero 14" in made
    assert "was £" not in made


def test_a_settled_change_is_confirmed_once(clerk: Client, laptop_policy: Quote) -> None:
    do(clerk, laptop_policy, "price", **filled_in(clerk, laptop_policy, Price="2400"))
    modification = Modification.objects.get()
    do(clerk, modification, "settle", reference="P-1")

    same = do(clerk, modification, "settle", reference="P-1")
    other = do(clerk, modification, "settle", reference="P-2")
    late = do(clerk, modification, "abandon")

    assert same.status_code == 302
    assert messages_of(other)[-1] == "This change has already been confirmed."
    assert messages_of(late)[-1] == "This change has already been confirmed."
    assert Operation.objects.filter(kind="modify").count() == 1
    assert LogEntry.objects.filter(change_message__startswith="Confirmed").count() == 1


def test_an_abandoned_change_can_no_longer_be_settled(clerk: Client) -> None:
    modification = ModificationFactory.create(package__order_reference="SH-1")
    do(clerk, modification, "abandon")

    answer = do(clerk, modification, "settle")

    modification.refresh_from_db()
    assert modification.state == State.ABANDONED
    assert "no longer open" in messages_of(answer)[-1]
    assert not Operation.objects.exists()


def test_a_change_that_waits_for_its_difference_is_a_step_of_the_story(clerk: Client) -> None:
    ModificationFactory.create(package__order_reference="SH-1", price_diff=Decimal("-0.50"))

    story = clerk.get("/admin/xcover/quotepackage/order/SH-1/").content.decode()

    assert "To refund: £0.50" in story
    assert "/settle/" in story


def test_the_page_of_a_change_hides_the_customers_details(clerk: Client) -> None:
    page = page_of(clerk, ModificationFactory.create(package__order_reference="SH-1"))

    assert "900123" not in page
    assert "Phone<br>First name" in page


def test_a_change_of_a_list_names_the_policy_and_the_values_on_its_page_only(
    clerk: Client,
) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    changed = {"id": package.quotes.all()[1].quote_id, "update_fields": {"tickets": [{"row": "B"}]}}
    modification = ModificationFactory.create(package=package, changes={"quotes": [changed]})

    page, listed = page_of(clerk, modification), clerk.get("/admin/xcover/modification/")

    assert "Midnight Strings: Tickets" in page
    assert "Tickets 1: row: B" in page
    assert "Midnight Strings: Tickets" in listed.content.decode()
    assert "Harbour Lights Festival" not in listed.content.decode()


def test_a_change_hides_a_new_value_that_is_a_token(clerk: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    changed = {"id": package.quotes.all()[0].quote_id, "update_fields": {"pass_token": "abc123"}}
    modification = ModificationFactory.create(package=package, changes={"quotes": [changed]})

    assert "abc123" not in page_of(clerk, modification)
    assert "abc123" not in clerk.get("/admin/xcover/modification/").content.decode()


def test_a_change_that_was_abandoned_keeps_xcovers_id(clerk: Client) -> None:
    modification = ModificationFactory.create(
        package__order_reference="SH-1", changes={}, state=State.ABANDONED
    )

    assert modification.update_id in clerk.get("/admin/xcover/modification/").content.decode()


REQUEST = {
    "policy_type": "event_ticket_protection",
    "policy_type_version": 1,
    "event_name": "Harbour Lights",
    "resale_ticket": False,
    "number_of_tickets": 2,
    "event_postcode": "90210",
    "tickets": [{"price": "60"}, {"price": "75.50"}],
}


def test_the_policy_type_is_nothing_to_change() -> None:
    assert not {path[0] for path, _value in leaves(REQUEST)} & {
        "policy_type",
        "policy_type_version",
    }


def test_a_list_is_sent_whole_when_one_value_in_it_changes() -> None:
    found = changed(REQUEST, {("tickets", 1, "price"): Decimal(80)})

    assert found == {"tickets": [{"price": Decimal(60)}, {"price": Decimal(80)}]}
    assert REQUEST["tickets"] == [{"price": "60"}, {"price": "75.50"}]


def test_digits_that_are_no_amount_stay_text() -> None:
    assert changed(REQUEST, {("event_postcode",): "10001"}) == {"event_postcode": "10001"}


@pytest.mark.parametrize("limit", ["unlimited", "NaN", "Infinity"])
def test_an_amount_that_is_words_stays_words(limit: str) -> None:
    quote = Quote(policy_type="", request={"limit": limit})

    field = PolicyForm(quote).fields["value-0"]

    assert type(field) is CharField
    assert field.initial == limit
    assert changed(quote.request, {("limit",): limit}) == {"limit": limit}


def test_a_value_is_called_by_its_place() -> None:
    assert name_of(("tickets", 1, "price")) == "Tickets 2: price"
    assert name_of(("event_name",)) == "Event name"
