"""PUBLIC: the cover chosen for a cart, and what became of it for an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from django_xcover import safe_logging
from django_xcover.booking.instant_booking import FastOffer
from django_xcover.booking.instant_booking import book as book_instantly
from django_xcover.booking.instant_booking import opt_out as decline_instantly
from django_xcover.booking.instant_booking import price as price_instantly
from django_xcover.formats import format_amount
from django_xcover.mirror import decisions
from django_xcover.mirror.instalment_plans import chosen_plan, label_of
from django_xcover.mirror.lapses import lapse_of
from django_xcover.models import Choice, Quote, QuotePackage, Status
from django_xcover.offers import cart_packages, holds, quoting, shop_values
from django_xcover.offers.carts import CartToInsure, read_cart, reference_of
from django_xcover.offers.shown_totals import require_shown
from django_xcover.orders import take_over
from django_xcover.overview.policies import PolicyState, policy_rows, summarise
from django_xcover.policies import documents
from django_xcover.types import Money
from django_xcover.values import UnusableValue

__all__ = [
    "Cover",
    "CoverLine",
    "FastOffer",
    "OrderCover",
    "PolicyState",
    "PolicyView",
    "book_instantly",
    "current_cover",
    "decline_instantly",
    "freeze_cover",
    "hold_cover",
    "order_cover",
    "price_instantly",
    "release_cover",
    "require_shown",
]

logger = safe_logging.get_logger("django_xcover.cover")

# What a policy's state means for an order all of whose policies are in one; the others are booked.
STATES: Mapping[PolicyState, str] = {
    PolicyState.ARRANGING: "arranging",
    PolicyState.AWAITING_PAYMENT: "awaiting_payment",
    PolicyState.NEEDS_PERSON: "needs_person",
    PolicyState.FAILED: "failed",
    PolicyState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverLine:
    """One accepted quote, for the order summary.

    `price` is what is charged with the order: all of it, or with an instalment plan its first
    instalment. `plan` then says how it is paid ("" for all at once), `parts` and `total` in how
    many such instalments and what they come to (None where nobody could say). `whole` is XCover's
    price of the cover; instalments are rounded up, so that they come to a little more.
    """

    label: str
    name: str
    price: Money
    price_formatted: str
    plan: str
    whole: Money
    parts: int | None = None
    total: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The cover chosen for a cart.

    `premium` is what the shop charges with the order: the prices of what is paid at once, and the
    first instalments of what is paid in parts. It is None without cover. The later instalments are
    charged by XCover's schedule, which exists once the cover is booked
    (`django_xcover.policies.instalments`); XCover takes the first as paid with the booking. With
    dual payment (`django_xcover.booking.dual_payment`) XCover charges the premium itself: show
    it, and leave it out of what the shop charges.

    `is_answered` is False while an offer waits for an answer.
    `lapsed` tells that a yes was un-made because the cart no longer is what was offered on.
    `hold` is the reference of what was frozen, and `held_until` (aware UTC) is when it expires.
    """

    lines: tuple[CoverLine, ...] = ()
    premium: Money | None = None
    is_answered: bool = True
    lapsed: bool = False
    hold: str = ""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """One policy of an order, for the shopper.

    `status` is XCover's word, `state` what a shopper is told, as in My cover. `agreed_formatted`
    is the price that was agreed on where XCover has another one now, else "". `is_looked_into`
    says that a person looks at the booking. `documents` are kinds for `xcover:document`: papers to
    read and pages at XCover, some of `django_xcover.policies.documents.KINDS`. `plan` says how
    it is paid in parts, "" for all at once.
    """

    quote_id: str
    label: str
    name: str
    status: str
    state: PolicyState
    price_formatted: str
    agreed_formatted: str
    is_looked_into: bool
    starts: datetime | None
    ends: datetime | None
    documents: tuple[str, ...]
    plan: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCover:
    """What became of an order's cover.

    `state` is true for each policy. It is one of none, declined, arranging, awaiting_payment,
    booked, cancelled, needs_person, failed (XCover could not book, or with dual payment not charge
    the card: there is no cover); and where the policies differ partly_cancelled (the rest is
    booked) or partly_booked (one at least is not booked; each tells its own `state`).
    """

    state: str
    policies: tuple[PolicyView, ...] = ()


