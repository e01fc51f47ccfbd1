"""What an adapter may hand over: whatever has a text, and a plain refusal for the rest."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from django.db import models
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from django_xcover import values
from django_xcover.mirror import request_bodies
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest
from django_xcover.values import UnusableValue, normalise_phone, normalise_postcode


class Colour(Enum):
    RED = "red"


class Country(models.TextChoices):
    UK = "GB", "United Kingdom"


class Speaks:
    def __str__(self) -> str:
        return "GB"


class Fails:
    def __str__(self) -> str:
        raise KeyError("ana@example.com")


class Silent:
    """Has no text of its own."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (mark_safe("Ana"), "Ana"),
        (gettext_lazy("Ana"), "Ana"),
        (Colour.RED, "red"),
        (Country.UK, "GB"),
        (Speaks(), "GB"),
        (4711, "4711"),
        (Decimal("1.50"), "1.50"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ("A\0na", "Ana"),
        ("Ana \ud83d", "Ana \ufffd"),
        ("Łukasz 李", "Łukasz 李"),
    ],
)
def test_what_has_a_text_is_taken_by_it(value: Any, text: str) -> None:
    taken = values.text(value, "a name")

    assert taken == text
    assert type(taken) is str


@pytest.mark.parametrize(
    "value", [None, True, b"Ana", ["Ana"], {"name": "Ana"}, {"Ana"}, object(), Silent(), Fails()]
)
def test_what_has_no_text_is_refused_without_its_value(value: Any) -> None:
    with pytest.raises(UnusableValue, match=r"Policyholder\.first_name") as refusal:
        Policyholder(first_name=value, last_name="Rossi", email="a@example.com", country="GB")

    assert "Ana" not in str(refusal.value)
    assert "ana@example.com" not in str(refusal.value)


@pytest.mark.parametrize("value", [None, "", " ", "a\0b", "a\ud800", "x" * 101, True, ["ORD-1"]])
def test_a_reference_that_cannot_be_kept_exactly_is_refused(value: Any) -> None:
    with pytest.raises(UnusableValue, match="get_order_reference"):
        values.reference(value, "get_order_reference")


@pytest.mark.parametrize(
    ("value", "kept"), [(4711, "4711"), (uuid.UUID(int=7), str(uuid.UUID(int=7))), ("é", "é")]
)
def test_an_order_number_may_be_a_number(value: Any, kept: str) -> None:
    assert values.reference(value, "get_order_reference") == kept


def test_a_policyholder_may_come_from_any_model() -> None:
    person = Policyholder(
        first_name=gettext_lazy("Ana"),  # type: ignore[arg-type]
        last_name="Ro\0ssi",
        email=mark_safe("ana@example.com"),
        country=Speaks(),  # type: ignore[arg-type]
        phone=None,  # type: ignore[arg-type]
        age="٣٤",  # type: ignore[arg-type]
        birth_date=datetime(1990, 5, 17, tzinfo=UTC),
        city=None,  # type: ignore[arg-type]
        postcode="ｓｗ１ａ１ａａ",
    )

    assert request_bodies.policyholder_payload(person) == {
        "first_name": "Ana",
        "last_name": "Rossi",
        "email": "ana@example.com",
        "country": "GB",
        "age": 34,
        "birth_date": "1990-05-17",
        "postcode": "SW1A 1AA",
    }


def test_fields_of_a_policy_may_hold_whatever_has_a_text() -> None:
    item = PolicyRequest(
        reference=7,  # type: ignore[arg-type]
        label=gettext_lazy("A ticket"),  # type: ignore[arg-type]
        policy_type=Colour.RED,  # type: ignore[arg-type]
        fields={
            "country": Speaks(),
            "days": [date(2030, 1, 2), None, True],
            "nested": ({"price": Decimal("1.50"), Colour.RED: Country.UK},),
        },
    )

    assert (item.reference, item.label, item.policy_type) == ("7", "A ticket", "red")
    assert item.fields["nested"] == [{"price": Decimal("1.50"), "red": "GB"}]
    assert json.dumps(request_bodies.comparable(item))


def test_a_field_without_a_text_is_named_by_its_place() -> None:
    with pytest.raises(UnusableValue, match=r"PolicyRequest\.fields\.tickets\.1\.seat .* Silent"):
        PolicyRequest(reference="1", policy_type="x", fields={"tickets": [{}, {"seat": Silent()}]})


def test_an_items_reference_that_no_column_holds_is_refused_where_it_is_made() -> None:
    with pytest.raises(UnusableValue, match=r"PolicyRequest\.reference has more than 100"):
        PolicyRequest(reference="line" * 26, policy_type="x")


