"""PUBLIC: the cover chosen for a cart, and what became of it for an order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest

from django_xcover import safe_logging
from django_xcover.booking.dual_payment import CardState, card_state
from django_xcover.booking.instant_booking import FastOffer
from django_xcover.booking.instant_booking import opt_out as decline_instantly
from django_xcover.booking.instant_booking import price as price_instantly
from django_xcover.formats import format_amount
from django_xcover.mirror import decisions, lapses
from django_xcover.mirror.instalment_plans import chosen_plan, label_of
from django_xcover.mirror.lapses import LostCover, agreed_before, lapse_of
from django_xcover.models import Choice, Quote, QuotePackage, Status
from django_xcover.offers import carts, holds, quoting, shop_values
from django_xcover.offers.after_sale_links import path as after_sale_path
from django_xcover.offers.carts import CartToInsure, read_cart, reference_of
from django_xcover.offers.shown_totals import require_shown
from django_xcover.orders import take_over
from django_xcover.orders.events import book_instantly
from django_xcover.overview.policies import PolicyState, policy_rows, summarise
from django_xcover.policies import documents
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money
from django_xcover.values import UnusableValue

__all__ = [
    "CardState",
    "Cover",
    "CoverLine",
    "FastOffer",
    "LostCover",
    "OrderCover",
    "PolicyState",
    "PolicyView",
    "after_sale_path",
    "book_instantly",
    "current_cover",
    "decline_instantly",
    "freeze_cover",
    "held_cover",
    "hold_cover",
    "order_cover",
    "price_instantly",
    "release_cover",
    "require_shown",
]

logger = safe_logging.get_logger("django_xcover.cover")

# The state of an order whose policies all share one state. States not listed count as booked.
STATES: Mapping[PolicyState, str] = {
    PolicyState.ARRANGING: "arranging",
    PolicyState.AWAITING_PAYMENT: "awaiting_payment",
    PolicyState.NEEDS_PERSON: "needs_person",
    PolicyState.UNCLEAR: "unclear",
    PolicyState.FAILED: "failed",
    PolicyState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverLine:
    """One accepted quote, for the order summary.

    `price` is what is charged with the order: the full price, or the first instalment with an
    instalment plan. `plan` names the plan ("" for paying all at once), `parts` is the number of
    instalments and `total` their sum (both None if unknown). `whole` is XCover's price of the
    cover; instalments are rounded up, so their sum is slightly higher.
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

    `premium` is what the shop charges with the order: full prices, and first instalments for cover
    paid by instalments. It is None without cover. The later instalments follow XCover's schedule,
    which exists once the cover is booked (`django_xcover.policies.instalments`); XCover treats the
    first one as paid with the booking. With dual payment (`django_xcover.booking.dual_payment`)
    XCover charges the premium itself: show it, but leave it out of what the shop charges.

    `is_answered` is False while an offer waits for an answer.
    `lapsed` is True if an acceptance was cleared because the cart changed after the offer.
    `lost` names accepted cover that is not offered any more, each with the agreed price. Lines that
    left the cart are among them, and don't count for `lapsed`: the shopper may have removed them.
    `hold` is the reference of the frozen cover, and `held_until` (aware UTC) is when it expires.
    """

    lines: tuple[CoverLine, ...] = ()
    premium: Money | None = None
    is_answered: bool = True
    lapsed: bool = False
    lost: tuple[LostCover, ...] = ()
    hold: str = ""
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """One policy of an order, for the shopper.

    `status` is XCover's status and `state` the one shown to shoppers, as in My cover.
    `agreed` is the agreed price if XCover's price now differs, else None. `is_looked_into`
    says that staff are looking into the booking. `documents` are kinds for `xcover:document`
    (documents and pages at XCover), from `django_xcover.policies.documents.KINDS`. `plan` names
    the instalment plan, "" for paying all at once. `line_reference` is the reference of the insured
    `PolicyRequest`, which `order_cancelled` takes as one of its `lines`.
    """

    quote_id: str
    label: str
    name: str
    status: str
    state: PolicyState
    price: Money
    agreed: Money | None
    is_looked_into: bool
    starts: datetime | None
    ends: datetime | None
    documents: tuple[str, ...]
    plan: str = ""
    line_reference: str = ""

    @property
    def price_formatted(self) -> str:
        """Return the price in the reader's format."""
        return format_amount(self.price)

    @property
    def agreed_formatted(self) -> str:
        """Return the agreed price in the reader's format, or ""."""
        return format_amount(self.agreed) if self.agreed else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCover:
    """What became of an order's cover.

    `state` holds for every policy: none, declined, arranging, awaiting_payment, booked, cancelled,
    needs_person, unclear (XCover reports a status that isn't documented, so that it is unknown
    whether there is cover) or failed (XCover could not book or, with dual payment, not charge the
    card: there is no cover). If the policies differ it is partly_cancelled (the rest is booked),
    partly_booked (at least one is not booked; see each policy's `state`), or unclear (at least one
    is, and each of the others is booked or cancelled).

    `card` is what is known of the card that XCover charges with dual payment. If it is wanted or
    refused, there is no cover until `django_xcover.payments.use_token` gets a token.
    """

    state: str
    policies: tuple[PolicyView, ...] = ()
    card: CardState = CardState.NOT_NEEDED