def current_cover(request: HttpRequest, cart: Any = None) -> Cover:
    """Return the cover chosen for the cart, for the totals on a page. One query.

    By the same rule as `freeze_cover`, so that no page shows less than is charged: an offer that
    merely grew old still holds.
    """
    to_insure = read_cart(request, cart)
    quotes = quoting.quotes_on_page(request, to_insure) if to_insure else []
    if to_insure is None or not quotes or not quoting.matches(quotes[0].package, to_insure):
        return Cover(lapsed=any(_counted(quote) for quote in quotes))
    return _cover(quotes)


def freeze_cover(request: HttpRequest, cart: Any = None) -> Cover:
    """Lock the shopper's choice and return the cover to charge.

    Call it inside the transaction that makes the order, right before the total is computed, and
    send `order_completed` in the same transaction. A yes to an offer that no longer fits the cart
    lapses and is not charged; `lapsed` says so. An offer that merely grew old still holds. A shop
    that charges before it makes the order calls `hold_cover` instead.
    """
    to_insure = read_cart(request, cart)
    named = _name(request, cart, to_insure)
    if named is None:
        return Cover()
    with transaction.atomic():
        return _freeze(named, to_insure)


def hold_cover(
    request: HttpRequest, cart: Any = None, *, lifetime: timedelta | None = None
) -> Cover:
    """Fix the shopper's choice until the order is there, and return the cover to charge.

    For shops that charge first: it commits by itself, so call it outside any transaction (it
    raises RuntimeError inside one), charge the premium, then send `order_completed` with `hold`.
    Meanwhile the choice cannot change, for `lifetime` at most, by default
    `XCOVER["HOLD_LIFETIME"]`. When the payment fails call `release_cover`.
    """
    to_insure = read_cart(request, cart)
    named = _name(request, cart, to_insure)
    if named is None:
        return Cover()
    with transaction.atomic(durable=True):
        return _freeze(named, to_insure, lifetime)


def release_cover(hold: str) -> bool:
    """Give up a hold whose premium will not be charged, so that the shopper can choose again.

    Returns False when an order has taken it over, or when it is not known.
    """
    return holds.release(hold)


def order_cover(order: Any) -> OrderCover:
    """Return the state and the policies of the shop's `order`, for its page.

    The state is "none" for an order without a usable number; the log says what is wrong with it.
    """
    try:
        reference = shop_values.order_reference(order)
    except UnusableValue as unusable:
        logger.error("The page of an order shows no cover: %s", unusable)  # noqa: TRY400
        return OrderCover(state="none")
    package = QuotePackage.objects.for_order(reference).order_by("-pk").first()
    if package is None:
        return OrderCover(state="none")
    rows = policy_rows().filter(package=package, choice=Choice.ACCEPTED).order_by("position")
    # Each row would bring the booking's answer along once more.
    views = tuple(_policy(quote, package) for quote in rows.defer("package__payload"))
    return OrderCover(state=_state(package, views), policies=views)


def _cover(quotes: Sequence[Quote]) -> Cover:
    accepted = [quote for quote in quotes if quote.choice == Choice.ACCEPTED]
    lines = tuple(_line(quote) for quote in accepted)
    premium = sum((line.price.amount for line in lines), Decimal(0))
    return Cover(
        lines=lines,
        premium=Money(premium, quotes[0].package.currency) if accepted else None,
        is_answered=all(quote.choice for quote in quotes),
        lapsed=any(lapse_of(quote) for quote in quotes),
    )


def _counted(quote: Quote) -> bool:
    """Return whether `quote` has a yes, or had one that lapsed without a new answer."""
    return quote.choice == Choice.ACCEPTED or lapse_of(quote) is not None


def _line(quote: Quote) -> CoverLine:
    plan = chosen_plan(quote)
    return CoverLine(
        label=quote.label,
        name=quote.policy_name,
        price=plan.first if plan else quote.cost,
        price_formatted=plan.first_formatted if plan else format_amount(quote.cost),
        plan=plan.label if plan else "",
        whole=quote.cost,
        parts=plan.parts if plan else None,
        total=plan.total if plan else None,
    )


def _name(
    request: HttpRequest, cart: Any, to_insure: CartToInsure | None
) -> tuple[str, str] | None:
    """Return account and reference of the cart, whatever is in it; None when it has none."""
    if to_insure is not None:
        named = to_insure.account, to_insure.cart_reference
    else:
        named = reference_of(request, cart) or ("", "")
    return named if named[1] else None


