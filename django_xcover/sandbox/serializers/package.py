"""A package and its quotes, as `quotes/` returns them before and after booking (annex A.1, A.2)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes, ids, money, transitions
from django_xcover.sandbox.packages import Package, Priced, Quote
from django_xcover.sandbox.products import PRODUCTS
from django_xcover.sandbox.tariff import plans, policy_rules


def wording(site: str, package: Package) -> str:
    """Return the URL of the policy wording."""
    return f"{site}/{package.language[:2]}/pds/{package.id}"


def quote_wording(site: str, package: Package, quote: Quote) -> str:
    """Return the URL of one quote's policy wording."""
    slug = f"{quote.policy_type}_v{quote.policy_type_version}"
    return f"{wording(site, package)}?policy_type={slug}"


def certificate(site: str, package: Package) -> dict[str, str]:
    """Return the `coi` object: the certificate as a page and as a PDF."""
    base = f"{site}/{package.language[:2]}/coi/{package.id}"
    token = f"security_token={package.security_token}"
    return {"url": f"{base}?{token}", "pdf": f"{base}.pdf?{token}"}


def account(site: str, package: Package) -> str:
    """Return the URL of the customer's account."""
    email = (package.policyholder or {}).get("email", "")
    query = f"id={ids.account_id(email)}&signup_token={package.signup_token}"
    return f"{site}/{package.language[:2]}/account?{query}"


UNDERWRITER = {
    "disclaimer": "This plan is arranged by XCover.com",
    "name": "Harbour Mutual Insurance Limited",
}
# The commission of a retail partner in 2026, of the net premium. The partner of 2021 had none.
PARTNER_COMMISSION = Decimal("0.30")


def common(site: str, package: Package, quote: Quote, priced: Priced) -> dict[str, Any]:
    """Return the keys that packages and bookings share."""
    currency = package.currency
    texts = PRODUCTS[quote.policy_type].in_language(package.language).benefits
    return {
        "id": quote.id,
        "policy_start_date": datetimes.offset(priced.policy_start),
        "policy_end_date": datetimes.offset(priced.policy_end) if priced.policy_end else None,
        "status": quote.status,
        **money.pair("price", quote.price, currency),
        "policy": policy(site, package, quote),
        "insured": quote.insured,
        "tax": _tax(priced, currency),
        "duration": datetimes.duration(priced.policy_start, priced.policy_end),
        "benefits": [_benefit(row, texts, package.currency, priced) for row in priced.benefits],
        "commission": _commission(priced, currency),
        "created_at": datetimes.stamp(quote.created_at),
        "confirmed_at": datetimes.stamp(quote.confirmed_at),
        "updated_at": datetimes.stamp(quote.updated_at),
        "cancelled_at": datetimes.stamp(quote.cancelled_at),
        "is_renewable": policy_rules.is_renewable(quote),
        "is_pricebeat_enabled": None,
        **money.pair("cover_amount", priced.cover_amount, currency),
        "pds_url": quote_wording(site, package, quote),
        "attachments": [],
        "files": [],
        "extra_fields": {},
        "surcharge": {"total_amount": None, "total_amount_formatted": None, "surcharges": None},
    }


def in_package(site: str, package: Package, quote: Quote) -> dict[str, Any] | None:
    """Return the quote as `quotes/` shows it, or None if it could not be quoted."""
    if quote.priced is None or quote.failure:
        return None
    return {
        **common(site, package, quote, quote.priced),
        **money.pair("discount_price", quote.price, package.currency),
        **money.pair("discount_amount", Decimal(0), package.currency),
        "instalment_plans": plans.offered(quote, package.currency),
    }


def in_booking(site: str, package: Package, quote: Quote, now: datetime) -> dict[str, Any] | None:
    """Return the quote as `bookings/` shows it, or None if its booking failed."""
    if quote.priced is None or quote.failure:
        return None
    # Inferred: it is a date; only null was recorded.
    begins = policy_rules.next_renewal(quote)
    return {
        **common(site, package, quote, quote.priced),
        "next_renewal": datetimes.offset(begins) if begins else None,
        "can_be_cancelled": policy_rules.can_be_cancelled(quote, now),
        **_of_2026(quote, quote.priced),
    }


