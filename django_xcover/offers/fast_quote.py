"""Price cover for a page that must not wait for XCover."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from django_xcover import exceptions, safe_logging
from django_xcover.client import Throttled, XCoverError, exact_json
from django_xcover.client.schemas.packages import (
    FastQuoteAnswer,
    QuoteAnswer,
    fast_quote_from_wire,
)
from django_xcover.clients import cache, circuit_breaker, factory, rate_limits
from django_xcover.conf import DEFAULT_ACCOUNT, get_config
from django_xcover.mirror import agreement, request_bodies
from django_xcover.mirror.presentation import OfferedQuote, present
from django_xcover.models import (
    OfferOutcome,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.offers import counts
from django_xcover.outbox import operations
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money, PolicyRequest, QuoteRequest

logger = safe_logging.get_logger("django_xcover.offers")

# Seconds. Prices are renewed soon enough, and if XCover is down, not every page waits for it.
LIFETIME = 300
LIFETIME_OF_NOTHING = 30
NOTHING = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastOffer:
    """The price and wording of each item that XCover insures in a request.

    `prices` maps the items' references to the same prices; pass it to `book` as `agreed`.
    `fast_quote_id` is used by `opt_out`, "" if XCover sent none.
    """

    fast_quote_id: str
    currency: str
    quotes: tuple[OfferedQuote, ...]
    prices: Mapping[str, Money]

    @property
    def premium(self) -> Money:
        """Return the sum of the prices."""
        amounts = (money.amount for money in self.prices.values())
        return Money(sum(amounts, Decimal(0)), self.currency)


@clears_frames
def price(request: QuoteRequest, *, account: str = DEFAULT_ACCOUNT) -> FastOffer | None:
    """Return what `request` costs, or None if XCover gives no price within the offer's deadline.

    The caller waits for XCover, for at most `XCOVER["OFFER_DEADLINE"]`.

    Neither side stores anything. The answer is cached for five minutes, keyed by all quoted data; a
    missing answer for half a minute. XCover's failures are logged and never raised. Raises
    ImproperlyConfigured for an unknown account.
    """
    return offer_of(_answer(account, request, get_config().offer_call_deadline), request)


def fetch(request: QuoteRequest, *, account: str) -> None:
    """Cache the price of `request`, or that there is none. For a thread that no shopper waits for.

    A late answer is cached as well, up to `Config.late_answer_deadline`.
    """
    try:
        _answer(account, request, get_config().late_answer_deadline)
    except Exception:
        _remember_nothing(_key(account, request))  # otherwise each look would start over
        raise


def cached_price(
    request: QuoteRequest, *, account: str = DEFAULT_ACCOUNT
) -> tuple[bool, FastOffer | None]:
    """Return whether an answer to `price` is cached, and that answer. Doesn't call XCover."""
    kept = _kept(_key(account, request))
    if not kept:
        return kept is not None, None
    return True, offer_of(fast_quote_from_wire(exact_json.decode(kept)), request)


def claim(request: QuoteRequest, *, account: str = DEFAULT_ACCOUNT) -> bool:
    """Return True for one caller, and False for all others while that one may ask XCover.

    When the price of a popular product expires, one call is enough, and the rest of the rate is
    left to the checkout. Without a cache everyone may ask.
    """
    name = _claim_key(account, request)
    seconds = math.ceil(get_config().late_answer_deadline)
    return cache.attempt(lambda backend: backend.add(name, True, seconds), True)


def release(request: QuoteRequest, *, account: str = DEFAULT_ACCOUNT) -> None:
    """Let another caller `claim` the price: this one has stopped asking."""
    name = _claim_key(account, request)
    cache.attempt(lambda backend: backend.delete(name), False)


def _claim_key(account: str, request: QuoteRequest) -> str:
    return f"{_key(account, request)}:asked"


def offer_of(answer: FastQuoteAnswer | None, request: QuoteRequest) -> FastOffer | None:
    """Return what `answer` offers for `request`, None if there is no price in it."""
    rows = [] if answer is None else list(rows_of(answer, request))
    if answer is None or not rows:
        return None
    return FastOffer(
        fast_quote_id=answer.fast_quote_id,
        currency=answer.currency,
        quotes=tuple(present(quote) for quote in rows),
        prices={quote.line_reference: quote.cost for quote in rows},
    )


def remembered(request: QuoteRequest, account: str) -> dict[str, Quote]:
    """Return the unsaved quotes of a cached price, by item reference; {} if it isn't cached."""
    kept = _kept(_key(account, request))
    if not kept:
        return {}
    rows = rows_of(fast_quote_from_wire(exact_json.decode(kept)), request)
    return {quote.line_reference: quote for quote in rows}


