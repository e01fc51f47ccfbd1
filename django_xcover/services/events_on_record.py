"""The events that have rows of their own: attempts, flags, what staff did, and webhooks."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from django_xcover.models import Attempt, Flag, Hold, Operation, QuotePackage, WebhookDelivery
from django_xcover.services.amounts import format_amount
from django_xcover.services.events import Event, Tone
from django_xcover.services.next_steps import operation_name

# The newest of an order: a booking can have hundreds.
MOST_WEBHOOKS = 100
FAILED = (Attempt.Outcome.FAILED, Attempt.Outcome.DIED)


def events_on_record(package: QuotePackage) -> Iterator[Event]:
    """Yield the flags and holds of `package` and what staff did; all should be prefetched."""
    for hold in package.holds.all():
        yield from _held(hold)
    for flag in package.flags.all():
        yield from _flagged(flag)
    for action in package.staff_actions.all():
        yield Event(at=action.at, title=action.sentence, row=package, by=action.by)


def failed_attempts(operation: Operation) -> Iterator[Event]:
    """Yield the attempts that did not end the operation; how it ended is an event of its own."""
    history = list(operation.history.all())
    for attempt in history:
        # What stopped and was retried since is told here, because the operation has moved on.
        if attempt.outcome in FAILED or (_has_stopped(attempt) and attempt is not history[-1]):
            yield _failed(operation, attempt)


def webhook_events(packages: Collection[QuotePackage]) -> Iterator[Event]:
    """Yield the webhooks about `packages`, in one query."""
    known = {(package.account, package.package_id) for package in packages}
    ids = {package_id for _account, package_id in known}
    rows = WebhookDelivery.objects.filter(package_id__in=ids).defer("body").order_by("-pk")
    for delivery in rows[:MOST_WEBHOOKS]:
        if (delivery.account, delivery.package_id) in known:
            yield _received(delivery)


def _has_stopped(attempt: Attempt) -> bool:
    return attempt.outcome == Attempt.Outcome.STOPPED


def _failed(operation: Operation, attempt: Attempt) -> Event:
    facts = {"name": operation_name(operation), "number": attempt.number}
    return Event(
        at=attempt.ended_at,
        title=_("%(name)s: attempt %(number)s did not work") % facts,
        row=operation,
        tone=Tone.BAD if _has_stopped(attempt) else Tone.WAITING,
        facts=((_("Error"), attempt.error),),
    )


def _held(hold: Hold) -> Iterator[Event]:
    """Yield what became of a frozen premium; the alarm is a flag, which is an event of its own."""
    if hold.premium is None:
        return
    facts = {"premium": format_amount(hold.premium), "order": hold.order_reference}
    yield Event(at=hold.created_at, title=_("%(premium)s frozen to be charged") % facts, row=hold)
    if hold.state == Hold.State.TAKEN and hold.taken_at:
        title = _("%(premium)s taken over by order %(order)s") % facts
        yield Event(at=hold.taken_at, title=title, row=hold, tone=Tone.GOOD)
    elif hold.state == Hold.State.NOT_COVERED and hold.taken_at:
        title = _("Order %(order)s was charged %(premium)s and is not covered by this") % facts
        yield Event(at=hold.taken_at, title=title, row=hold, tone=Tone.BAD)
    elif hold.released_at:
        title = _("%(premium)s released: not charged") % facts
        yield Event(at=hold.released_at, title=title, row=hold)


def _flagged(flag: Flag) -> Iterator[Event]:
    reason = {"reason": flag.get_reason_display()}
    yield Event(at=flag.raised_at, title=_("Flagged: %(reason)s") % reason, row=flag, tone=Tone.BAD)
    if flag.resolved_at and not flag.resolved_by:
        # What a person did about it is among the actions of staff.
        title = _("No longer so: %(reason)s") % reason
        yield Event(at=flag.resolved_at, title=title, row=flag, tone=Tone.GOOD)


def _received(delivery: WebhookDelivery) -> Event:
    facts = [(_("State"), delivery.get_state_display())]
    if delivery.times_received > 1:
        facts.append((_("Times received"), str(delivery.times_received)))
    failed = delivery.state == WebhookDelivery.State.FAILED
    return Event(
        at=delivery.received_at,
        title=_("XCover sent a webhook: %(event)s") % {"event": delivery.event or "-"},
        row=delivery,
        tone=Tone.BAD if failed else Tone.PLAIN,
        facts=tuple(facts),
    )
