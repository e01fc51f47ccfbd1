"""Validate fields and persons, with XCover's error messages (recorded traffic: errors)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.tariff.pricing import COUNTRIES

Parser = Callable[[Any], Any]
HIGHEST_AMOUNT = Decimal(10) ** 12


@dataclass(frozen=True)
class Field:
    """One request key: the parser of its value, and whether it is required or may be null."""

    parse: Parser
    required: bool = False
    null: bool = False


Schema = Mapping[str, Field]


def clean(payload: Any, schema: Schema) -> dict[str, Any]:
    """Return the parsed payload. Raise Invalid with the errors of the first stage that fails.

    Missing fields are reported before unknown ones, unknown ones as a plain string (recorded:
    `add/` with an unknown key and no `request`). Inferred: values are validated last.
    """
    if not isinstance(payload, dict):
        kind = type(payload).__name__
        wrong = f"Invalid data. Expected a dictionary, but got {kind}."
        raise Invalid({"non_field_errors": [wrong]})
    missing = [name for name, field in schema.items() if field.required and name not in payload]
    if missing:
        raise Invalid({name: ["This field is required."] for name in missing})
    unknown = [name for name in payload if name not in schema]
    if unknown:
        raise Invalid(dict.fromkeys(unknown, "Unexpected field"))
    return _values(payload, schema)


def _values(payload: dict[str, Any], schema: Schema) -> dict[str, Any]:
    values: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name, given in payload.items():
        try:
            values[name] = _value(given, schema[name])
        except Invalid as refused:
            errors[name] = refused.errors
    if errors:
        raise Invalid(errors)
    return values


def _value(given: Any, field: Field) -> Any:
    if given is not None:
        return field.parse(given)
    if field.null:
        return None
    raise Invalid(["This field may not be null."])


def text(value: Any) -> str:
    """Return a string that is not blank."""
    if not isinstance(value, str):
        raise Invalid(["Not a valid string."])
    if not value.strip():
        raise Invalid(["This field may not be blank."])
    return value


def any_text(value: Any) -> str:
    """Return a string, which may be empty."""
    if not isinstance(value, str):
        raise Invalid(["Not a valid string."])
    return value


def boolean(value: Any) -> bool:
    """Return a JSON boolean; other truthy values are refused."""
    if not isinstance(value, bool):
        raise Invalid(["Must be a valid boolean."])
    return value


def integer(value: Any, highest: int = 1_000_000) -> int:
    """Return a whole number from 1 to `highest`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(["A valid integer is required."])
    if value < 1:
        raise Invalid(["Ensure this value is greater than or equal to 1."])
    if value > highest:
        raise Invalid([f"Ensure this value is less than or equal to {highest}."])
    return value


def version(value: Any) -> str:
    """Return a version as a string, from a whole number or (seen in 2026) a string."""
    return text(value) if isinstance(value, str) else str(integer(value))


def count(value: Any) -> int:
    """Return a whole number, which may be 0."""
    return 0 if value == 0 and type(value) is int else integer(value)


def amount(value: Any) -> Decimal:
    """Return an amount from a JSON number that is exact and not negative.

    Inferred: a number in a string is refused; every recorded amount in a request is a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Invalid(["A valid number is required."])
    if value < 0:
        raise Invalid(["Ensure this value is greater than or equal to 0."])
    if value > HIGHEST_AMOUNT:
        raise Invalid([f"Ensure this value is less than or equal to {HIGHEST_AMOUNT}."])
    return Decimal(value)


def moment(value: Any) -> datetime:
    """Return an aware datetime from an RFC 3339 date or time."""
    try:
        return datetimes.parse(text(value))
    except (ValueError, OverflowError):
        raise Invalid(["Datetime has wrong format. Use RFC 3339."]) from None


def phone(value: Any) -> str:
    """Return a phone number in international format. This is the only recorded value error."""
    if not text(value).startswith("+"):
        raise Invalid(['The phone number should start with "+" character'])
    return str(value)


def email(value: Any) -> str:
    """Return an e-mail address."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text(value)):
        raise Invalid(["Enter a valid email address."])
    return str(value)


def one_of(choices: Collection[str]) -> Parser:
    """Return a parser that accepts one of the choices."""

    def parse(value: Any) -> str:
        if text(value) not in choices:
            raise Invalid([f'"{value}" is not a valid choice.'])
        return str(value)

    return parse


def list_of(item: Parser) -> Parser:
    """Return a parser for a non-empty list. Its errors are a list, with `{}` for valid items."""

    def parse(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Invalid([f'Expected a list of items but got type "{type(value).__name__}".'])
        if not value:
            raise Invalid(["This list may not be empty."])
        return _items(value, item)

    return parse


def _items(value: list[Any], item: Parser) -> list[Any]:
    values: list[Any] = []
    errors: list[Any] = []
    for given in value:
        try:
            values.append(item(given))
            errors.append({})
        except Invalid as refused:
            errors.append(refused.errors)
    if any(errors):
        raise Invalid(errors)
    return values


def nested(schema: Schema) -> Parser:
    """Return a parser for an object with the fields of `schema`.

    Inferred: unknown keys are refused in nested objects too; only the top level was recorded.
    """
    return lambda value: clean(value, schema)


def any_object(value: Any) -> dict[str, Any]:
    """Return an object with any content."""
    if not isinstance(value, dict):
        raise Invalid([f'Expected a dictionary of items but got type "{type(value).__name__}".'])
    return value


def metadata(value: Any) -> dict[str, Any]:
    """Return a flat object of strings, numbers, booleans and nulls (Quotes API: opt-out)."""
    if any(isinstance(item, dict | list) for item in any_object(value).values()):
        raise Invalid(["Values must be string, boolean, number or null."])
    return dict(value)


PLACE = {
    name: Field(any_text, null=True)
    for name in ("address1", "address2", "city", "postcode", "region")
}
# Inferred: which keys are required. Every recorded policyholder has these four.
POLICYHOLDER: dict[str, Field] = {
    "first_name": Field(text, required=True),
    "last_name": Field(text, required=True),
    "email": Field(email, required=True),
    "country": Field(one_of(COUNTRIES), required=True),
    "middle_name": Field(any_text, null=True),
    "phone": Field(phone, null=True),
    "age": Field(integer, null=True),
    "secondary_email": Field(email, null=True),
    "birth_date": Field(any_text, null=True),
    "company": Field(any_text, null=True),
    **PLACE,
}
CHANGED_POLICYHOLDER = {
    name: replace(field, required=False) for name, field in POLICYHOLDER.items()
}
INSURED: dict[str, Field] = {
    **POLICYHOLDER,
    "email": Field(email, null=True),
    "country": Field(one_of(COUNTRIES), null=True),
}
