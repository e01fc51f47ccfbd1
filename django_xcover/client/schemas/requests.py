"""Request bodies, sent or still to be sent, as typed values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django_xcover.client.schemas.packages import QuoteAnswer
from django_xcover.client.schemas.stored import (
    LenientFields,
    StoredPolicyholder,
    read_policyholder,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """New values for one policy. They are deleted once the change is finished."""

    quote_id: str
    update_fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes of a modification: details of the policyholder, or values of policies."""

    policyholder: Mapping[str, Any] = field(repr=False)
    policies: tuple[PolicyChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalConfirmation:
    """The confirmation of a renewal.

    With `is_legacy` it is confirmed by its id alone, with the time of the payment.
    """

    renewal_id: str
    is_legacy: bool
    body: Mapping[str, Any] = field(repr=False)


def read_changes(body: Any) -> Changes:
    """Return the changes in the body of a modification."""
    fields = LenientFields.of(body)
    policies = tuple(
        PolicyChange(
            quote_id=row.text("id"),
            update_fields=row.below("update_fields").data,
        )
        for row in fields.rows("quotes")
    )
    return Changes(policyholder=fields.below("policyholder").data, policies=policies)


def read_renewal_confirmation(body: Mapping[str, Any]) -> RenewalConfirmation:
    """Return the confirmation that an operation sends."""
    name = "paid_on" if "paid_on" in body else "quotes"
    return RenewalConfirmation(
        renewal_id=body["renewal_id"], is_legacy=name == "paid_on", body={name: body[name]}
    )


def periods(quotes: Sequence[QuoteAnswer]) -> list[dict[str, Any]]:
    """Return the quotes of a renewal as its confirmation lists them, with times unchanged."""
    names = ("id", "policy_start_date", "policy_end_date")
    return [{key: read.raw[key] for key in names if read.raw.get(key)} for read in quotes]


def quote_ids(body: Any) -> list[str]:
    """Return the ids of the quotes or policies in a body."""
    return [row.text("id") for row in LenientFields.of(body).rows("quotes")]


def without_quotes(body: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """Return the body without the quotes whose ids are in `gone`."""
    rows = LenientFields.of(body).rows("quotes")
    return {**body, "quotes": [row.data for row in rows if row.text("id") not in gone]}


def booked_policyholder(body: Any) -> StoredPolicyholder:
    """Return the policyholder that the body of a booking names."""
    return read_policyholder(LenientFields.of(body).below("policyholder").data)


def has_fixed_start(item: Mapping[str, Any]) -> bool:
    """Return whether the shop named the cover's start; else it begins with the quote."""
    return bool(item.get("policy_start_date"))


def product_of(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return policy type and version of one item of a quote's `request`."""
    return item.get("policy_type"), item.get("policy_type_version")
