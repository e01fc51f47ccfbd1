"""The small values that cross the package's inner borders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one ISO 4217 currency."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money takes a Decimal amount, not {type(self.amount).__name__}.")

    def __add__(self, other: Money) -> Money:
        """Return the sum; raise ValueError across currencies, which have no common unit."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added.")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something a shopper still has to pay for cover that is booked already.

    `kind` is "renewal", "instalment" or "modification"; with `reference` it names the one thing to
    be paid and makes a good idempotency key for the shop's payment provider. `label` is what is
    insured.
    """

    kind: str
    reference: str
    order_reference: str
    label: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """One thing to insure: an element of `request` in XCover's quote call.

    `reference` names the cart line and must be unique within the cart; `label` is what the
    shopper calls it ("Harbour Lights Festival"). Neither is sent.
    `fields` are the policy type's own fields (`event_name`, `tickets`, …), with Decimal for
    amounts and aware datetimes. Without `policy_start_date` cover starts when it is quoted.
    """

    reference: str
    label: str = ""
    policy_type: str
    policy_type_version: int = 1
    policy_start_date: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """What a shop asks XCover to quote for one cart.

    `currency` is ISO 4217, `customer_country` ISO 3166-1 alpha-2, `customer_language`
    ISO 639-1 with an optional lower-case variant (`en-us`): Quotes API, data formats.
    """

    currency: str
    customer_country: str
    customer_language: str
    items: tuple[PolicyRequest, ...]
    customer_region: str | None = None
    customer_postcode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policyholder:
    """The person who takes out the cover, as XCover's booking call wants it.

    `phone` is `+` and the country code first (Quotes API, data formats). Empty optional fields
    are left out of the call: for `region` an absent key and a null mean different things there.
    """

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    country: str
    phone: str = field(default="", repr=False)
    age: int | None = field(default=None, repr=False)
    birth_date: str = field(default="", repr=False)
    address1: str = field(default="", repr=False)
    address2: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    region: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
