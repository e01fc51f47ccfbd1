"""The events of an order's timeline."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from django_xcover.formats import format_amount
from django_xcover.models import (
    AfterSaleOffer,
    Attempt,
    Cancellation,
    Choice,
    Decision,
    Flag,
    Hold,
    Modification,
    Operation,
    QuotePackage,
    RefundCorrection,
    Renewal,
    StaffAction,
    WebhookDelivery,
)
from django_xcover.policies import refunds
from django_xcover.support.follow_ups import difference_text
from django_xcover.support.next_steps import operation_name
from django_xcover.types import Money

Row = (
    QuotePackage
    | Decision
    | Operation
    | Cancellation
    | Modification
    | Renewal
    | Flag
    | Hold
    | WebhookDelivery
)


class Tone(StrEnum):
    """The tone of an event: good, bad, waiting or neutral."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to `row` at `at`; `facts` are pairs of label and value.

    `by` is the primary key of the user who did it. A `planned` event hasn't happened yet.

    Users without permission to see personal data get `discreet_title` in place of the title, and
    the values in `discreet` (by label, "" for none) in place of those in `facts`.
    """

    at: datetime
    title: str
    row: Row
    tone: Tone = Tone.PLAIN
    facts: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    by: str = ""
    planned: bool = False
    discreet_title: str = ""
    discreet: Mapping[str, str] = field(default_factory=dict)


def events_of_late_offer(row: AfterSaleOffer, package: QuotePackage) -> Iterator[Event]:
    """Yield the events of the cover that was offered after the sale, at a package of its order."""
    yield Event(at=row.created_at, title=_("Cover offered after the sale"), row=package)
    if row.answered_at and row.choice:
        is_yes = row.choice == Choice.ACCEPTED
        title = _("Cover accepted after the sale") if is_yes else _("Cover declined after the sale")
        facts = ((_("Price"), format_amount(row.price)),) if row.price else ()
        tone = Tone.GOOD if is_yes else Tone.PLAIN
        yield Event(at=row.answered_at, title=title, row=package, tone=tone, facts=facts)
    if row.paid_at:
        facts = ((_("Reference"), row.payment_reference),) if row.payment_reference else ()
        title = _("Cover paid after the sale")
        yield Event(at=row.paid_at, title=title, row=package, tone=Tone.GOOD, facts=facts)


def events_after_sale(package: QuotePackage) -> Iterator[Event]:
    """Yield the events of `package` after the sale. Prefetch its workflows."""
    for cancellation in package.cancellations.all():
        yield from _cancelled(cancellation)
    for modification in package.modifications.all():
        yield from _modified(modification)
    for renewal in package.renewals.all():
        yield from _renewed(renewal)


def _cancelled(row: Cancellation) -> Iterator[Event]:
    refund = ((_("Refund"), format_amount(row.refund)),) if row.refund else ()
    asker = ((_("Requested by"), row.get_origin_display()), (_("Reason"), row.reason))
    title = _("Cancellation previewed") if row.confirm_before else _("Cancellation requested")
    # Customers give the reason in their own words.
    discreet = {_("Reason"): ""}
    yield Event(at=row.created_at, title=title, row=row, facts=(*asker, *refund), discreet=discreet)
    if row.confirmed_at:
        at = row.confirmed_at
        yield Event(at=at, title=_("Cancelled"), row=row, tone=Tone.GOOD, facts=refund)
    yield from _refunded(row)
    yield from _ended_badly(row)


def _refunded(row: Cancellation) -> Iterator[Event]:
    refund, reference = refunds.recorded(row), row.refund_reference
    if not row.refunded_at or refund is None:
        return
    corrections = list(row.corrections.all())
    if corrections:  # the values that were recorded first
        refund = Money(corrections[0].amount_before, row.currency)
        reference = corrections[0].reference_before
    title, tone = _("Refund recorded"), Tone.GOOD
    facts = [(_("Refund"), format_amount(refund)), (_("Reference"), reference)]
    if row.refund and refunds.differs(row, refund):
        title, tone = _("Refund recorded, but it differs"), Tone.BAD
        facts.insert(1, (_("Refund named by XCover"), format_amount(row.refund)))
    yield Event(at=row.refunded_at, title=title, row=row, tone=tone, facts=tuple(facts))
    for correction in corrections:
        yield _corrected(row, correction)


def _corrected(row: Cancellation, correction: RefundCorrection) -> Event:
    facts = (
        (_("Before"), format_amount(Money(correction.amount_before, row.currency))),
        (_("Refund"), format_amount(Money(correction.amount, row.currency))),
        (_("Reference"), correction.reference),
        (_("Reason"), correction.reason),
    )
    title = _("Recorded refund corrected")
    return Event(at=correction.at, title=title, row=row, facts=facts, by=correction.by)


def _modified(row: Modification) -> Iterator[Event]:
    difference = ((_("Difference"), difference_text(row.difference)),)
    title = _("Change quoted") if row.update_id else _("Change requested")
    yield Event(at=row.created_at, title=title, row=row, facts=difference)
    if row.settled_at:
        facts = ((_("Reference"), row.settlement_reference),)
        yield Event(at=row.settled_at, title=_("Difference settled"), row=row, facts=facts)
    if row.confirmed_at:
        yield Event(at=row.confirmed_at, title=_("Changed"), row=row, tone=Tone.GOOD)
    if row.state == Modification.State.ABANDONED:
        yield Event(at=row.updated_at, title=_("Change abandoned"), row=row)
    yield from _ended_badly(row)


def _renewed(row: Renewal) -> Iterator[Event]:
    price = ((_("Price"), format_amount(row.premium)),) if row.premium else ()
    yield Event(at=row.created_at, title=_("Found due for renewal"), row=row)
    if row.notified_at:
        title = _("Customer notified of the renewal")
        yield Event(at=row.notified_at, title=title, row=row, facts=price)
    if row.paid_at:
        facts = (*price, (_("Reference"), row.payment_reference))
        yield Event(at=row.paid_at, title=_("Renewal paid"), row=row, facts=facts)
    if row.confirmed_at:
        yield Event(at=row.confirmed_at, title=_("Renewed"), row=row, tone=Tone.GOOD)
    ended = {
        Renewal.State.OPTED_OUT.value: _("Renewal declined"),
        Renewal.State.EXPIRED.value: _("Renewal expired"),
    }
    if row.state in ended:
        yield Event(at=row.updated_at, title=ended[row.state], row=row)


def _ended_badly(row: Cancellation | Modification) -> Iterator[Event]:
    names = {
        Cancellation.State.REFUSED.value: (_("Refused by XCover"), Tone.BAD),
        Cancellation.State.EXPIRED.value: (_("Preview expired"), Tone.PLAIN),
    }
    if row.state in names:
        title, tone = names[row.state]
        yield Event(at=row.updated_at, title=title, row=row, tone=tone)


# Only the newest webhooks are shown, because a booking can have hundreds.
MOST_WEBHOOKS = 100
FAILED = (Attempt.Outcome.FAILED, Attempt.Outcome.DIED)


def events_on_record(package: QuotePackage) -> Iterator[Event]:
    """Yield the flags, holds and staff actions of `package`. Prefetch all of them."""
    for hold in package.holds.all():
        yield from _held(hold)
    for flag in package.flags.all():
        yield from _flagged(flag)
    for action in package.staff_actions.all():
        yield _acted(package, action)


def _acted(package: QuotePackage, action: StaffAction) -> Event:
    # Earlier versions stored XCover's text here, which repeats the customer's input.
    discreet = _("Done by staff: %(action)s") % {"action": action.action}
    return Event(
        at=action.at,
        title=action.sentence,
        row=package,
        by=action.by,
        discreet_title=discreet,
    )


def failed_attempts(operation: Operation) -> Iterator[Event]:
    """Yield the failed attempts, except the final one, which is part of the operation's event."""
    history = list(operation.history.all())
    for attempt in history:
        # An attempt that stopped and was retried since, because the operation has moved on.
        if attempt.outcome in FAILED or (_has_stopped(attempt) and attempt is not history[-1]):
            yield _failed(operation, attempt)


