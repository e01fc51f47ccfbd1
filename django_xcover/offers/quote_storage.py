"""Store what XCover answered to a cart, and change a package in place for a changed cart."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from django_xcover.client import XCoverClient
from django_xcover.client.connections import Deadline
from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer, package_from_wire
from django_xcover.client.schemas.requests import product_of
from django_xcover.client.schemas.stored import package_to_store
from django_xcover.conf import get_config
from django_xcover.mirror import agreement, decisions, lapses, packages, request_bodies
from django_xcover.mirror.request_bodies import Lines
from django_xcover.models import Choice, Quote, QuotePackage, Status
from django_xcover.offers.carts import CartToInsure
from django_xcover.outbox.transitions import transition
from django_xcover.types import PolicyRequest


def record_package(
    cart: CartToInsure,
    answer: PackageAnswer,
    lines: Lines,
    *,
    country: str | None = None,
    milliseconds: int | None = None,
) -> list[Quote]:
    """Store a newly quoted package and return its quotes in the cart's order.

    `lines` maps each quote id to the item it insures. The keys of an answer can't be used for
    that, because XCover renumbers them (recorded). `country` is the customer's, by default that of
    the cart; "" if it is unknown which one was quoted. `milliseconds` is how long XCover took.
    """
    # No savepoint: saves two queries if the request already has a transaction.
    with transaction.atomic(savepoint=False):
        earlier = _earlier(cart)
        package, quotes = draft(cart, answer, lines)
        package.quote_milliseconds = milliseconds
        if country is not None:
            package.customer_country = country
        before = next((quote.package for quote in earlier.values()), package)
        for quote in quotes:
            _inherit(quote, earlier.get(quote.line_reference), before)
        _note_lost(package, cart, quotes, before, earlier.values())
        package.save(force_insert=True)
        Quote.objects.bulk_create(quotes)
        transaction.on_commit(lambda: packages.announce_quoted(package))
    return quotes


def draft(
    cart: CartToInsure, answer: PackageAnswer, lines: Lines
) -> tuple[QuotePackage, list[Quote]]:
    """Return the package and its quotes in the cart's order, without storing them."""
    package = QuotePackage(
        account=cart.account,
        package_id=answer.package_id,
        status=answer.status,
        cart_reference=cart.cart_reference,
        shopper_reference=cart.shopper_reference,
        fingerprint=cart.fingerprint,
        currency=answer.currency,
        total_price=answer.total,
        customer_country=cart.request.customer_country,
        customer_language=cart.request.customer_language,
        payload=package_to_store(answer),
        quoted_request=_for_after_sale(cart),
        quoted_at=timezone.now(),
    )
    return package, _in_cart_order(package, answer.quotes, lines, cart)


def record_update(
    package: QuotePackage,
    cart: CartToInsure,
    answer: PackageAnswer,
    lines: Lines,
    *,
    milliseconds: int | None = None,
) -> list[Quote]:
    """Store a package that was changed in place and return its quotes in the cart's order.

    A quote loses its acceptance if any agreed term changed (`agreement`). `milliseconds` is how
    long XCover took.
    """
    known = {quote.quote_id: quote for quote in package.quotes.all()}
    fresh = _in_cart_order(package, answer.quotes, lines, cart)
    # Includes requested items that couldn't be quoted after their change (null in the answer).
    priced = {quote.quote_id for quote in fresh}
    retired = [quote for key, quote in known.items() if key not in priced]
    for quote in retired:
        decisions.lapse([quote])
        transition(quote, Status.DELETED)
    by_line = {quote.line_reference: quote for quote in retired}
    for quote in fresh:
        _save_quoted(quote, known.get(quote.quote_id), by_line.get(quote.line_reference))
    _note_lost(package, cart, fresh, package, [*retired, *fresh])
    package.fingerprint = cart.fingerprint
    package.currency = answer.currency
    package.total_price = answer.total
    package.payload = package_to_store(answer)
    package.quoted_request = _for_after_sale(cart)
    package.quoted_at = timezone.now()
    package.quote_milliseconds = milliseconds
    package.save()
    transaction.on_commit(lambda: packages.announce_quoted(package))
    return fresh


