"""Build XCover's request bodies from the shop's requests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest


def quote_payload(request: QuoteRequest, *, now: datetime) -> dict[str, Any]:
    """Return the body of `POST quotes/` (Quotes API: top-level body).

    XCover rejects unknown top-level keys, so only the ones that are set are sent.
    """
    optional = {
        "customer_region": request.customer_region,
        "customer_postcode": request.customer_postcode,
    }
    return {
        "request": [item_payload(item, now=now) for item in request.items],
        "currency": request.currency,
        "customer_country": request.customer_country,
        "customer_language": request.customer_language,
        **{key: value for key, value in optional.items() if value},
    }


def item_payload(item: PolicyRequest, *, now: datetime) -> dict[str, Any]:
    """Return one element of `request`; cover without a start begins `now`."""
    return {
        "policy_type": item.policy_type,
        "policy_type_version": item.policy_type_version,
        "policy_start_date": item.policy_start_date or now,
        **item.fields,
    }


def policyholder_payload(policyholder: Policyholder) -> dict[str, Any]:
    """Return `policyholder` of a booking, without the keys that have no value."""
    return {key: value for key, value in asdict(policyholder).items() if value not in {"", None}}


def comparable(item: PolicyRequest) -> dict[str, Any]:
    """Return what identifies `item` to the vendor, as plain JSON values.

    A start date that the shop leaves open is excluded, because it would differ on every call.
    """
    values = {
        "policy_type": item.policy_type,
        "policy_type_version": item.policy_type_version,
        "policy_start_date": item.policy_start_date,
        **item.fields,
    }
    plain: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return plain


def fingerprint(account: str, request: QuoteRequest) -> str:
    """Return a hash that changes when anything that was quoted changes."""
    facts = [
        account,
        request.currency,
        request.customer_country,
        request.customer_language,
        request.customer_region,
        request.customer_postcode,
        sorted((item.reference, item.label, _dump(comparable(item))) for item in request.items),
    ]
    return hashlib.sha256(_dump(facts).encode()).hexdigest()


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
