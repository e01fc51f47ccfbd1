"""Give an order the cover that it was charged for, and no other.

The hold decides: the one that the shop names, or else the cart's. Cover is booked exactly as it was
charged; otherwise the log names the order and a person is alerted.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.conf import get_config
from django_xcover.mirror import decisions, flags, search_terms
from django_xcover.mirror.presentation import build_offer
from django_xcover.models import Attention, Choice, Hold, QuotePackage, Status
from django_xcover.offers import carts, holds
from django_xcover.offers.shop_values import Cart

logger = safe_logging.get_logger("django_xcover.orders")


def take_over(order: str, *, cart: Cart | None, hold: str = "") -> QuotePackage | None:
    """Let the order with this number take over its package; return None if it has no cover.

    Runs in the order's transaction. Reporting the same order again is harmless.
    """
    if not order:
        return None
    if Hold.objects.filter(order_reference=order).exists():
        # The hold had no cover, or a person has been alerted.
        settle_another(order, hold)
        return None
    if hold:
        locked = holds.lock(hold)
        if locked is not None:
            return _take(*locked, order)
        logger.critical("Order %s names a hold that is not known.", order)
    package = _by_cart(order, cart) if cart and cart[1] else None
    if package is None:
        _alert_if_premiums_wait(order)
    return package


def settle_another(order: str, reference: str) -> None:
    """Settle another hold named by an order that already has its cover, or is known to have none.

    The same cart, frozen again at the same price, was charged once. Any other hold may have been
    charged in addition, so a person is alerted.
    """
    if not reference or Hold.objects.filter(order_reference=order, reference=reference).exists():
        return
    locked = holds.lock(reference)
    if locked is None:
        logger.critical("Order %s names a hold that is not known.", order)
        return
    hold, packages = locked
    if hold.is_resolved or hold.amount is None:
        return
    if any(_is_same(own, hold) for own in Hold.objects.filter(order_reference=order)):
        holds.end([hold])
    else:
        hold.order_reference = order
        hold.taken_at = hold.reported_at = timezone.now()
        hold.save(update_fields=["order_reference", "taken_at", "reported_at", "updated_at"])
        package = next((row for row in packages if row.pk == hold.package_id), None)
        _alert(hold, package, order, "it was settled by another hold")
    holds.free(packages)


def alert_if_just_ordered(package: QuotePackage) -> None:
    """Flag the package if its cart is frozen after the order has taken the package over.

    The shop sent `order_completed` too early, so its total doesn't contain the premium.
    """
    is_recent = package.updated_at > timezone.now() - get_config().hold_length
    chosen = any(q.choice == Choice.ACCEPTED for q in carts.lock_quotes(package))
    if package.order_reference and is_recent and chosen and not package.holds.exists():
        logger.critical(
            "Order %s took over the cover of package %s before it was frozen: "
            "it is probably not charged.",
            package.order_reference,
            package,
        )
        flags.flag(package, Attention.NOT_CHARGED)


def _by_cart(order: str, cart: Cart) -> QuotePackage | None:
    packages = carts.lock_all(*cart)
    account, reference = cart
    mine = Hold.objects.select_for_update().filter(account=account, cart_reference=reference)
    newest = mine.unresolved().order_by("-pk").first() or mine.order_by("-pk").first()
    if newest is None:
        return _take_unfrozen(packages, order)
    if newest.is_resolved and newest.taken_at is None:
        if newest.amount is not None or _has_acceptance(packages):
            logger.critical("Order %s gets no cover: its hold %s was released.", order, newest)
        return None
    return _take(newest, packages, order)


def _take(hold: Hold, packages: Sequence[QuotePackage], order: str) -> QuotePackage | None:
    """Give the order the package of a locked hold, exactly as it was held; None if impossible."""
    package = next((row for row in packages if row.pk == hold.package_id), None)
    if hold.order_reference == order:
        return package if package is not None and package.order_reference == order else None
    if hold.taken_at is not None:
        _alert(hold, package, order, f"order {hold.order_reference} has it")
        return None
    hold.order_reference, hold.taken_at = order, timezone.now()
    hold.reported_at = None
    obstacle = _obstacle(hold, package)
    if obstacle and hold.amount is not None:
        hold.reported_at = hold.taken_at
        _alert(hold, package, order, obstacle)
    hold.save(update_fields=["order_reference", "taken_at", "reported_at", "updated_at"])
    _end_earlier(hold)
    if package is not None and not obstacle:
        _restore(hold, package)
        _give(package, order)
    holds.free(packages)
    _lapse_later(hold, packages)
    return package if not obstacle else None


def _take_unfrozen(packages: Sequence[QuotePackage], order: str) -> QuotePackage | None:
    """Give the order the newest open package of a cart that was never frozen."""
    package = next(iter(carts.still_open(packages)), None)
    if package is None:
        return None
    _give(package, order)
    if any(quote.choice == Choice.ACCEPTED for quote in carts.lock_quotes(package)):
        logger.critical(
            "Order %s takes over cover whose price was never frozen: "
            "it is unknown what was charged.",
            order,
        )
    return package


def _give(package: QuotePackage, order: str) -> None:
    package.order_reference = order
    package.save(update_fields=["order_reference", "updated_at"])
    search_terms.add(package)


def _obstacle(hold: Hold, package: QuotePackage | None) -> str:
    """Return why the order can't get the held package, "" if it can."""
    if package is None:
        return "" if hold.package_id is None else "it belongs to another cart"
    if package.order_reference:
        return f"order {package.order_reference} has it"
    if package.status != Status.RECEIVED:
        return f"it is {package.status}"
    return "" if _is_as_held(hold, package) else "it has changed since"