def _for_after_sale(cart: CartToInsure) -> str:
    """Return the request as text if the shop offers cover after the sale, else ""."""
    return request_bodies.dump_request(cart.request) if get_config().after_sale_days else ""


def _earlier(cart: CartToInsure) -> dict[str, Quote]:
    """Return the latest quotes for the same cart and shopper, ordered or not, by line."""
    packages = QuotePackage.objects.filter(
        account=cart.account,
        cart_reference=cart.cart_reference,
        shopper_reference=cart.shopper_reference,
    )
    newest = packages.order_by("-pk").values("pk")[:1]
    rows = Quote.objects.filter(package=Subquery(newest)).select_related("package")
    return {quote.line_reference: quote for quote in rows.order_by("pk")}


def _inherit(quote: Quote, earlier: Quote | None, before: QuotePackage) -> None:
    """Record on `quote` an acceptance that doesn't carry over, including one lost in `before`."""
    if earlier is not None:
        changed = agreement.changes_since(earlier, quote)
        decisions.inherit_lapse(quote, earlier, [*_ordered(earlier), *changed])
        return
    for lost in lapses.read_lost(before):
        if lost.line == quote.line_reference and not before.order_reference:
            decisions.note_lapse(quote, lost.was, agreement.price_changes(lost.was, quote.cost))


def _ordered(earlier: Quote) -> list[str]:
    """Return the lapse reasons from the order that `earlier` was accepted for, [] without one."""
    if not (earlier.package.order_reference and earlier.choice):
        return []
    is_over = earlier.choice == Choice.WITHDRAWN or earlier.status == Status.CANCELLED
    return [lapses.ORDER_CANCELLED if is_over else lapses.ORDERED]


def _note_lost(
    package: QuotePackage,
    cart: CartToInsure,
    fresh: Iterable[Quote],
    before: QuotePackage,
    quotes: Iterable[Quote],
) -> None:
    """Set on `package` the accepted `quotes` of `before` that are not in `fresh`.

    Doesn't save the package.
    """
    offered = {quote.line_reference for quote in fresh if quote.status == Status.RECEIVED}
    requested = {item.reference for item in cart.request.items}
    lapses.write_lost(package, lapses.find_lost(before, quotes, offered=offered, asked=requested))


def _in_cart_order(
    package: QuotePackage, answers: Iterable[QuoteAnswer], lines: Lines, cart: CartToInsure
) -> list[Quote]:
    order = [item.reference for item in cart.request.items]
    mine = [read for read in answers if read.quote_id in lines]
    mine.sort(key=lambda read: order.index(lines[read.quote_id].reference))
    return [
        packages.build_quote(package, read, lines[read.quote_id], i) for i, read in enumerate(mine)
    ]


def _save_quoted(quote: Quote, before: Quote | None, retired: Quote | None) -> None:
    """Save a quote of a package that was changed in place; it may replace a `retired` quote."""
    if before is None:
        _inherit(quote, retired, quote.package)
        quote.save(force_insert=True)
        return
    quote.pk, quote.created_at = before.pk, before.created_at
    for name in decisions.ANSWER:
        setattr(quote, name, getattr(before, name))
    changed = agreement.changes(agreement.terms(before), agreement.terms(quote))
    if not quote.choice:
        decisions.inherit_lapse(quote, before, changed)
    quote.save(force_update=True)
    if changed or quote.status != Status.RECEIVED:
        decisions.lapse([quote], changed)


