"""Freeze a premium until an order takes it over, it is released, or a person resolves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.adapters import get_adapter
from django_xcover.conf import get_config
from django_xcover.formats import format_amount
from django_xcover.mirror import flags
from django_xcover.mirror.presentation import build_offer
from django_xcover.models import Attention, Choice, Hold, Quote, QuotePackage
from django_xcover.offers import carts

logger = safe_logging.get_logger("django_xcover.offers")

SWEEP_LIMIT = 200


def place(
    account: str,
    cart_reference: str,
    *,
    package: QuotePackage | None,
    quotes: Sequence[Quote] = (),
    fingerprint: str = "",
    lifetime: timedelta | None = None,
) -> Hold:
    """Create a hold with the current answers to `quotes`, all quotes offered in `package`.

    Call it in the transaction that holds the package's lock.
    """
    is_covered = any(quote.choice == Choice.ACCEPTED for quote in quotes)
    premium = build_offer(quotes).premium if is_covered else None
    hold = Hold.objects.create(
        account=account,
        cart_reference=cart_reference,
        package=package,
        fingerprint=fingerprint,
        amount=premium.amount if premium else None,
        currency=premium.currency if premium else "",
        choices=[_choice(quote) for quote in quotes],
        expires_at=timezone.now() + (lifetime or get_config().hold_length),
    )
    if package is not None:
        package.held_until = max(hold.expires_at, package.held_until or hold.expires_at)
        package.save(update_fields=["held_until", "updated_at"])
    return hold


def is_being_paid(account: str, cart_reference: str, fingerprint: str) -> bool:
    """Return whether this cart, unchanged, has a live hold, with or without a package.

    Call it with the cart's packages locked.
    """
    holds = Hold.objects.live().filter(account=account, cart_reference=cart_reference)
    return holds.select_for_update().filter(fingerprint=fingerprint).exists()


def newest(account: str, cart_reference: str) -> Hold | None:
    """Return the cart's newest unresolved hold, expired or not; None without one."""
    holds = Hold.objects.unresolved().filter(account=account, cart_reference=cart_reference)
    return holds.select_related("package").order_by("-pk").first()


def accepted_quotes(hold: Hold) -> list[Quote]:
    """Return the accepted quotes of `hold` with the price and plan that were held. Not saved."""
    held = {row["quote"]: row for row in hold.choices if row["choice"] == Choice.ACCEPTED}
    if hold.package is None or not held:
        return []
    quotes = list(hold.package.quotes.filter(quote_id__in=held).order_by("position"))
    for quote in quotes:
        answer = held[quote.quote_id]
        quote.choice, quote.instalment_plan = Choice.ACCEPTED, answer["plan"]
        quote.price = Decimal(answer["price"])
    return quotes


def lock(reference: str) -> tuple[Hold, list[QuotePackage]] | None:
    """Lock and return the hold with this reference and its cart's packages; None if unknown.

    Packages are always locked first, so the account and cart reference are read without a lock: an
    order found by its cart locks the packages and then the hold.
    """
    if not reference or "\x00" in reference:  # PostgreSQL can't search for NUL
        return None
    holds = Hold.objects.filter(reference=reference)
    named = holds.values_list("account", "cart_reference").first()
    if named is None:
        return None
    packages = carts.lock_all(*named)
    hold = holds.select_for_update().first()
    return None if hold is None else (hold, packages)


def release(reference: str) -> bool:
    """Release the hold; return False if it is unknown, or an order has taken it over."""
    with transaction.atomic():
        locked = lock(reference)
        if locked is None:
            logger.warning("Cannot release an unknown hold.")
            return False
        hold, packages = locked
        if hold.taken_at is not None:
            logger.warning("Hold %s is not released: order %s has it.", hold, hold.order_reference)
            return False
        end([hold])
        free(packages)
        return True


def end(holds: Iterable[Hold]) -> None:
    """Mark these locked holds as released without an order, unless they already are."""
    for hold in holds:
        if hold.released_at is None:
            hold.released_at = timezone.now()
            hold.save(update_fields=["released_at", "updated_at"])


def free(packages: Iterable[QuotePackage]) -> None:
    """Recompute `held_until` of these locked packages from the remaining holds."""
    for package in packages:
        if package.held_until is None:
            continue
        left = list(package.holds.unresolved().select_for_update().order_by("-expires_at"))
        package.held_until = left[0].expires_at if left else None
        package.save(update_fields=["held_until", "updated_at"])
        if not any(hold.reported_at for hold in left):
            flags.settle(package, Attention.HELD_WITHOUT_ORDER)


def sweep() -> list[Hold]:
    """Resolve expired holds, and return those that now need a person.

    A hold ends without an alert if it has no premium, if its cover is free, or if the shop's
    adapter answers that nothing was charged.
    """
    overdue = Hold.objects.overdue(timezone.now()).order_by("expires_at")
    references = overdue.values_list("reference", flat=True)[:SWEEP_LIMIT]
    return [hold for hold in map(_resolve, list(references)) if hold is not None]


def _resolve(reference: str) -> Hold | None:
    # Asks the shop before taking a lock, because the shop may have to call its payment provider.
    was_charged = _was_charged(reference)
    with transaction.atomic():
        locked = lock(reference)
        if locked is None or locked[0].is_resolved or locked[0].is_live or locked[0].reported_at:
            return None
        hold, packages = locked
        if not hold.amount or was_charged is False:
            end([hold])
            free(packages)
            return None
        hold.reported_at = timezone.now()
        hold.save(update_fields=["reported_at", "updated_at"])
        _alert(hold, packages)
        return hold


def _was_charged(reference: str) -> bool | None:
    try:
        return get_adapter().was_charged(reference)
    except Exception as error:  # noqa: BLE001 - the shop's code must not hold up the other holds
        problem = safe_logging.describe(error)
    logger.error("The shop cannot say whether a held premium was charged: %s", problem)
    return None


def _alert(hold: Hold, packages: Iterable[QuotePackage]) -> None:
    logger.critical(
        "No order came for hold %s: %s were frozen for package %s and may have been charged.",
        hold,
        amount_of(hold),
        hold.package,
    )
    for package in packages:
        if package.pk == hold.package_id:
            flags.flag(package, Attention.HELD_WITHOUT_ORDER)


def amount_of(hold: Hold) -> str:
    """Return the frozen premium as text, "nothing" without cover."""
    return format_amount(hold.premium) if hold.premium else "nothing"


def _choice(quote: Quote) -> dict[str, Any]:
    return {
        "quote": quote.quote_id,
        "choice": quote.choice,
        "price": quote.price,
        "plan": quote.instalment_plan,
    }
