"""Cancellations, modifications, renewals and instalments as typed objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas import fields as wire
from django_xcover.client.schemas.fields import Fields
from django_xcover.client.schemas.packages import (
    PackageAnswer,
    QuoteAnswer,
    currency_of,
    distinct,
    package_from_wire,
    quote_from,
)

# The largest value of a small integer column: one instalment a day for ninety years.
HIGHEST_NUMBER = 32767


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledQuote:
    """The effect of a cancellation on one policy. `refund_value` is refunded to the customer.

    The meaning of `adjustment_fee` is not documented. It is not deducted from the refund.
    """

    quote_id: str
    status: str
    price: Decimal | None
    refund_value: Decimal | None
    adjustment_fee: Decimal | None
    policy_cancellation_date: datetime | None
    policy_coolingoff_date: datetime | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationAnswer:
    """A cancellation or its preview.

    `status` is CANCELLED in a preview too; use `preview` to distinguish the two.
    """

    package_id: str
    status: str
    currency: str
    total_refund: Decimal | None
    cancellation_id: str
    confirm_before: datetime | None
    quotes: tuple[CancelledQuote, ...]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def preview(self) -> bool:
        """Return whether this is only a preview and nothing is cancelled yet."""
        return bool(self.cancellation_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModificationAnswer:
    """A modification or its price. Differences are new minus old.

    With an `update_id`, `booking` is what the booking would become; nothing has changed yet.
    """

    booking: PackageAnswer
    update_id: str
    total_price_diff: Decimal | None
    price_diffs: Mapping[str, Decimal | None]

    @property
    def preview(self) -> bool:
        """Return whether this is only a price and nothing is changed yet."""
        return bool(self.update_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalAnswer:
    """The price of the next period. It is confirmed by `renewal_id`."""

    renewal_id: str
    currency: str
    total_price: Decimal | None
    quotes: tuple[QuoteAnswer, ...]
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One payment of a schedule. The first is PAID as soon as the policy is booked.

    `failures` is the number of failed payments known to XCover (their format was never recorded).
    """

    instalment_id: str
    number: int
    status: str
    total_amount: Decimal | None
    period_start_date: datetime | None
    period_end_date: datetime | None
    failures: int
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentSchedule:
    """The payments of one policy. Each is rounded separately, so the sum can differ."""

    quote_id: str
    currency: str
    total_amount_paid: Decimal | None
    total_amount_due: Decimal | None
    paid_until: datetime | None
    instalments: tuple[Instalment, ...]


def cancellation_from_wire(answer: Mapping[str, Any]) -> CancellationAnswer:
    """Read a cancellation or its preview. Raise UnexpectedAnswer naming a malformed field."""
    fields = Fields.of(answer)
    return CancellationAnswer(
        package_id=fields.id("id"),
        status=fields.word("status"),
        currency=currency_of(fields),
        total_refund=fields.amount("total_refund"),
        cancellation_id=fields.optional_id("cancellation_id"),
        confirm_before=fields.moment("confirm_before"),
        quotes=tuple(_cancelled(row) for row in fields.rows("quotes")),
        raw=answer,
    )


def modification_from_wire(answer: Mapping[str, Any]) -> ModificationAnswer:
    """Read a modification or its price. Raise UnexpectedAnswer naming a malformed field."""
    fields = Fields.of(answer)
    rows = fields.rows("quotes")
    return ModificationAnswer(
        booking=package_from_wire(answer),
        update_id=fields.optional_id("update_id"),
        total_price_diff=fields.amount("total_price_diff"),
        price_diffs={row.id("id"): row.amount("price_diff") for row in rows},
    )


def renewal_from_wire(answer: Mapping[str, Any]) -> RenewalAnswer:
    """Read the price of a renewal. Raise UnexpectedAnswer naming a malformed field.

    Only `renewal_id` and `quotes` are documented, so the currency may be "".
    """
    fields = Fields.of(answer)
    return RenewalAnswer(
        renewal_id=fields.id("renewal_id"),
        currency=currency_of(fields) if fields.text("currency") else "",
        total_price=fields.amount("total_price"),
        quotes=distinct(tuple(quote_from(row, None) for row in fields.rows("quotes"))),
        raw=answer,
    )


def instalments_from_wire(answer: Mapping[str, Any]) -> tuple[InstalmentSchedule, ...]:
    """Read the schedules of a booking. Raise UnexpectedAnswer naming a malformed field."""
    fields = Fields.of(answer)
    return tuple(_schedule(row, currency_of(fields)) for row in fields.rows("quotes"))


def _cancelled(fields: Fields) -> CancelledQuote:
    return CancelledQuote(
        quote_id=fields.id("id"),
        status=fields.word("status"),
        price=fields.amount("price"),
        refund_value=fields.amount("refund_value"),
        adjustment_fee=fields.amount("adjustment_fee"),
        policy_cancellation_date=fields.moment("policy_cancellation_date"),
        policy_coolingoff_date=fields.moment("policy_coolingoff_date"),
        cancelled_at=fields.moment("cancelled_at"),
    )


def _schedule(fields: Fields, currency: str) -> InstalmentSchedule:
    return InstalmentSchedule(
        quote_id=fields.id("id"),
        currency=currency,
        total_amount_paid=fields.amount("total_amount_paid"),
        total_amount_due=fields.amount("total_amount_due"),
        paid_until=fields.moment("paid_until"),
        instalments=_instalments(fields),
    )


def _instalments(fields: Fields) -> tuple[Instalment, ...]:
    """Read a payment schedule. Raise UnexpectedAnswer if it has a number twice."""
    instalments = tuple(_instalment(row) for row in fields.rows("payment_schedule"))
    if len({instalment.number for instalment in instalments}) < len(instalments):
        raise UnexpectedAnswer.at(fields.at("payment_schedule"), "has one number twice")
    return instalments


def _instalment(fields: Fields) -> Instalment:
    number = fields.required(wire.amount, "number")
    if number != number.to_integral_value() or not 0 < number <= HIGHEST_NUMBER:
        raise UnexpectedAnswer.at(fields.at("number"), "is not the number of an instalment")
    # Only null was ever recorded, so any type is read.
    failed = fields.data.get("payment_failures")
    failures = len(failed) if isinstance(failed, list) else int(bool(failed))
    return Instalment(
        instalment_id=fields.id("id"),
        number=int(number),
        status=fields.word("status"),
        total_amount=fields.amount("total_amount"),
        period_start_date=fields.moment("period_start_date"),
        period_end_date=fields.moment("period_end_date"),
        failures=min(failures, HIGHEST_NUMBER),
        raw=fields.data,
    )
