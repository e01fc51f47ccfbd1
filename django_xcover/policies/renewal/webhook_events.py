"""Handle XCover's `RENEWAL_*` webhooks."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.exceptions import ActionRefused, NotRenewable
from django_xcover.mirror import refresh
from django_xcover.models import BOOKED, QuotePackage, Renewal, Status
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import due, notifications, quoting
from django_xcover.policies.renewal.due import GRACE, OPEN

logger = safe_logging.get_logger("django_xcover.policies")

CREATED = "RENEWAL_CREATED"
NOTIFICATION = "RENEWAL_NOTIFICATION"
DUE = "RENEWAL_DUE"
EXPIRED = "RENEWAL_EXPIRED"
EVENTS = (CREATED, NOTIFICATION, DUE, EXPIRED)
State = Renewal.State


def on_event(event: str, package_id: str, account: str, renewal_id: str = "") -> Renewal | None:
    """Handle a renewal event, and return its renewal; None if there is none.

    The signature of a webhook doesn't cover its body (Quotes API: authentication of a webhook), so
    the booking is read at XCover before anything changes; the announced id is stored unverified.
    Events may arrive twice, late and in any order. Raises XCoverError if the booking can't be
    read; the event must then be retried. Events not in EVENTS and unknown packages are ignored.
    """
    package = QuotePackage.objects.filter(account=account, package_id=package_id).first()
    if event not in EVENTS or package is None:
        logger.info("Ignored %s for package %s.", event, package_id)
        return None
    package = refresh.refresh(package)
    renewal = _concerned(package, renewal_id) if package.status in BOOKED else None
    if renewal is not None and renewal.state in quoting.WAITING:
        _act(event, renewal)
    return renewal


def _concerned(package: QuotePackage, renewal_id: str) -> Renewal | None:
    """Return the renewal that the event is about, and store the announced id on it.

    The latest announcement wins, because an earlier body may have been forged.
    """
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        renewed = due.settle_mirrored(locked)
        due.end_without_cover(locked)
        renewal = _find(locked, renewal_id, renewed)
        if renewal is not None and renewal_id:
            renewal.announced_id = renewal_id
            renewal.save(update_fields=["announced_id", "updated_at"])
    return renewal


def _find(package: QuotePackage, renewal_id: str, renewed: list[Renewal]) -> Renewal | None:
    """Return the renewal with this id, else a settled or open one, else the current period's."""
    rows = list(package.renewals.select_related("package"))
    named = [row for row in rows if renewal_id and renewal_id in {row.renewal_id, row.announced_id}]
    candidates = named or renewed or [row for row in rows if row.state in OPEN]
    if candidates:
        return candidates[0]
    ends = _end_of_present_period(package)
    return due.note(package, ends) if ends else None


def _end_of_present_period(package: QuotePackage) -> datetime | None:
    """Return when the cover in force ends; None if none is in force.

    A period that hasn't begun has no renewal: such an event is a late one about the last period.
    """
    now = timezone.now()
    policies = package.quotes.filter(status=Status.CONFIRMED, is_renewable=True)
    running = policies.filter(policy_start_date__lte=now, policy_end_date__gt=now - GRACE)
    first = running.order_by("policy_end_date").first()
    return first.policy_end_date if first else None


def _act(event: str, renewal: Renewal) -> None:
    try:
        if event == EXPIRED:
            quoting.ask(renewal.package)
            logger.warning(
                "Renewal %s was reported as expired, but XCover still quotes it.", renewal.pk
            )
        elif event != CREATED and renewal.state == State.DUE:
            quoting.quote(renewal)
        elif event != CREATED:
            notifications.notify(renewal)
    except NotRenewable:
        _note_refusal(event, renewal)
    except ActionRefused as overtaken:
        logger.info("%s about renewal %s was overtaken: %s.", event, renewal.pk, overtaken.code)


def _note_refusal(event: str, renewal: Renewal) -> None:
    if event == EXPIRED:
        transition(renewal, State.EXPIRED, field="state")
    else:
        logger.warning("Received %s, but XCover quotes no renewal %s.", event, renewal.pk)
