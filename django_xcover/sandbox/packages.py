"""The data that the sandbox stores: packages and their quotes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import transitions


@dataclass(kw_only=True)
class Priced:
    """The period, price and cover that a product calculated for a request."""

    policy_start: datetime
    policy_end: datetime | None
    net: Decimal
    taxes: list[dict[str, Any]]
    cover_amount: Decimal
    policy_currency: str
    benefits: list[dict[str, Any]]

    @property
    def total_tax(self) -> Decimal:
        """Return the sum of the tax lines."""
        return sum((line["amount"] for line in self.taxes), Decimal(0))

    @property
    def price(self) -> Decimal:
        """Return the gross price: net premium and taxes."""
        return self.net + self.total_tax


@dataclass(kw_only=True)
class Quote:
    """One quote, later the policy. `position` is its key in the package's `quotes`.

    A request item that could not be quoted is stored with its `failure` and without `priced`.
    `settled` is the total cost of the changes so far, negative if they were refunded.
    """

    id: str
    position: int
    status: str
    policy_type: str
    policy_type_version: str
    fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    priced: Priced | None = None
    failure: str | None = None
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None
    refund: Decimal | None = None
    reason_for_cancellation: str | None = None
    insured: list[dict[str, Any]] | None = None
    instalment_plan: str | None = None
    instalments: list[dict[str, Any]] = field(default_factory=list)
    settled: Decimal = Decimal(0)
    renewed_times: int = 0
    renewal_declined: bool = False

    @property
    def price(self) -> Decimal:
        """Return the gross price, or zero if it could not be quoted."""
        return self.priced.price if self.priced else Decimal(0)

    @property
    def is_booked(self) -> bool:
        """Return whether this quote was booked."""
        return self.status in transitions.BOOKED

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Quote:
        """Return the quote stored as `document`."""
        priced = Priced(**document["priced"]) if document["priced"] else None
        return cls(**{**document, "priced": priced})


@dataclass(kw_only=True)
class Package:
    """A quote package, later the booking."""

    id: str
    partner: str
    status: str
    currency: str
    country: str
    language: str
    region: str | None
    security_token: str
    signup_token: str
    created_at: datetime
    updated_at: datetime
    quotes: list[Quote] = field(default_factory=list)
    policyholder: dict[str, Any] | None = None
    partner_transaction_id: str | None = None
    partner_metadata: dict[str, Any] = field(default_factory=dict)
    booking_errors: dict[str, Any] = field(default_factory=dict)
    updates: dict[str, Any] = field(default_factory=dict)
    cancellations: dict[str, Any] = field(default_factory=dict)
    renewals: dict[str, Any] = field(default_factory=dict)
    renewal_events: dict[str, list[str]] = field(default_factory=dict)
    emails: list[str] = field(default_factory=list)

    @property
    def in_order(self) -> list[Quote]:
        """Return the quotes in the order of their keys."""
        return sorted(self.quotes, key=lambda quote: quote.position)

    @property
    def booked(self) -> list[Quote]:
        """Return the booked quotes, which are those that `bookings/` shows."""
        return [quote for quote in self.in_order if quote.is_booked]

    def quote(self, quote_id: str) -> Quote | None:
        """Return the priced quote with this id, or None."""
        priced = (quote for quote in self.quotes if quote.priced)
        return next((quote for quote in priced if quote.id == quote_id), None)

    def document(self) -> dict[str, Any]:
        """Return the package as plain values for the store."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Package:
        """Return the package stored as `document`."""
        quotes = [Quote.from_document(item) for item in document["quotes"]]
        return cls(**{**document, "quotes": quotes})
