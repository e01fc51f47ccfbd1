"""The price of cover after the sale: asked for without a package, and stored for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Min
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.adapters import get_adapter
from django_xcover.client import exact_json
from django_xcover.client.schemas.packages import FastQuoteAnswer
from django_xcover.clients import circuit_breaker
from django_xcover.conf import get_config
from django_xcover.mirror import request_bodies
from django_xcover.models import (
    AfterSaleOffer,
    Hold,
    OfferOutcome,
    QuotePackage,
)
from django_xcover.offers import after_sale, carts, fast_quote, quoting, shop_values
from django_xcover.offers.after_sale import LateOffer
from django_xcover.offers.carts import CartToInsure
from django_xcover.types import QuoteRequest


@dataclass(frozen=True, slots=True)
class LateLook:
    """What is known of an offer after the sale.

    `is_waiting` means that XCover hasn't been asked yet: call `look`. `is_limited` means that this
    visitor has reached the limit on new prices.
    """

    late: LateOffer | None = None
    is_waiting: bool = False
    is_limited: bool = False


NOTHING = LateLook()
WAITING = LateLook(is_waiting=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sale:
    """A completed order: when, by which account, and what was quoted for it at the checkout."""

    completed_at: datetime
    account: str
    quoted: QuoteRequest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToInsure:
    cart: CartToInsure
    completed_at: datetime


def look_on_page(request: HttpRequest, order: Any) -> LateLook:
    """Return what is known at once for the page of `order`, without a call to XCover.

    No query if `XCOVER["AFTER_SALE_DAYS"]` is 0, three for an offer that is stored, and one after a
    no or a payment.
    """
    known, to_insure = _read(request, order)
    if to_insure is None:
        return known
    return NOTHING if _known_reason(to_insure.cart) else WAITING


def look(request: HttpRequest, order: Any) -> LateLook:
    """Return the offer for `order`; ask XCover if it isn't stored, or its price has expired.

    Takes at most `XCOVER["OFFER_DEADLINE"]`. XCover's failures are logged, counted and never
    raised. Call it outside of a transaction.
    """
    known, to_insure = _read(request, order)
    if to_insure is None:
        return known
    cart = to_insure.cart
    if reason := _known_reason(cart):
        after_sale.count(cart.account, reason)
        return NOTHING
    if not carts.may_quote(cart):
        after_sale.count(cart.account, OfferOutcome.VISITOR_LIMIT)
        return LateLook(is_limited=True)
    carts.count_quote(cart)
    answer, outcome = fast_quote.ask(cart.account, cart.request)
    if answer is not None and not list(fast_quote.rows_of(answer, cart.request)):
        outcome = OfferOutcome.NOTHING_TO_SELL
    if outcome in quoting.LASTING:
        carts.remember_no_offer(cart, outcome)
    after_sale.count(cart.account, outcome)
    if answer is None or outcome != OfferOutcome.OFFERED:
        return NOTHING
    row = _keep(to_insure, answer)
    return NOTHING if row.is_over else LateLook(after_sale.show(row))


def _known_reason(cart: CartToInsure) -> OfferOutcome | None:
    if reason := carts.remembered_no_offer(cart):
        return reason
    return OfferOutcome.CIRCUIT_OPEN if circuit_breaker.is_open(cart.account) else None


def _read(request: HttpRequest, order: Any) -> tuple[LateLook, _ToInsure | None]:
    """Return what is known of the offer and, if its price has to be asked for, what to insure."""
    found: tuple[LateLook, _ToInsure | None] = NOTHING, None
    if get_config().after_sale_days:
        with carts.log_errors("The order could not be read for an offer after the sale"):
            found = _find(request, order)
    return found


def _find(request: HttpRequest, order: Any) -> tuple[LateLook, _ToInsure | None]:
    reference = shop_values.order_reference(order)
    row = after_sale.of_order(reference)
    if (row is not None and row.is_over) or _is_unpaid(order):
        return NOTHING, None
    if row is not None and after_sale.is_fresh(row) and _is_open(row):
        return LateLook(after_sale.show(row)), None
    return NOTHING, _to_insure(request, order, reference)


def _is_open(row: AfterSaleOffer) -> bool:
    lines = row.lines or [quote.line_reference for quote in after_sale.quotes_of(row)]
    return after_sale.is_open(row, lines)


def _is_unpaid(order: Any) -> bool:
    """Return whether the shop says that the order itself isn't paid: that comes first."""
    paid = get_adapter().is_paid(order)
    return paid is not None and not paid