def _freeze(
    named: tuple[str, str], to_insure: CartToInsure | None, lifetime: timedelta | None = None
) -> Cover:
    """Lock the cart's packages, as `choose` does, and place a hold on the one that counts."""
    every = cart_packages.lock_all(*named)
    packages = cart_packages.still_open(every)
    package = quoting.counting(packages, to_insure)
    if every and not packages:
        take_over.alert_if_just_ordered(every[-1])
    if package and to_insure and quoting.matches(package, to_insure):
        quotes = cart_packages.lock_offered(package)
        cover = _cover_of(quotes, others=[row for row in packages if row is not package])
        cover = replace(cover, lapsed=cover.lapsed or _has_lost(package, quotes, to_insure))
    else:
        was_wanted = bool(every) and _was_wanted(every[-1], to_insure)
        cover = Cover(lapsed=_lapse(packages) or was_wanted)
        # What is being paid for at this moment was another cart.
        package = None if package and package.is_held else package
        quotes = cart_packages.lock_offered(package) if package else []
    hold = holds.place(
        *named,
        package=package,
        quotes=quotes,
        fingerprint=to_insure.fingerprint if to_insure else "",
        lifetime=lifetime,
    )
    return replace(cover, hold=hold.reference, held_until=hold.expires_at)


def _cover_of(quotes: Sequence[Quote], *, others: Sequence[QuotePackage]) -> Cover:
    cover = _cover(quotes)
    if cover.lines or cover.is_answered:
        return cover
    # A yes that another tab had quoted anew, and that this shopper still sees as saved.
    return replace(cover, lapsed=_lapse(others) or cover.lapsed)


def _has_lost(package: QuotePackage, offered: Sequence[Quote], to_insure: CartToInsure) -> bool:
    """Return whether a line of the cart had a yes and is not offered any more."""
    lines = {item.reference for item in to_insure.request.items}
    lines -= {quote.line_reference for quote in offered}
    rows = package.quotes.filter(line_reference__in=lines, lapsed_price__isnull=False)
    return bool(lines) and rows.exists()


def _was_wanted(package: QuotePackage, to_insure: CartToInsure | None) -> bool:
    """Return whether the cart's newest package has a yes that an order made now does not get.

    It lapsed and was not answered anew, or went into the order before. What is no longer in the
    cart does not count.
    """
    lines = {item.reference for item in to_insure.request.items} if to_insure else set()
    wanted = [quote for quote in package.quotes.all() if _counted(quote)]
    if package.order_reference or lines:
        wanted = [quote for quote in wanted if quote.line_reference in lines]
    return bool(wanted)


def _lapse(packages: Sequence[QuotePackage]) -> bool:
    """Un-make each yes, and return whether there was one.

    One that is being paid for stands, and still the cart of now does not get it.
    """
    lapsed = False
    for package in packages:
        quotes = cart_packages.lock_quotes(package)
        if package.is_held:
            lapsed |= any(quote.choice == Choice.ACCEPTED for quote in quotes)
        else:
            lapsed |= decisions.lapse(quotes)
    return lapsed


def _state(package: QuotePackage, policies: Sequence[PolicyView]) -> str:
    if not policies:
        withdrawn = package.quotes.filter(choice=Choice.WITHDRAWN).exists()
        return "cancelled" if withdrawn else "declined"
    states = {STATES.get(policy.state, "booked") for policy in policies}
    if len(states) == 1:
        return states.pop()
    return "partly_cancelled" if states == {"booked", "cancelled"} else "partly_booked"


def _policy(quote: Quote, package: QuotePackage) -> PolicyView:
    return PolicyView(
        quote_id=quote.quote_id,
        label=quote.label,
        name=quote.policy_name,
        status=quote.status,
        state=summarise(quote).state,
        price_formatted=format_amount(quote.cost),
        agreed_formatted=_agreed(quote),
        is_looked_into=bool(package.attention),
        starts=quote.policy_start_date,
        ends=quote.policy_end_date,
        documents=documents.kinds_of(quote, package),
        plan=label_of(quote.instalment_plan),
    )


def _agreed(quote: Quote) -> str:
    agreed = quote.chosen_price
    # After a cancellation a price is what XCover makes of it; the refund is what counts.
    if agreed is None or agreed == quote.price or quote.status == Status.CANCELLED:
        return ""
    return format_amount(Money(agreed, quote.package.currency))