def rows_of(answer: FastQuoteAnswer, request: QuoteRequest) -> Iterator[Quote]:
    """Yield an unsaved quote for each item that XCover insures, in the order of `request`."""
    package = QuotePackage(currency=answer.currency)
    read = {quote.key: quote for quote in answer.quotes}
    for place, item in enumerate(request.items):
        answered = read.get(str(place))
        if answered is not None and answered.policy_type in {"", item.policy_type}:
            yield _row(package, answered, item)
        elif answered is not None:
            logger.error("No price: policy_type is not the one asked for, at place %s.", place)


def _row(package: QuotePackage, read: QuoteAnswer, item: PolicyRequest) -> Quote:
    return Quote(
        package=package,
        quote_id=read.quote_id,
        line_reference=item.reference,
        label=item.label,
        policy_type=read.policy_type or item.policy_type,
        policy_name=read.policy_name,
        price=read.price,
        policy_start_date=read.policy_start_date,
        policy_end_date=read.policy_end_date,
        payload=dict(read.raw),
    )


def _answer(account: str, request: QuoteRequest, seconds: float) -> FastQuoteAnswer | None:
    key = _key(account, request)
    kept = _kept(key)
    if kept is not None:
        return fast_quote_from_wire(exact_json.decode(kept)) if kept else None
    answer, outcome = ask(account, request, seconds)
    if outcome == OfferOutcome.CIRCUIT_OPEN:
        return None  # nothing to cache: no request was sent
    if answer is None:
        _remember_nothing(key)
        return None
    # As JSON, because another version of this code couldn't read a pickle.
    fresh = exact_json.encode(answer.raw)
    cache.attempt(lambda backend: backend.set(key, fresh, LIFETIME), None)
    return answer


def _remember_nothing(key: str) -> None:
    # Not `set`: another call may have stored a price meanwhile.
    cache.attempt(lambda backend: backend.add(key, NOTHING, LIFETIME_OF_NOTHING), False)


def _kept(key: str) -> bytes | None:
    kept: bytes | None = cache.attempt(lambda backend: backend.get(key), None)
    return kept


def ask(
    account: str, request: QuoteRequest, seconds: float | None = None
) -> tuple[FastQuoteAnswer | None, OfferOutcome]:
    """Return XCover's prices, or None, and the outcome to count.

    `seconds` is how long the call may take, by default the offer's deadline. Nothing is cached.
    XCover's failures are logged and never raised.
    """
    client = factory.client_for(account)
    body = request_bodies.quote_payload(request, now=timezone.now())
    deadline = get_config().offer_deadline
    seconds = get_config().offer_call_deadline if seconds is None else seconds
    # A longer deadline must not keep the breaker from counting a late answer as a fault.
    patience = deadline if seconds > deadline else None
    try:
        with circuit_breaker.guard(account, patience=patience), rate_limits.at_once():
            wire = client.fast_quote(body, deadline=seconds)
            answer = fast_quote_from_wire(wire)
    except exceptions.CircuitOpen:
        return None, OfferOutcome.CIRCUIT_OPEN
    except XCoverError as error:
        # `rate_limits` logs that XCover throttles.
        level = logging.INFO if isinstance(error, Throttled) else logging.WARNING
        logger.log(level, "No price: %s", error)
        return None, counts.outcome_of(error)
    if agreement.are_sellable(answer, request.currency):
        return answer, OfferOutcome.OFFERED
    return None, OfferOutcome.NOTHING_TO_SELL


def _key(account: str, request: QuoteRequest) -> str:
    # An answer numbers the items by position, and the fingerprint ignores their order.
    parts = [
        request_bodies.fingerprint(account, request),
        *(item.reference for item in request.items),
    ]
    return f"xcover:price:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


@clears_frames
def opt_out(
    offer: FastOffer, request: QuoteRequest, *, account: str = DEFAULT_ACCOUNT
) -> Operation | None:
    """Enqueue the opt-out from `offer`, made for `request`; return None if the offer has no id.

    Call it in the transaction that creates an order without the cover. XCover accepts the
    fast-quote id in place of a package id (Quotes API: insurance opt-out), so a package is stored
    under that id. A cached price is one offer, however many shoppers saw it, and is declined once.
    """
    if not offer.fast_quote_id:
        return None
    with transaction.atomic():
        package, _ = QuotePackage.objects.get_or_create(
            account=account,
            package_id=offer.fast_quote_id,
            defaults={
                "status": Status.RECEIVED,
                "currency": offer.currency,
                "total_price": offer.premium.amount,
                "customer_country": request.customer_country,
                "customer_language": request.customer_language,
                "quoted_at": timezone.now(),
            },
        )
        return operations.enqueue(package, OperationKind.OPT_OUT)
