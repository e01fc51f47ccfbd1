"""Change a quote package in place for a changed cart: PATCH, add, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.client.schemas.requests import product_of
from django_xcover.clients import factory
from django_xcover.conf import get_config
from django_xcover.mirror import matching, price_checks, request_bodies
from django_xcover.models import Quote, QuotePackage, Status
from django_xcover.offers import quote_storage
from django_xcover.offers.carts import CartToInsure
from django_xcover.types import PolicyRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs between the quotes of a package and a cart."""

    kept: dict[str, PolicyRequest]
    patched: list[dict[str, Any]]
    added: list[PolicyRequest]
    removed: list[str]


def is_possible(package: QuotePackage, cart: CartToInsure) -> bool:
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


def update(
    client: XCoverClient, cart: CartToInsure, quotes: Sequence[Quote], until: float
) -> list[Quote]:
    """Send the cart's changes to XCover and return the new quotes; [] if it needs a new package.

    If it raises XCoverError, the package has no fingerprint, so it is never shown or changed
    again.
    """
    package = quotes[0].package
    changes = find_changes(quotes, cart)
    if not changes.kept or not _take(package):
        return []
    answer, lines = _carry_out(client, package, changes, until)
    if not price_checks.are_sellable(answer, package.currency):
        return []
    with transaction.atomic(savepoint=False):
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        if not locked.is_open or locked.held_until is not None:
            return []
        return quote_storage.record_update(locked, cart, answer, lines)


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
    client: XCoverClient, package: QuotePackage, changes: Changes, until: float
) -> tuple[PackageAnswer, dict[str, PolicyRequest]]:
    lines, wire = dict(changes.kept), None
    if changes.removed:
        gone = {"quotes": [{"id": quote_id} for quote_id in changes.removed]}
        wire = client.delete_quotes(package.package_id, gone, deadline=factory.remaining(until))
    if changes.patched:
        patch = {"request": changes.patched}
        wire = client.update_quote(package.package_id, patch, deadline=factory.remaining(until))
    for item in changes.added:
        # One item per call: the answer lists new quotes first, in an undocumented order.
        body = {"request": [request_bodies.item_payload(item, now=timezone.now())]}
        wire = client.add_quotes(package.package_id, body, deadline=factory.remaining(until))
        known = {*lines, *changes.removed}
        lines.update(matching.line_of_added(package_from_wire(wire), known, item))
    if wire is None:
        wire = client.get_quote(package.package_id, deadline=factory.remaining(until))
    answer = package_from_wire(wire)
    matching.require_types(answer, lines)
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
