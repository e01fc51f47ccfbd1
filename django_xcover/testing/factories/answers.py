"""XCover's responses as rows store them, with the recorded fields. Used by the factories.

Each function reads the columns of the row being built, so that the response is consistent with
them. Amounts are decimal text and times are ISO 8601, as stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency

from django_xcover.models import Status

SITE = "https://staging.xcover.com/en"
SECURITY_TOKEN = "aB1cD-eF2gH-iJ3kL-mN4oP"  # noqa: S105 - opens nothing
SIGNUP_TOKEN = "wT1tB-Ry2N8-1zP3L-lnI4s"  # noqa: S105 - opens nothing
TAX_RATE = Decimal(12)
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
PARTNER = {
    "id": "SHOP1",
    "slug": "shop1",
    "name": "Box Office",
    "title": "Box Office",
    "logo": "https://static.xcover.example/partnerlogos/shop1.png",
    "contact_url": "https://partner.example/contact",
    "partner_url": "https://partner.example",
    "help_center_url": "https://partner.example/help",
    "updated_at": "2021-11-02T03:30:28.635906Z",
    "xpay_refund_enabled": True,
    "emails": [
        {
            "id": str(uuid.UUID(int=2)),
            "from_email": "XCover.com <inner@partner.example>",
            "bcc_email": "insurance-desk@partner.example",
            "email_slug": "booking-confirmation",
            "email_version": 1,
            "event_name": 0,
            "include_partner_in_context": True,
            "attach_coi": True,
            "auto_send": None,
            "enable_expression": None,
        }
    ],
    "attributes": {},
}
# Keys of a booking, and of its policyholder, that are null in all recorded responses.
LATER = ("experiment", "sign_up_url", "booking_agent", "fast_quote_id")
UNKNOWN_OF_POLICYHOLDER = (
    "middle_name",
    "age",
    "address2",
    "region",
    "secondary_email",
    "company",
    "gender",
    "company_reg_id",
)


def package(row: Any) -> dict[str, Any]:
    """Return a quote package, or its booking, without the quotes."""
    answer = {
        "id": row.package_id,
        "status": row.status,
        "currency": row.currency,
        **_amount("total_price", row.total_price, row.currency),
        "partner_transaction_id": row.order_reference or None,
        **_times(row),
        "pds_url": f"{SITE}/pds/{row.package_id}",
        "security_token": SECURITY_TOKEN,
    }
    if not row.booked_at:
        return answer | _bundle(row)
    # Only a booking that was read again, as after a renewal, describes the partner.
    again = row.two_periods or row.status == Status.CANCELLED
    return answer | _booking(row) | (_read_again(row) if again else {})


def _times(row: Any) -> dict[str, str | None]:
    return {
        "created_at": _time(row.quoted_at),
        "updated_at": _time(row.booked_at or row.quoted_at),
    }


def _bundle(row: Any) -> dict[str, Any]:
    return {
        "bundle_code": None,
        **_amount("bundle_price", row.total_price, row.currency),
        "bundle_content": {},
        "bundle_discount_percent": "0.0",
        **_amount("bundle_discount_amount", Decimal(0), row.currency),
        "errors": {},
    }


def _booking(row: Any) -> dict[str, Any]:
    certificate = f"{SITE}/coi/{row.package_id}"
    return {
        "coi": {
            "url": f"{certificate}?security_token={SECURITY_TOKEN}",
            "pdf": f"{certificate}.pdf?security_token={SECURITY_TOKEN}",
        },
        "account_url": f"{SITE}/account?id={uuid.UUID(int=1)}&signup_token={SIGNUP_TOKEN}",
        "policyholder": _policyholder(row),
        **_totals(row.total_price, row.currency),
        **dict.fromkeys(LATER),
    }


def _read_again(row: Any) -> dict[str, Any]:
    return {
        "partner": {**PARTNER, "subsidiary": PARTNER},
        "customer_language": row.customer_language,
    }


def _policyholder(row: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(UNKNOWN_OF_POLICYHOLDER),
        **POLICYHOLDER,
        "email": row.policyholder_email or POLICYHOLDER["email"],
        "country": row.customer_country,
        "allow_updates": False,
        "fields_allowed_to_update": [],
    }


def _totals(price: Decimal, currency: str) -> dict[str, str | None]:
    tax = _tax_in(price)
    return {
        **_amount("total_tax", tax, currency),
        **_amount("total_premium", price - tax, currency),
    }


def quote(row: Any) -> dict[str, Any]:
    """Return one quote, or the policy it became."""
    answer = _any_quote(row)
    if row.package.booked_at:
        return answer | _policy(row)
    currency = row.package.currency
    return {
        **answer,
        **_amount("discount_price", row.price, currency),
        **_amount("discount_amount", Decimal(0), currency),
        "instalment_plans": [_plan(row.price)],
    }


def _policy(row: Any) -> dict[str, Any]:
    """Return the keys that only the quotes of a booking have."""
    return {
        "next_renewal": None,
        "can_be_cancelled": row.can_be_cancelled,
        "policy_type_version": "1",
        "policy_type_slug": row.policy_type.replace("_", "-"),
        "policy_currency": row.package.currency,
        "cancelled_from": None,
        "custom_documents": [],
        "parent_quote_status": None,
        "third_party_admins": [],
        "ombudsman_list": [],
        "cancellation_info": None,
        "fnol_link": None,
        "cancel_link": None,
    }


def _any_quote(row: Any) -> dict[str, Any]:
    currency, wording = row.package.currency, f"{SITE}/pds/{row.package.package_id}"
    booked_at = row.package.booked_at
    return {
        "id": row.quote_id,
        "policy_start_date": _time(row.policy_start_date),
        "policy_end_date": _time(row.policy_end_date),
        "status": row.status,
        **_amount("price", row.price, currency),
        "policy": {
            "policy_type": row.policy_type,
            "policy_type_group_name": row.policy_type.partition("_")[0],
            "policy_name": row.policy_name,
            "policy_code": "MECG0001",
            "policy_version": str(uuid.UUID(int=1)),
            "category": row.policy_type,
            "content": {
                "title": f"{row.policy_name} for {row.label}",
                "header": None,
                "description": "Get your money back if you cannot go.",
                "optout_msg": "No cover: I carry the cost myself.",
                "disclaimer": f'<p>Please read the <a href="{wording}">policy wording</a>.</p>',
            },
            "underwriter": {
                "name": "Harbour Mutual Insurance Limited",
                "disclaimer": "This plan is arranged by XCover.com",
            },
            "claim_selector_id": "",
        },
        "insured": None,
        "tax": _tax(row.price, currency),
        "duration": _duration(row.policy_start_date, row.policy_end_date),
        "benefits": [
            {
                "description": "What you paid, if you cannot go",
                **_amount("limit", Decimal(120), currency),
                **_amount("limit_policy_currency", Decimal(120), currency),
                "excess_description": "None",
            }
        ],
        "commission": {
            **_amount("partner_commission", Decimal(0), currency),
            **_amount("surcharge_commission", Decimal(0), currency),
            **_amount("total_commission", Decimal(0), currency),
        },
        "created_at": _time(row.package.quoted_at),
        "confirmed_at": _time(booked_at),
        "updated_at": _time(booked_at or row.package.quoted_at),
        "cancelled_at": _time(booked_at) if row.status == Status.CANCELLED else None,
        "is_renewable": row.is_renewable,
        "is_pricebeat_enabled": None,
        **_amount("cover_amount", Decimal(120), currency),
        "pds_url": wording,
        "attachments": [],
        "files": [],
        "extra_fields": {},
        "surcharge": {"total_amount": None, "total_amount_formatted": None, "surcharges": None},
    }


def _tax(price: Decimal, currency: str, **line: str) -> dict[str, Any]:
    tax = _tax_in(price)
    return {
        **_amount("total_tax", tax, currency),
        **_amount("total_amount_without_tax", price - tax, currency),
        "taxes": [{"tax_code": "IPT", **line, **_amount("tax_amount", tax, currency)}],
    }


def _tax_in(price: Decimal) -> Decimal:
    """Return the insurance premium tax that `price` includes."""
    return (price * TAX_RATE / (100 + TAX_RATE)).quantize(price)


def _duration(start: datetime | None, end: datetime | None) -> str | None:
    if start is None or end is None:
        return None
    days, seconds = divmod(end - start, timedelta(days=1))
    return f"{days} {str(seconds).zfill(8)}"


def _plan(price: Decimal) -> dict[str, Any]:
    return {
        "name": PLAN,
        "label": "1Year-Monthly",
        "amount": str(price),
        "first_instalment_amount": str(instalment_amount(price)),
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
        "commission": "0.0",
        "total_amount": str(row.total_amount),
        "tax": _tax(
            row.total_amount,
            row.currency,
            tax_type="PERCENT",
            tax_label="IPT",
            tax_value=f"{TAX_RATE:.20f}",
        ),
        "surcharges": {},
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
        **_times(row.package),
        **_amount("total_price", Decimal(0), row.currency),
        **_totals(Decimal(0), row.currency),
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
        **_times(row.package),
        "partner_transaction_id": row.package.order_reference,
        **_amount("total_price", row.price_after, row.currency),
        **_totals(row.price_after, row.currency),
        "update_id": row.update_id,
        **_amount("total_price_diff", row.price_diff, row.currency),
        "price_diffs": _price_diffs(row),
        **dict.fromkeys(LATER),
    }


def _price_diffs(row: Any) -> dict[str, str]:
    """Return the difference by policy: all of it comes from the first one."""
    policies = row.package.quotes.order_by("position") if row.package.pk else ()
    differences = [row.price_diff, *(Decimal(0) for _ in policies[1:])]
    return {p.quote_id: str(diff) for p, diff in zip(policies, differences, strict=False)}


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
                "policy": policy.payload.get("policy", {}),
                "benefits": policy.payload.get("benefits", []),
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
