"""Build XCover's request bodies from the shop's requests, and match its quotes to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from django_xcover import safe_logging
from django_xcover.client import exact_json
from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer
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


def dump_request(request: QuoteRequest) -> str:
    """Return `request` as exact JSON text, which `load_request` reads."""
    return exact_json.encode(_values(request, items=[_values(i) for i in request.items])).decode()


def load_request(text: str) -> QuoteRequest | None:
    """Return the request that `dump_request` wrote as `text`, None for "".

    Datetimes inside of `fields` stay texts, which is how they are sent.
    """
    if not text:
        return None
    stored = exact_json.decode(text.encode())
    items = tuple(
        PolicyRequest(**{**item, "policy_start_date": _moment(item["policy_start_date"])})
        for item in stored["items"]
    )
    return QuoteRequest(**{**stored, "items": items})


def _values(request: QuoteRequest | PolicyRequest, **others: Any) -> dict[str, Any]:
    return {field.name: getattr(request, field.name) for field in fields(request)} | others


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


logger = safe_logging.get_logger("django_xcover.mirror")

Lines = Mapping[str, PolicyRequest]


def lines_of(answer: PackageAnswer, items: Sequence[PolicyRequest]) -> dict[str, PolicyRequest]:
    """Return which quote insures which of `items`, right after *creating* a package.

    Only then do the keys follow the order of the request (recorded contract, 4.1). If they don't,
    or one is too high although an item has no quote, the quotes are matched by policy type,
    provided each type was requested once. Raises UnexpectedAnswer if they can't be matched.
    """
    if answer.has_list:
        logger.warning("Package %s came with its quotes as a list.", answer.package_id)
    places = answer.places
    placed = [q for q in answer.quotes if places.get(q.quote_id, len(items)) < len(items)]
    lines = {quote.quote_id: items[places[quote.quote_id]] for quote in placed}
    is_shifted = len(placed) < min(len(answer.quotes), len(items))
    if not is_shifted and all(_fits(quote, lines[quote.quote_id]) for quote in placed):
        if len(placed) < len(answer.quotes):
            logger.warning("Package %s has quotes that were not requested.", answer.package_id)
        return lines
    logger.warning("The quotes of package %s are not in the order asked for.", answer.package_id)
    return _by_type(answer.quotes, items)


def line_of_added(
    answer: PackageAnswer, known: Collection[str], item: PolicyRequest
) -> dict[str, PolicyRequest]:
    """Return the new quote that insures `item`, right after adding it; none if it was not quoted.

    `known` are the ids of the other quotes. Raises UnexpectedAnswer if the match is ambiguous.
    """
    fresh = [quote for quote in answer.quotes if quote.quote_id not in known]
    if len(fresh) > 1:
        raise UnexpectedAnswer.at("quotes", "has more than was added")
    lines = {quote.quote_id: item for quote in fresh}
    require_types(answer, lines)
    return lines


def require_types(answer: PackageAnswer, lines: Lines) -> None:
    """Raise UnexpectedAnswer if a quote has a different policy type from the one requested."""
    for quote in answer.quotes:
        if quote.quote_id in lines and not _fits(quote, lines[quote.quote_id]):
            raise UnexpectedAnswer.at("quotes.policy.policy_type", "is not what was asked for")


def _fits(quote: QuoteAnswer, item: PolicyRequest) -> bool:
    return quote.policy_type in {"", item.policy_type}


def _by_type(
    quotes: Sequence[QuoteAnswer], items: Sequence[PolicyRequest]
) -> dict[str, PolicyRequest]:
    by_type = {item.policy_type: item for item in items}
    found = {quote.policy_type for quote in quotes}
    if len(by_type) < len(items) or len(found) < len(quotes) or not found <= by_type.keys():
        raise UnexpectedAnswer.at("quotes", "cannot be matched to what was asked for")
    return {quote.quote_id: by_type[quote.policy_type] for quote in quotes}
