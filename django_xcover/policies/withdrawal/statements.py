"""A statement of withdrawal: prepared with or without a refund, then on record for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from django_xcover import safe_logging, signals, validators
from django_xcover.client import XCoverError
from django_xcover.clients import circuit_breaker
from django_xcover.exceptions import AlreadyCancelled, PreviewExpired, code_of
from django_xcover.mirror.presentation import clean_text
from django_xcover.models import Cancellation, Quote, QuotePackage, Withdrawal
from django_xcover.policies import cancellation as cancelling
from django_xcover.policies.cancellation import eligibility, requests

logger = safe_logging.get_logger("django_xcover.policies")

SHOPPER = Cancellation.Origin.SHOPPER
# The longest cooling-off period known (Indiana, travel: 30 days; retail devices: 28).
LONGEST_PERIOD = timedelta(days=30)


def may_withdraw(package: QuotePackage) -> bool:
    """Return whether a withdrawal period may still run; False where it is over everywhere."""
    begun = package.booked_at
    return begun is None or timezone.now() < begun + LONGEST_PERIOD


def prepare(package: QuotePackage, *, quotes: Sequence[Quote], reason: str = "") -> Cancellation:
    """Return what the shopper confirms next. Nothing is cancelled.

    It is XCover's preview with the refund. Where XCover does not answer in time, or not usefully,
    it is a draft without one, because a statement must not wait for XCover. Raises NotCancellable
    or AlreadyCancelled, or one of their kinds, and CardNumberSent for one in `reason`.
    """
    try:
        if circuit_breaker.state(package.account).circuit != circuit_breaker.Circuit.OPEN:
            return cancelling.preview(package, quotes=quotes, origin=SHOPPER, reason=reason)
    except XCoverError as error:
        logger.warning(
            "The refund for package %s is not known yet (%s); it can be cancelled without.",
            package.package_id,
            code_of(error),
        )
    validators.refuse(reason, "reason")
    with transaction.atomic():
        wanted = eligibility.choose(package, quotes)
        state = Cancellation.State.DRAFT
        return requests.create(package, wanted, state=state, origin=SHOPPER, reason=reason)


def withdraw(
    cancellation: Cancellation, *, channel: Withdrawal.Channel, name: str = "", email: str = ""
) -> Withdrawal:
    """Put the statement on record and have it carried out, in one transaction. Asks nobody.

    `name` and `email` default to the policyholder's. The same statement again, from whichever door
    or tab, returns the first one; policies that something else is cancelling already get the
    statement on that cancellation. Raises PreviewExpired when the refund shown is no longer right,
    and NotCancellable or AlreadyCancelled, or one of their kinds, where nothing can be cancelled.
    """
    validators.refuse(name, "name")
    with transaction.atomic():
        package = QuotePackage.objects.locked().get(pk=cancellation.package_id)
        cancellation.refresh_from_db()
        stated = Withdrawal.objects.filter(cancellation=cancellation).first()
        if stated is not None:
            return stated
        carried_out_by = _carry_out(package, cancellation)
        if carried_out_by is not None:
            return _record(package, carried_out_by, channel, name, email)
    # Outside, so that the preview stays expired.
    raise PreviewExpired


def _carry_out(package: QuotePackage, cancellation: Cancellation) -> Cancellation | None:
    """Return the cancellation that carries the statement out, None for a preview too old."""
    quotes = list(cancellation.quotes.order_by("position"))
    free, obstacles = eligibility.split(package, quotes)
    taken = [reason for reason in obstacles if isinstance(reason, AlreadyCancelled)]
    if not taken or len(taken) < len(obstacles):
        operation = requests.confirm(package, cancellation)
        cancellation.refresh_from_db()
        return cancellation if operation else None
    if free:
        # Another tab, or the shop's order, was first with some of them: the refund shown is that
        # of all, so the rest is cancelled without a preview.
        operation = requests.enqueue(package, free, origin=SHOPPER, reason=cancellation.reason)
        return Cancellation.objects.get(pk=int(operation.subject))
    rows = package.cancellations.filter(state__in=requests.UNDER_WAY, quotes__in=quotes)
    under_way = rows.order_by("-pk").first()
    if under_way is None:
        raise taken[-1]
    return under_way


def _record(
    package: QuotePackage,
    cancellation: Cancellation,
    channel: Withdrawal.Channel,
    name: str,
    email: str,
) -> Withdrawal:
    known = package.answer.policyholder
    on_record = (clean_text(known.first_name), clean_text(known.last_name))
    name = name.strip() or " ".join(filter(None, on_record))
    now = timezone.now()
    stated, is_new = Withdrawal.objects.get_or_create(
        cancellation=cancellation,
        defaults={
            "channel": channel,
            "name": name[:200],
            "email": email.strip() or clean_text(known.email),
            "language": get_language() or "en",
            "statement": _statement(package, cancellation, name),
            "made_at": now,
        },
    )
    if is_new:
        logger.info("A withdrawal from package %s has arrived.", package.package_id)
        transaction.on_commit(partial(_announce, stated))
    return stated


def _statement(package: QuotePackage, cancellation: Cancellation, name: str) -> str:
    """Return what is stated, in the language of the page: who, which contract, and why if said."""
    policies = (
        f"- {quote.label or quote.policy_name} ({quote.policy_name}, {quote.quote_id})"
        for quote in cancellation.quotes.order_by("position")
    )
    lines = [
        _("I withdraw from the contract for this cover, or cancel it:"),
        *policies,
        _("Order: %(order)s, booking: %(booking)s")
        % {"order": package.order_reference, "booking": package.package_id},
        _("Name: %(name)s") % {"name": name} if name else "",
        _("Reason: %(reason)s") % {"reason": cancellation.reason} if cancellation.reason else "",
    ]
    return "\n".join(filter(None, lines))


def _announce(withdrawal: Withdrawal) -> None:
    signals.withdrawal_received.send_robust(sender=Withdrawal, withdrawal=withdrawal)
