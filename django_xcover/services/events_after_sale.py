"""The events of cancellations, changes and renewals; money, no names."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from django_xcover.models import Cancellation, Modification, QuotePackage, RefundCorrection, Renewal
from django_xcover.services import refunds
from django_xcover.services.after_sale import difference_text
from django_xcover.services.amounts import format_amount
from django_xcover.services.events import Event, Tone
from django_xcover.types import Money


def events_after_sale(package: QuotePackage) -> Iterator[Event]:
    """Yield what happened to `package` after the sale; its workflows should be prefetched."""
    for cancellation in package.cancellations.all():
        yield from _cancelled(cancellation)
    for modification in package.modifications.all():
        yield from _modified(modification)
    for renewal in package.renewals.all():
        yield from _renewed(renewal)


def _cancelled(row: Cancellation) -> Iterator[Event]:
    refund = ((_("Refund"), format_amount(row.refund)),) if row.refund else ()
    asked = ((_("Asked for by"), row.get_origin_display()), (_("Reason"), row.reason))
    title = _("Cancellation previewed") if row.confirm_before else _("Cancellation asked for")
    yield Event(at=row.created_at, title=title, row=row, facts=(*asked, *refund))
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
    if corrections:  # what was recorded first
        refund = Money(corrections[0].amount_before, row.currency)
        reference = corrections[0].reference_before
    title, tone = _("Refund recorded"), Tone.GOOD
    facts = [(_("Refund"), format_amount(refund)), (_("Reference"), reference)]
    if row.refund and refunds.differs(row, refund):
        title, tone = _("Refund recorded, and it differs"), Tone.BAD
        facts.insert(1, (_("Refund XCover named"), format_amount(row.refund)))
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
    title = _("Change quoted") if row.update_id else _("Change asked for")
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
        title = _("Customer told of the renewal")
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