# Changing a package in place: PATCH, add, delete.


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs between the quotes of a package and a cart."""

    kept: dict[str, PolicyRequest]
    patched: list[dict[str, Any]]
    added: list[PolicyRequest]
    removed: list[str]


def can_update(package: QuotePackage, cart: CartToInsure) -> bool:
    """Return whether XCover can change `package` into what `cart` needs.

    `PATCH quotes/{INS}/` accepts lines and a currency, but no country, language or other customer
    (recorded). A new currency needs a new quote, because it isn't documented whether XCover
    converts the amounts inside the lines. A package without a fingerprint was left half changed
    and can't be trusted. A package whose premium may have been charged must stay bookable as is.
    """
    return (
        bool(package.fingerprint)
        and package.is_open
        and package.held_until is None
        and package.shopper_reference == cart.shopper_reference
        and package.currency == cart.request.currency
        and package.customer_country == cart.request.customer_country
        and package.customer_language == cart.request.customer_language
        and timezone.now() - package.quoted_at < get_config().offer_max_age
    )


def update_package(
    client: XCoverClient, cart: CartToInsure, quotes: Sequence[Quote], until: Deadline
) -> list[Quote]:
    """Send the cart's changes to XCover and return the new quotes; [] if it needs a new package.

    If it raises XCoverError, the package has no fingerprint, so it is never shown or changed
    again.
    """
    package = quotes[0].package
    changes = find_changes(quotes, cart)
    if not changes.kept or not _take(package):
        return []
    began = time.monotonic()
    answer, lines = _carry_out(client, package, changes, until)
    milliseconds = milliseconds_since(began)
    if not agreement.are_sellable(answer, package.currency):
        return []
    with transaction.atomic(savepoint=False):
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        if not locked.is_open or locked.held_until is not None:
            return []
        return record_update(locked, cart, answer, lines, milliseconds=milliseconds)


def milliseconds_since(began: float) -> int:
    """Return the milliseconds since `began`, a value of `time.monotonic`."""
    return round((time.monotonic() - began) * 1000)


def find_changes(quotes: Sequence[Quote], cart: CartToInsure) -> Changes:
    """Return the changes by cart line. A line with a new policy type is removed and added."""
    changes = Changes(kept={}, patched=[], added=[], removed=[])
    by_line = {quote.line_reference: quote for quote in quotes}
    for item in cart.request.items:
        quote = by_line.pop(item.reference, None)
        if quote is not None and _same_policy(quote, item):
            changes.kept[quote.quote_id] = item
            _note_patch(changes, quote, item)
        else:
            changes.added.append(item)
            by_line.update({item.reference: quote} if quote else {})
    changes.removed.extend(quote.quote_id for quote in by_line.values())
    return changes


def _take(package: QuotePackage) -> bool:
    """Clear the package's fingerprint during the change; return True for exactly one caller.

    If the change is interrupted, XCover's state is unknown, and the fingerprint stays empty.
    """
    rows = QuotePackage.objects.filter(
        pk=package.pk,
        fingerprint=package.fingerprint,
        held_until=None,
        order_reference="",
        status=Status.RECEIVED,
    )
    return bool(rows.update(fingerprint=""))


def _carry_out(
    client: XCoverClient, package: QuotePackage, changes: Changes, until: Deadline
) -> tuple[PackageAnswer, dict[str, PolicyRequest]]:
    lines, wire = dict(changes.kept), None
    if changes.removed:
        gone = {"quotes": [{"id": quote_id} for quote_id in changes.removed]}
        wire = client.delete_quotes(package.package_id, gone, deadline=until.left_for_a_call())
    if changes.patched:
        patch = {"request": changes.patched}
        wire = client.update_quote(package.package_id, patch, deadline=until.left_for_a_call())
    for item in changes.added:
        # One item per call: the answer lists new quotes first, in an undocumented order.
        body = {"request": [request_bodies.item_payload(item, now=timezone.now())]}
        wire = client.add_quotes(package.package_id, body, deadline=until.left_for_a_call())
        known = {*lines, *changes.removed}
        lines.update(request_bodies.line_of_added(package_from_wire(wire), known, item))
    if wire is None:
        wire = client.get_quote(package.package_id, deadline=until.left_for_a_call())
    answer = package_from_wire(wire)
    request_bodies.require_types(answer, lines)
    return answer, lines


def _same_policy(quote: Quote, item: PolicyRequest) -> bool:
    before = quote.request
    return product_of(before) == (item.policy_type, item.policy_type_version) and set(
        before
    ) == set(request_bodies.comparable(item))


def _note_patch(changes: Changes, quote: Quote, item: PolicyRequest) -> None:
    wanted, before = request_bodies.comparable(item), quote.request
    changed = {name for name, value in wanted.items() if before.get(name) != value}
    if changed:
        sent = request_bodies.item_payload(item, now=timezone.now())
        changes.patched.append(
            {"quote_id": quote.quote_id, **{name: sent[name] for name in sorted(changed)}}
        )