def webhook_events(packages: Collection[QuotePackage]) -> Iterator[Event]:
    """Yield the latest webhooks about `packages`, in one query."""
    known = {(package.account, package.package_id) for package in packages}
    ids = {package_id for _account, package_id in known}
    rows = WebhookDelivery.objects.filter(package_id__in=ids).defer("body").order_by("-pk")
    for delivery in rows[:MOST_WEBHOOKS]:
        if (delivery.account, delivery.package_id) in known:
            yield _received(delivery)


def _has_stopped(attempt: Attempt) -> bool:
    return attempt.outcome == Attempt.Outcome.STOPPED


def _failed(operation: Operation, attempt: Attempt) -> Event:
    values = {"name": operation_name(operation), "number": attempt.number}
    return Event(
        at=attempt.ended_at,
        title=_("%(name)s: attempt %(number)s failed") % values,
        row=operation,
        tone=Tone.BAD if _has_stopped(attempt) else Tone.WAITING,
        facts=((_("Error"), attempt.error),),
    )


def _held(hold: Hold) -> Iterator[Event]:
    """Yield the outcome of a frozen premium. Its alert is a flag, with a separate event."""
    if hold.premium is None:
        return
    values = {"premium": format_amount(hold.premium), "order": hold.order_reference}
    yield Event(at=hold.created_at, title=_("%(premium)s frozen to be charged") % values, row=hold)
    if hold.state == Hold.State.TAKEN and hold.taken_at:
        title = _("%(premium)s taken over by order %(order)s") % values
        yield Event(at=hold.taken_at, title=title, row=hold, tone=Tone.GOOD)
    elif hold.state == Hold.State.NOT_COVERED and hold.taken_at:
        title = _("Order %(order)s was charged %(premium)s but is not covered by this") % values
        yield Event(at=hold.taken_at, title=title, row=hold, tone=Tone.BAD)
    elif hold.released_at:
        title = _("%(premium)s released: not charged") % values
        yield Event(at=hold.released_at, title=title, row=hold)


def _flagged(flag: Flag) -> Iterator[Event]:
    reason = {"reason": flag.get_reason_display()}
    yield Event(at=flag.raised_at, title=_("Flagged: %(reason)s") % reason, row=flag, tone=Tone.BAD)
    if flag.resolved_at and not flag.resolved_by:
        # If a person resolved it, a staff action has the event.
        title = _("No longer the case: %(reason)s") % reason
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