@pytest.mark.parametrize("field", ["currency", "customer_country", "customer_language"])
def test_a_quote_request_names_the_field_that_cannot_be_sent(field: str) -> None:
    asked: dict[str, Any] = {
        "currency": "GBP",
        "customer_country": "GB",
        "customer_language": "en",
        "items": (),
    }
    with pytest.raises(UnusableValue, match=field):
        QuoteRequest(**{**asked, field: None})
    with pytest.raises(UnusableValue, match=field):
        QuoteRequest(**{**asked, field: "United Kingdom"})


def test_the_fields_of_known_libraries_are_taken_as_they_are() -> None:
    countries = pytest.importorskip("django_countries.fields")
    numbers = pytest.importorskip("phonenumber_field.phonenumber")

    person = Policyholder(
        first_name="Ana",
        last_name="Rossi",
        email="ana@example.com",
        country=countries.Country("GB"),
        phone=numbers.PhoneNumber.from_string("020 7946 0000", region="GB"),
    )
    nonsense = numbers.PhoneNumber.from_string("12", region="GB")

    assert (person.country, person.phone) == ("GB", "+442079460000")
    assert normalise_phone(nonsense, "GB") == ""


NUMBERS = [
    ("+44 (0)20 7946 0000", "GB", "+442079460000"),
    ("0044 20 7946 0000", "GB", "+442079460000"),
    ("0049 (0)30 123456", "GB", "+4930123456"),
    ("+44 20 7946 0000 ext. 12", "GB", "+442079460000"),
    ("+44(0)7700 900123", "DE", "+447700900123"),
    ("０044 ２０ ７９４６ ００００", "GB", "+442079460000"),
    ("＋４４（０）２０７９４６００００", "GB", "+442079460000"),
    ("+39 06 698 12345", "IT", "+390669812345"),
    ("call me", "GB", ""),
    ("+1 800 FLOWERS", "US", ""),
    ("12", "GB", ""),
    ("+1", "US", ""),
    ("", "GB", ""),
    (None, "GB", ""),
    (object(), "GB", ""),
]
NATIONAL = [
    ("020 7946 0000", "GB", "+442079460000"),
    ("(0)20 7946 0000", "gb", "+442079460000"),
    ("٠٢٠ ٧٩٤٦ ٠٠٠٠", "GB", "+442079460000"),
    ("030/123456", "DE", "+4930123456"),
    ("06 698 12345", "IT", "+390669812345"),  # in Italy the zero stays
    ("03-1234-5678", "JP", "+81312345678"),
    ("020 7946 0000", "", ""),
    ("020 7946 0000", "XX", ""),
]


@pytest.mark.parametrize(("typed", "country", "number"), [*NUMBERS, *NATIONAL])
def test_a_phone_number_is_read_as_people_write_it(typed: Any, country: str, number: str) -> None:
    assert normalise_phone(typed, country) == number


@pytest.mark.parametrize(("typed", "country", "number"), NUMBERS)
def test_a_number_with_its_country_code_needs_no_library(
    monkeypatch: pytest.MonkeyPatch, typed: Any, country: str, number: str
) -> None:
    monkeypatch.setattr(values, "phonenumbers", None)

    assert normalise_phone(typed, country) == number


def test_without_the_library_a_national_number_is_left_out_and_not_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(values, "phonenumbers", None)

    assert {normalise_phone(typed, country) for typed, country, _ in NATIONAL} == {""}


@pytest.mark.parametrize(
    ("typed", "country", "postcode"),
    [
        ("sw1a1aa", "GB", "SW1A 1AA"),
        (" SW1A  1AA ", "GB", "SW1A 1AA"),
        ("ｓｗ１ａ　１ａａ", "GB", "SW1A 1AA"),
        ("bs1-4rw", "gb", "BS1 4RW"),
        ("〒１００－０００１", "JP", "100-0001"),
        ("1000001", "JP", "100-0001"),
        ("١٠١١٥", "DE", "10115"),
        ("k1a0b1", "CA", "K1A 0B1"),
        ("1234ab", "NL", "1234 AB"),
        ("12345", "GB", "12345"),
        ("90210-1234", "US", "90210-1234"),
        (10115, "DE", "10115"),
        (None, "DE", ""),
    ],
)
def test_a_postcode_is_written_as_its_country_writes_it(
    typed: Any, country: str, postcode: str
) -> None:
    assert normalise_postcode(typed, country) == postcode
