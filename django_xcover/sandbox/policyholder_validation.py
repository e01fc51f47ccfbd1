"""Policyholders and insured persons in requests (Quotes API: booking body)."""

from __future__ import annotations

from dataclasses import replace

from django_xcover.sandbox.tariff.countries import COUNTRIES
from django_xcover.sandbox.validation import Field, any_text, email, integer, one_of, phone, text

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
