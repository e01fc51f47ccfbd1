"""Prepare a statement of withdrawal, with or without a refund, and record it permanently.

Guests get there by signed links, which need no session and contain no personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from django_xcover import safe_logging, signals, validators
from django_xcover.client import XCoverError
from django_xcover.client.schemas.requests import booked_policyholder
from django_xcover.clients import circuit_breaker
from django_xcover.conf import get_config
from django_xcover.exceptions import (
    ActionRefused,
    AlreadyCancelled,
    LinkExpired,
    LinkInvalid,
    NotCancellable,
    PreviewExpired,
    code_of,
)
from django_xcover.mirror.presentation import clean_text
from django_xcover.models import Cancellation, Operation, Quote, QuotePackage, Withdrawal
from django_xcover.models.operation import PAYING
from django_xcover.policies.cancellation import eligibility, requests
from django_xcover.tracebacks import clears_frames

logger = safe_logging.get_logger("django_xcover.policies")

# Signed links with which guests withdraw: no session, no login, no personal data.

SALT = "django_xcover.withdrawal"


@clears_frames
def link_path(order_reference: str) -> str:
    """Return the path of the page to withdraw from an order's cover without login.

    Prepend the shop's address, and send the link only to the customer: anyone who has it can
    cancel. The path is signed and contains an internal number. It is "" for an order without cover.
    """
    package = QuotePackage.objects.for_order(order_reference).order_by("pk").first()
    if package is None:
        return ""
    return reverse("xcover:withdraw", args=[signing.dumps(package.pk, salt=SALT)])


def read_link(token: str) -> list[QuotePackage]:
    """Return the packages of the link's order; raise LinkInvalid or LinkExpired."""
    age = timedelta(days=get_config().withdrawal_link_days)
    try:
        pk = signing.loads(token, salt=SALT, max_age=age)
    except signing.SignatureExpired as error:
        raise LinkExpired from error
    except signing.BadSignature as error:
        raise LinkInvalid from error
    package = QuotePackage.objects.filter(pk=pk).first()
    if package is None:
        raise LinkInvalid
    return list(QuotePackage.objects.for_order(package.order_reference).order_by("pk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The policyholder. `details` has every known field, by XCover's name."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    details: Mapping[str, Any] = field(repr=False)


def holder_of(package: QuotePackage) -> Holder:
    """Return the policyholder of `package`; an unknown name or address is ""."""
    known = package.answer.policyholder
    if not known.email:
        rows = Operation.objects.filter(package=package, kind__in=PAYING).exclude(request={})
        operation = rows.order_by("-pk").first()
        known = booked_policyholder(operation.request) if operation else known
    names = (clean_text(known.first_name), clean_text(known.last_name))
    return Holder(
        name=" ".join(filter(None, names)),
        email=clean_text(known.email) or clean_text(package.policyholder_email),
        details=known.details,
    )


# Statements of withdrawal.

SHOPPER = Cancellation.Origin.SHOPPER
# The longest known cooling-off period (Indiana, travel: 30 days; retail devices: 28).
LONGEST_PERIOD = timedelta(days=30)


@clears_frames
def may_withdraw(package: QuotePackage) -> bool:
    """Return whether a withdrawal period may still be running in any jurisdiction."""
    begun = package.booked_at
    return begun is None or timezone.now() < begun + LONGEST_PERIOD


@clears_frames
def prepare(package: QuotePackage, *, quotes: Sequence[Quote], reason: str = "") -> Cancellation:
    """Return the cancellation that the shopper confirms next. Nothing is cancelled.

    It is XCover's preview with the refund. If nothing is booked yet, or XCover doesn't give a
    usable answer in time or refuses, it is a draft without a refund, because a statement must not
    wait for XCover. Raises NotCancellable, AlreadyCancelled or a subclass if there is no contract
    (any more), and CardNumberSent if `reason` contains a card number.
    """
    validators.refuse(reason, "reason")
    wanted = eligibility.choose(package, quotes, unbooked=True)
    if not any(map(eligibility.is_unbooked, wanted)):
        previewed = _preview(package, quotes, reason)
        if previewed is not None:
            return previewed
    with transaction.atomic():
        wanted = eligibility.choose(package, quotes, unbooked=True)
        state = Cancellation.State.DRAFT
        return requests.create(package, wanted, state=state, origin=SHOPPER, reason=reason)


def _preview(package: QuotePackage, quotes: Sequence[Quote], reason: str) -> Cancellation | None:
    """Return XCover's preview, None if there is none.

    A refusal by XCover doesn't block the statement, because the law decides whether the customer
    may withdraw. The cancellation is sent again later, and a second refusal goes to a person.
    """
    if circuit_breaker.state(package.account).circuit == circuit_breaker.Circuit.OPEN:
        return None
    try:
        return requests.preview(package, quotes=quotes, origin=SHOPPER, reason=reason)
    except (XCoverError, NotCancellable) as error:
        logger.warning(
            "The refund for package %s is not known yet (%s); it can be cancelled without it.",
            package.package_id,
            code_of(error),
        )
    return None


@clears_frames
def withdraw(
    cancellation: Cancellation, *, channel: Withdrawal.Channel, name: str = "", email: str = ""
) -> Withdrawal:
    """Record the statement and enqueue its cancellation, in one transaction and without any call.

    `name` and `email` default to the policyholder's. Repeating the statement, from any page or tab,
    returns the first one. If another cancellation already covers the policies, the statement is
    recorded on that one. Raises PreviewExpired if the refund shown is no longer valid, and
    NotCancellable, AlreadyCancelled or a subclass if nothing can be cancelled.
    """
    validators.refuse(name, "name")
    with transaction.atomic():
        package = QuotePackage.objects.locked().get(pk=cancellation.package_id)
        cancellation.refresh_from_db()
        stated = Withdrawal.objects.filter(cancellation=cancellation).first()
        if stated is not None:
            return stated
        # Read first, because a booking that is taken back loses its policyholder.
        known = holder_of(package)
        carried_out_by = _carry_out(package, cancellation)
        if carried_out_by is not None:
            return _record(
                package, carried_out_by, channel, name or known.name, email or known.email
            )
    # Raised outside the transaction, so that the preview stays expired.
    raise PreviewExpired


def _carry_out(package: QuotePackage, cancellation: Cancellation) -> Cancellation | None:
    """Return the cancellation that carries out the statement, None if the preview has expired."""
    quotes = _lock(package, cancellation)
    free, obstacles = eligibility.split(package, quotes, unbooked=True)
    taken = [reason for reason in obstacles if isinstance(reason, AlreadyCancelled)]
    if not taken or len(taken) < len(obstacles):
        return _confirm(package, cancellation, free, obstacles)
    if free:
        # Another tab or the shop's order cancelled some of them first. The refund shown is for all
        # of them, so the rest is cancelled without a preview.
        why, draft = cancellation.reason, Cancellation.State.DRAFT
        rest = requests.create(package, free, state=draft, origin=SHOPPER, reason=why)
        return _confirm(package, rest, free)
    rows = package.cancellations.filter(state__in=requests.UNDER_WAY, quotes__in=quotes)
    under_way = rows.order_by("-pk").first()
    if under_way is None:
        raise taken[-1]
    return under_way


def _lock(package: QuotePackage, cancellation: Cancellation) -> list[Quote]:
    """Lock and return the policies; a locking read is current even under REPEATABLE READ."""
    keys = list(cancellation.quotes.values_list("pk", flat=True))
    rows = package.quotes.filter(pk__in=keys).select_for_update()
    return list(rows.order_by("position"))


def _confirm(
    package: QuotePackage,
    cancellation: Cancellation,
    free: Sequence[Quote],
    obstacles: Sequence[ActionRefused] = (),
) -> Cancellation | None:
    unbooked = [quote for quote in free if eligibility.is_unbooked(quote)]
    if unbooked and obstacles:
        raise obstacles[-1]
    if unbooked:
        requests.withdraw(package, cancellation, unbooked)
    elif requests.confirm(package, cancellation) is None:
        cancellation.refresh_from_db()
        return None
    cancellation.refresh_from_db()
    return cancellation


def _record(
    package: QuotePackage,
    cancellation: Cancellation,
    channel: Withdrawal.Channel,
    name: str,
    email: str,
) -> Withdrawal:
    name = name.strip()
    stated, is_new = Withdrawal.objects.get_or_create(
        cancellation=cancellation,
        defaults={
            "channel": channel,
            "name": name[:200],
            "email": email.strip(),
            "language": get_language() or "en",
            "statement": _statement(package, cancellation, name),
            "made_at": timezone.now(),
        },
    )
    if is_new:
        logger.info("Withdrawal from package %s received.", package.package_id)
        transaction.on_commit(
            partial(signals.withdrawal_received.send_robust, sender=Withdrawal, withdrawal=stated)
        )
    return stated


def _statement(package: QuotePackage, cancellation: Cancellation, name: str) -> str:
    """Return the statement in the page's language: the contract, the name and any reason."""
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