def _of_2026(quote: Quote, priced: Priced) -> dict[str, Any]:
    """Return the keys that bookings of 2026 have. Inferred: that they stand with the policy, and
    the values where only the names were seen."""
    return {
        "policy_type_version": str(quote.policy_type_version),
        "policy_type_slug": quote.policy_type.replace("_", "-"),
        "policy_currency": priced.policy_currency,
        "cancelled_from": None,
        "custom_documents": [],
        "parent_quote_status": None,
        "third_party_admins": [],
        "ombudsman_list": [],
        "cancellation_info": None,
        "fnol_link": None,
        "cancel_link": None,
    }


def policy(site: str, package: Package, quote: Quote, *, named: bool = True) -> dict[str, Any]:
    """Return the `policy` object. In cancellations the title lacks the name (recorded)."""
    product = PRODUCTS[quote.policy_type]
    texts = product.in_language(package.language)
    name = quote.fields.get(product.name_field, "") if named else ""
    wording = quote_wording(site, package, quote)
    return {
        "policy_type": quote.policy_type,
        "policy_type_group_name": product.group_name,
        "policy_name": product.name,
        "policy_code": product.code,
        "policy_version": product.version_id,
        "category": quote.policy_type,
        "content": {
            "title": texts.title.format(name=name),
            "header": None,
            "description": texts.description,
            "optout_msg": texts.optout_msg,
            "disclaimer": texts.disclaimer.format(pds_url=wording),
        },
        "underwriter": UNDERWRITER,
        "claim_selector_id": "",
    }


def _tax(priced: Priced, currency: str) -> dict[str, Any]:
    lines = [
        {"tax_code": line["code"], **money.pair("tax_amount", line["amount"], currency)}
        for line in priced.taxes
    ]
    return {
        **money.pair("total_tax", priced.total_tax, currency),
        **money.pair("total_amount_without_tax", priced.net, currency),
        "taxes": lines,
    }


def _benefit(row: dict[str, Any], texts: Any, currency: str, priced: Priced) -> dict[str, Any]:
    """Return one benefit. A group without a value is left out and not null (recorded)."""
    shown: dict[str, Any] = {"description": texts[row["text"]]}
    for name in ("limit", "excess"):
        if name in row:
            policy_name = f"{name}_policy_currency"
            shown |= money.pair(name, row[name], currency)
            shown |= money.pair(policy_name, row[policy_name], priced.policy_currency)
        elif f"{name}_text" in row:
            shown[f"{name}_description"] = texts[row[f"{name}_text"]]
    return shown


def partner_commission(priced: Priced, currency: str) -> Decimal:
    """Return the partner's commission for one policy."""
    return money.rounded(priced.net * PARTNER_COMMISSION, currency)


def _commission(priced: Priced, currency: str) -> dict[str, Any]:
    earned = partner_commission(priced, currency)
    return {
        **money.pair("partner_commission", earned, currency),
        **money.pair("surcharge_commission", Decimal(0), currency),
        **money.pair("total_commission", earned, currency),
    }


def total(quotes: list[Quote]) -> Decimal:
    """Return the total of the quotes in force, which is zero after a cancellation (recorded)."""
    counted = (q for q in quotes if q.status not in transitions.OVER | {transitions.FAILED})
    return sum((quote.price for quote in counted), Decimal(0))


def head(site: str, package: Package, price: Decimal) -> dict[str, Any]:
    """Return the top-level keys that packages and bookings share."""
    return {
        "id": package.id,
        "status": package.status,
        "currency": package.currency,
        **money.pair("total_price", price, package.currency),
        "partner_transaction_id": package.partner_transaction_id,
        "created_at": datetimes.stamp(package.created_at),
        "updated_at": datetimes.stamp(package.updated_at),
        "pds_url": wording(site, package),
        "security_token": package.security_token,
    }


def shape(site: str, package: Package) -> dict[str, Any]:
    """Return the package. The keys of `quotes` are positions, not ids."""
    price = total(package.quotes)
    return {
        **head(site, package, price),
        "quotes": {str(q.position): in_package(site, package, q) for q in package.in_order},
        "bundle_code": None,
        **money.pair("bundle_price", price, package.currency),
        "bundle_content": {},
        "bundle_discount_percent": money.number(Decimal(0)),
        **money.pair("bundle_discount_amount", Decimal(0), package.currency),
        "errors": failures(package),
    }


def failures(package: Package) -> dict[str, Any]:
    """Return the items that could not be quoted. Inferred: by position, with 2026's messages."""
    return {
        str(quote.position): {"message": quote.failure, "type": "quote_creation_failure"}
        for quote in package.in_order
        if quote.failure
    }