@clears_frames
def current_cover(request: HttpRequest, cart: object = None) -> Cover:
    """Return the cover chosen for the cart, for the totals on a page. One query.

    Follows the same rule as `freeze_cover`, so that no page shows less than is charged: an offer
    that has only aged is still valid.
    """
    to_insure = read_cart(request, cart)
    quotes = quoting.quotes_on_page(request, to_insure) if to_insure else []
    if to_insure is None or not quotes or not quoting.matches(quotes[0].package, to_insure):
        lapsed = any(agreed_before(quote) is not None for quote in quotes)
        return Cover(lapsed=lapsed, lost=_lost(quotes, to_insure))
    return _cover(quotes[0].package, quotes)


@clears_frames
def freeze_cover(request: HttpRequest, cart: object = None) -> Cover:
    """Lock the shopper's choice and return the cover to charge.

    Call it inside the transaction that creates the order, right before computing the total, and
    send `order_completed` in the same transaction. Acceptance of an offer that no longer matches
    the cart lapses and is not charged; `lapsed` is then True. An offer that has only aged is still
    valid. A shop that charges before it creates the order calls `hold_cover` instead.
    """
    to_insure = read_cart(request, cart)
    named = _name(request, cart, to_insure)
    if named is None:
        return Cover()
    with transaction.atomic():
        return _freeze(named, to_insure)


@clears_frames
def hold_cover(
    request: HttpRequest, cart: object = None, *, lifetime: timedelta | None = None
) -> Cover:
    """Fix the shopper's choice until the order is there, and return the cover to charge.

    For shops that charge first. It commits its own transaction, so call it outside any other
    (inside one it raises RuntimeError), charge the premium, then send `order_completed` with
    `hold`. Until then the choice can't change, for at most `lifetime`, by default
    `XCOVER["HOLD_LIFETIME"]`. If the payment fails, call `release_cover`.
    """
    to_insure = read_cart(request, cart)
    named = _name(request, cart, to_insure)
    if named is None:
        return Cover()
    with transaction.atomic(durable=True):
        return _freeze(named, to_insure, lifetime)


@clears_frames
def held_cover(cart: object) -> Cover | None:
    """Return the cover that is held for `cart`, exactly as it was held; None if nothing is.

    It stays held after its time is up, until an order takes it over or it is released: it may have
    been charged. Call it where the payment comes back, for the total of the order. It needs no
    request, because the shopper may return with another session, or the payment provider calls.
    """
    named = None
    with carts.log_errors("The cart could not be identified"):
        named = shop_values.name_cart(cart)
    hold = holds.newest(*named) if named is not None else None
    if hold is None:
        return None
    return Cover(
        lines=tuple(_line(quote) for quote in holds.accepted_quotes(hold)),
        premium=hold.premium,
        is_answered=all(answer["choice"] for answer in hold.choices),
        hold=hold.reference,
        held_until=hold.expires_at,
    )


@clears_frames
def release_cover(hold: str) -> bool:
    """Give up a hold whose premium will not be charged, so that the shopper can choose again.

    Returns False if an order has taken over the hold, or if it is unknown.
    """
    return holds.release(hold)