def _to_insure(request: HttpRequest, order: Any, reference: str) -> _ToInsure | None:
    sale = _sale(reference)
    if sale is None or timezone.now() >= after_sale.ends_at(sale.completed_at):
        return None
    cancelled = after_sale.cancelled_lines(reference)
    wanted = get_adapter().get_order_quote_request(order, sale.quoted)
    if cancelled is None or wanted is None:
        return None
    left = after_sale.not_begun(wanted, sale.completed_at)
    items = tuple(item for item in left.items if item.reference not in cancelled)
    if not items:
        return None
    cart = CartToInsure(
        account=sale.account,
        cart_reference=reference,
        shopper_reference="",
        request=replace(left, items=items),
        # Counted apart: a look at an order must not cost the offer at the next checkout.
        visitor=f"after sale {get_adapter().get_visitor(request)}",
    )
    # Fails here, and not on the page, for fields that can't be encoded as JSON.
    return _ToInsure(cart=cart, completed_at=sale.completed_at) if cart.fingerprint else None


def _sale(reference: str) -> _Sale | None:
    """Return the completed order with this reference, None if it isn't completed here.

    Nor is one that was charged for cover and did not get it: a person settles that.
    """
    holds = list(Hold.objects.filter(order_reference=reference).exclude(taken_at=None))
    packages = QuotePackage.objects.for_order(reference).order_by("pk")
    known = packages.annotate(settled_at=Min("operations__created_at"))
    rows = list(known.values_list("settled_at", "account", "quoted_request"))
    moments = [*(hold.taken_at for hold in holds), *(row[0] for row in rows)]
    completed_at = min(filter(None, moments), default=None)
    if completed_at is None or any(hold.reported_at for hold in holds):
        return None
    return _Sale(
        completed_at=completed_at,
        account=rows[-1][1] if rows else holds[-1].account,
        quoted=request_bodies.load_request(rows[-1][2]) if rows else None,
    )


def _keep(to_insure: _ToInsure, answer: FastQuoteAnswer) -> AfterSaleOffer:
    """Store the answer and return the row, unless another tab has just stored or answered one."""
    cart = to_insure.cart
    facts: dict[str, Any] = {
        "account": cart.account,
        "completed_at": to_insure.completed_at,
        "fingerprint": cart.fingerprint,
        "request": request_bodies.dump_request(cart.request),
        "answer": exact_json.encode(answer.raw).decode(),
        "currency": answer.currency,
        "quoted_at": timezone.now(),
    }
    reference = cart.cart_reference
    if after_sale.of_order(reference) is None:
        try:
            with transaction.atomic():
                return AfterSaleOffer.objects.create(order_reference=reference, **facts)
        except IntegrityError:
            pass  # another tab was first
    with transaction.atomic():
        row = after_sale.lock(reference)
        if row is None:  # erased meanwhile
            return AfterSaleOffer.objects.create(order_reference=reference, **facts)
        if not row.is_over and not _is_same(row, cart):
            _replace(row, facts)
        return row


def _is_same(row: AfterSaleOffer, cart: CartToInsure) -> bool:
    return after_sale.is_fresh(row) and row.fingerprint == cart.fingerprint


def _replace(row: AfterSaleOffer, facts: dict[str, Any]) -> None:
    """Replace the offer. An answer to the earlier one no longer counts, nor does its price."""
    for name, value in facts.items():
        setattr(row, name, value)
    row.choice, row.lines, row.premium, row.answered_at = "", [], None, None
    row.revision += 1
    row.save()
