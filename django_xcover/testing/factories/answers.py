"""XCover's responses as rows store them, with the recorded fields. Used by the factories.

Each function reads the columns of the row being built, so that the response is consistent with
them. Amounts are decimal text and times are ISO 8601, as stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency

SITE = "https://staging.xcover.com/en"
SECURITY_TOKEN = "aB1cD-eF2gH-iJ3kL-mN4oP"  # noqa: S105 - opens nothing
SIGNUP_TOKEN = "wT1tB-Ry2N8-1zP3L-lnI4s"  # noqa: S105 - opens nothing
PLAN = "1year-monthly"
POLICYHOLDER = {
    "first_name": "Ana",
    "last_name": "Rossi",
    "email": "ana@example.com",
    "phone": "+447700900123",
    "country": "GB",
    "birth_date": "1985-02-03",
    "address1": "1 Quay Street",
    "city": "Dover",
    "postcode": "CT17 9BU",
}


def package(row: Any) -> dict[str, Any]:
    """Return a quote package, or its booking, without the quotes."""
    answer = {
        "id": row.package_id,
        "status": row.status,
        "currency": row.currency,
        **_amount("total_price", row.total_price, row.currency),
        "partner_transaction_id": row.order_reference or None,
        "created_at": _time(row.quoted_at),
        "updated_at": _time(row.booked_at or row.quoted_at),
        "pds_url": f"{SITE}/pds/{row.package_id}",
        "security_token": SECURITY_TOKEN,
    }
    return answer | _booking(row) if row.booked_at else answer


def _booking(row: Any) -> dict[str, Any]:
    certificate = f"{SITE}/coi/{row.package_id}"
    return {
        "coi": {
            "url": f"{certificate}?security_token={SECURITY_TOKEN}",
            "pdf": f"{certificate}.pdf?security_token={SECURITY_TOKEN}",
        },
        "account_url": f"{SITE}/account?id={uuid.UUID(int=1)}&signup_token={SIGNUP_TOKEN}",
        "policyholder": {
            **POLICYHOLDER,
            "email": row.policyholder_email or POLICYHOLDER["email"],
            "country": row.customer_country,
        },
    }


def quote(row: Any) -> dict[str, Any]:
    """Return one quote, or the policy it became."""
    currency, wording = row.package.currency, f"{SITE}/pds/{row.package.package_id}"
    return {
        "id": row.quote_id,
        "policy_start_date": _time(row.policy_start_date),
        "policy_end_date": _time(row.policy_end_date),
        "status": row.status,
        **_amount("price", row.price, currency),
        "policy": {
            "policy_type": row.policy_type,
            "policy_name": row.policy_name,
            "policy_version": str(uuid.UUID(int=1)),
            "category": row.policy_type,
            "content": {
                "title": f"{row.policy_name} for {row.label}",
                "description": "Get your money back if you cannot go.",
                "optout_msg": "No cover: I carry the cost myself.",
                "disclaimer": f'<p>Please read the <a href="{wording}">policy wording</a>.</p>',
            },
            "underwriter": {
                "name": "Harbour Mutual Insurance Limited",
                "disclaimer": "This plan is arranged by XCover.com",
            },
        },
        "insured": None,
        "benefits": [
            {
                "description": "What you paid, if you cannot go",
                **_amount("limit", Decimal(120), currency),
                "excess_description": "None",
            }
        ],
        **_amount("cover_amount", Decimal(120), currency),
        "pds_url": wording,
        "files": [],
        "is_renewable": row.is_renewable,
        "can_be_cancelled": row.can_be_cancelled,
        "instalment_plans": [_plan(row.price, currency)],
    }


def _plan(price: Decimal, currency: str) -> dict[str, Any]:
    return {
        "name": PLAN,
        "label": "1Year-Monthly",
        "amount": str(price),
        **_amount("first_instalment_amount", instalment_amount(price), currency),
    }


def instalment_amount(price: Decimal) -> Decimal:
    """Return one of twelve instalments of `price`, rounded up as XCover does."""
    return (price / 12).quantize(Decimal("0.01"), rounding="ROUND_UP")


def instalment(row: Any) -> dict[str, Any]:
    """Return one entry of a payment schedule."""
    failures = [{"created_at": _time(row.attempted_at)}] * row.failures
    return {
        "id": row.instalment_id,
        "number": row.number,
        "quote": row.quote.quote_id,
        "period_start_date": _time(row.period_start_date),
        "period_end_date": _time(row.period_end_date),
        "status": "PAID" if row.status == "PAID" else "UNPAID",
        "total_amount": str(row.total_amount),
        "payment_failures": failures or None,
    }


def refund_lines(policies: Iterable[Any], cooling_off_until: datetime) -> list[dict[str, Any]]:
    """Return a full refund of each policy, in the format of `Cancellation.lines`."""
    return [
        {
            "quote_id": policy.quote_id,
            "price": str(policy.price),
            "refund": str(policy.price),
            "adjustment_fee": "0.91",
            "cooling_off_until": _time(cooling_off_until),
        }
        for policy in policies
    ]


def cancellation(row: Any) -> dict[str, Any]:
    """Return a cancellation. A preview already has the status CANCELLED (recorded)."""
    return {
        "id": row.package.package_id,
        "status": "CANCELLED",
        "currency": row.currency,
        **_amount("total_refund", row.total_refund, row.currency),
        "cancellation_id": row.cancellation_id or None,
        "confirm_before": _time(row.confirm_before),
    }


def modification(row: Any) -> dict[str, Any]:
    """Return the booking after a change."""
    return {
        "id": row.package.package_id,
        "status": row.package.status,
        "currency": row.currency,
        **_amount("total_price", row.price_after, row.currency),
        "price_diffs": {},
    }


def renewal(row: Any, policies: Iterable[Any]) -> dict[str, Any]:
    """Return the price of the next period of `policies`, divided equally between them."""
    policies = list(policies)
    share = row.price / max(len(policies), 1)
    return {
        "renewal_id": row.renewal_id,
        "quotes": [
            {
                "id": str(uuid.uuid4()),
                "status": "RECEIVED",
                "price": str(share),
                "policy_start_date": _time(row.starts_at),
                "policy_end_date": _time(row.ends_at),
                "policy": policy.payload["policy"],
                "benefits": policy.payload["benefits"],
            }
            for policy in policies
        ],
    }


def webhook(event: str, package_id: str) -> dict[str, Any]:
    """Return the body of a webhook about a booking."""
    return {"event": event, "payload": {"id": package_id, "status": "CONFIRMED"}}


def booking_request(quote_ids: Iterable[str], order_reference: str) -> dict[str, Any]:
    """Return the body of a booking, as an operation stores it until it is done."""
    return {
        "quotes": [{"id": quote_id} for quote_id in quote_ids],
        "policyholder": dict(POLICYHOLDER),
        "partner_transaction_id": order_reference,
    }


def error(**values: Any) -> dict[str, Any]:
    """Return the stored error of an operation whose telephone number XCover refused."""
    defaults: Mapping[str, Any] = {
        "type": "validation_failed",
        "message": "An API error occurred.",
        "permanent": True,
        "outcome_known": True,
        "status": 422,
        "vendor_type": "validation_error",
        "code": "",
        "field_errors": {
            "policyholder.phone": ['The phone number should start with "+" character']
        },
        "retry_after": 0.0,
    }
    return {**defaults, **values}


def unavailable(**values: Any) -> dict[str, Any]:
    """Return the stored error of an operation while XCover was down."""
    defaults = {"type": "server_fault", "status": 503, "permanent": False, "field_errors": {}}
    return error(**{**defaults, "message": "", "vendor_type": "", **values})


def _amount(name: str, amount: Decimal | None, currency: str) -> dict[str, str | None]:
    """Return the two keys of an amount: `name` and `name_formatted`."""
    if amount is None:
        return {name: None, f"{name}_formatted": None}
    return {
        name: str(amount),
        f"{name}_formatted": format_currency(amount, currency, locale="en"),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