@clears_frames
def order_cover(order: object) -> OrderCover:
    """Return the state and the policies of the shop's `order`, for its page.

    The state is "none" for an order without a usable number; the log says why.
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
    # Otherwise each row would load the booking's answer again.
    views = tuple(_policy(quote, package) for quote in rows.defer("package__payload"))
    return OrderCover(state=_state(package, views), policies=views, card=card_state(package, order))


def _cover(package: QuotePackage, quotes: Sequence[Quote]) -> Cover:
    accepted = [quote for quote in quotes if quote.choice == Choice.ACCEPTED]
    lines = tuple(_line(quote) for quote in accepted)
    lost = lapses.read_lost(package)
    premium = sum((line.price.amount for line in lines), Decimal(0))
    return Cover(
        lines=lines,
        premium=Money(premium, package.currency) if accepted else None,
        is_answered=all(quote.choice for quote in quotes),
        lapsed=any(lapse_of(quote) for quote in quotes) or any(row.is_asked for row in lost),
        lost=lost,
    )


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
    request: HttpRequest, cart: object, to_insure: CartToInsure | None
) -> tuple[str, str] | None:
    """Return account and reference of the cart, even if it is empty; None if it has neither."""
    if to_insure is not None:
        named = to_insure.account, to_insure.cart_reference
    else:
        named = reference_of(request, cart) or ("", "")
    return named if named[1] else None


def _freeze(
    named: tuple[str, str], to_insure: CartToInsure | None, lifetime: timedelta | None = None
) -> Cover:
    """Lock the cart's packages, as `choose` does, and hold the current one."""
    every = carts.lock_all(*named)
    packages = carts.still_open(every)
    package = quoting.counting(packages, to_insure)
    if every and not packages:
        take_over.alert_if_just_ordered(every[-1])
    if package and to_insure and quoting.matches(package, to_insure):
        quotes = carts.lock_offered(package)
        cover = _cover_of(package, quotes, others=[row for row in packages if row is not package])
    else:
        was_wanted = bool(every) and _was_wanted(every[-1], to_insure)
        lost = _lost(packages[0].quotes.all(), to_insure) if packages else ()
        cover = Cover(lapsed=_lapse(packages) or was_wanted, lost=lost)
        # A package that is being paid for at this moment belongs to an earlier cart.
        package = None if package and package.is_held else package
        quotes = carts.lock_offered(package) if package else []
    hold = holds.place(
        *named,
        package=package,
        quotes=quotes,
        fingerprint=to_insure.fingerprint if to_insure else "",
        lifetime=lifetime,
    )
    return replace(cover, hold=hold.reference, held_until=hold.expires_at)


def _cover_of(
    package: QuotePackage, quotes: Sequence[Quote], *, others: Sequence[QuotePackage]
) -> Cover:
    cover = _cover(package, quotes)
    if cover.lines or cover.is_answered:
        return cover
    # An acceptance that this tab still shows as saved, although another tab requested new quotes.
    return replace(cover, lapsed=_lapse(others) or cover.lapsed)


def _lost(quotes: Iterable[Quote], to_insure: CartToInsure | None) -> tuple[LostCover, ...]:
    """Return the accepted `quotes` of the newest package that are no longer offered.

    None of `quotes` matches the cart.
    """
    offer = quoting.lost_offer(list(quotes), to_insure) if to_insure else None
    return offer.lost if offer else ()


def _was_wanted(package: QuotePackage, to_insure: CartToInsure | None) -> bool:
    """Return whether the cart's newest package was accepted but won't be part of an order made now.

    The acceptance lapsed without a new answer, or was for an earlier order, which may have been
    cancelled. Items no longer in the cart don't count.
    """
    lines = {item.reference for item in to_insure.request.items} if to_insure else set()
    wanted = [quote for quote in package.quotes.all() if agreed_before(quote) is not None]
    if package.order_reference or lines:
        wanted = [quote for quote in wanted if quote.line_reference in lines]
    return bool(wanted)


def _lapse(packages: Sequence[QuotePackage]) -> bool:
    """Clear each acceptance, and return whether there was one.

    An acceptance that is being paid for is counted but kept; it doesn't apply to the current cart.
    """
    lapsed = False
    for package in packages:
        quotes = carts.lock_quotes(package)
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
    if "unclear" in states and states <= {"unclear", "booked", "cancelled"}:
        return "unclear"
    return "partly_cancelled" if states == {"booked", "cancelled"} else "partly_booked"


def _policy(quote: Quote, package: QuotePackage) -> PolicyView:
    return PolicyView(
        quote_id=quote.quote_id,
        label=quote.label,
        name=quote.policy_name,
        status=quote.status,
        state=summarise(quote).state,
        price=quote.cost,
        agreed=_agreed(quote),
        is_looked_into=bool(package.attention),
        starts=quote.policy_start_date,
        ends=quote.policy_end_date,
        documents=documents.kinds_of(quote, package),
        plan=label_of(quote.instalment_plan),
        line_reference=quote.line_reference,
    )


def _agreed(quote: Quote) -> Money | None:
    agreed = quote.chosen_price
    # After a cancellation XCover may change the price; only the refund matters then.
    if agreed is None or agreed == quote.price or quote.status == Status.CANCELLED:
        return None
    return Money(agreed, quote.package.currency)