def _is_as_held(hold: Hold, package: QuotePackage) -> bool:
    """Return whether each charged quote can still be booked at the charged price."""
    offered = {quote.quote_id: quote for quote in carts.lock_quotes(package)}
    for frozen in _accepted(hold):
        quote = offered.get(frozen["quote"])
        if quote is None or quote.status != Status.RECEIVED:
            return False
        if quote.price != Decimal(frozen["price"]):
            return False
        # Not saved; used only to compute the current premium of these answers.
        quote.choice, quote.instalment_plan = Choice.ACCEPTED, frozen["plan"]
    charged = [offered[frozen["quote"]] for frozen in _accepted(hold)]
    # A plan's first instalment may have changed without the price.
    return not charged or build_offer(charged).premium == hold.premium


def _restore(hold: Hold, package: QuotePackage) -> None:
    """Restore the charged answers: the shopper may have changed them after the hold expired."""
    frozen = {choice["quote"]: choice for choice in hold.choices}
    for quote in carts.lock_quotes(package):
        held = frozen.get(quote.quote_id, {"choice": "", "plan": ""})
        if (quote.choice, quote.instalment_plan) == (held["choice"], held["plan"]):
            continue
        if held["choice"]:
            decisions.record(quote, Choice(held["choice"]), plan=held["plan"])
        else:
            decisions.record(quote, Choice.LAPSED)


def _end_earlier(hold: Hold) -> None:
    """Release the earlier holds of the same cart at the same price, because this one was paid.

    A different premium may also have been charged, before the shopper chose again.
    """
    same = (
        Hold.objects.select_for_update()
        .unresolved()
        .filter(account=hold.account, cart_reference=hold.cart_reference, pk__lt=hold.pk)
    )
    holds.end(row for row in same if row.amount is None or _is_same(row, hold))


def _is_same(first: Hold, second: Hold) -> bool:
    """Return whether both holds are for the same cart, unchanged, at the same price."""
    names = ("account", "cart_reference", "fingerprint", "amount", "currency")
    return all(getattr(first, name) == getattr(second, name) for name in names)


def _has_acceptance(packages: Sequence[QuotePackage]) -> bool:
    return any(
        quote.choice == Choice.ACCEPTED
        for package in carts.still_open(packages)
        for quote in carts.lock_offered(package)
    )


def _lapse_later(hold: Hold, packages: Sequence[QuotePackage]) -> None:
    """Lapse acceptances made after the freeze, which were neither charged nor booked."""
    for package in packages:
        is_later = package.is_open and package.pk != hold.package_id and package.held_until is None
        if not is_later or package.fingerprint != hold.fingerprint:
            continue
        if decisions.lapse(carts.lock_quotes(package)):
            logger.warning(
                "Order %s was frozen before package %s was accepted; the acceptance has lapsed.",
                hold.order_reference,
                package,
            )


def _alert(hold: Hold, package: QuotePackage | None, order: str, why: str) -> None:
    if hold.amount is None:
        logger.warning("Order %s has no cover of hold %s: %s.", order, hold, why)
        return
    logger.critical(
        "Order %s was charged %s for package %s and does not get it: %s.",
        order,
        holds.amount_of(hold),
        hold.package_id and hold.package,
        why,
    )
    if package is not None:
        flags.flag(package, Attention.CHARGED_WITHOUT_COVER)


def _alert_if_premiums_wait(order: str) -> None:
    """Log an alert if an order may be one that a frozen premium waits for.

    Such an order came without its cart, with a cart under another reference, or only its payment
    was reported.
    """
    if QuotePackage.objects.for_order(order).exists():
        return
    waiting = Hold.objects.unresolved().with_premium().count()
    if waiting:
        logger.critical(
            "Nothing is known about the cover of order %s, and %s frozen premiums wait for their "
            "order. If it was charged for cover, send order_completed with its hold.",
            order,
            waiting,
        )


def _accepted(hold: Hold) -> list[dict[str, str]]:
    return [choice for choice in hold.choices if choice["choice"] == Choice.ACCEPTED]
