"""The timeline of one order's cover, in chronological order. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from django_xcover.adapters import get_adapter
from django_xcover.formats import format_amount
from django_xcover.models import (
    UNFINISHED,
    AfterSaleOffer,
    Choice,
    Decision,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
)
from django_xcover.support.events import (
    Event,
    Tone,
    events_after_sale,
    events_of_late_offer,
    events_on_record,
    failed_attempts,
    webhook_events,
)
from django_xcover.support.failure_texts import in_plain_words, without_words
from django_xcover.support.follow_ups import steps_after_sale
from django_xcover.support.next_steps import NextStep, next_steps, operation_name, was_refused
from django_xcover.support.order_summary import PolicyAnswers, answers_about
from django_xcover.types import Money

# Relations that can have next steps, each read in one query.
TO_DO = ("quotes__instalments", "flags", "operations", "cancellations", "modifications", "renewals")
# A package's first answer is stored at most this long after its row.
SAME_ANSWER = timedelta(seconds=5)
BOOKINGS = (OperationKind.BOOK, OperationKind.INSTANT_BOOK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An order's packages, answers, timeline and next steps. `order_url` may be "".

    `is_under_way` means that something will still change without staff.
    """

    reference: str
    order_url: str
    packages: tuple[QuotePackage, ...]
    answers: tuple[PolicyAnswers, ...]
    events: tuple[Event, ...]
    next_steps: tuple[NextStep, ...]

    @property
    def is_under_way(self) -> bool:
        """Return whether an operation is unfinished, or accepted cover isn't booked yet."""
        waiting = any(operation.state in UNFINISHED for operation in self._operations())
        return waiting or any(answer.is_under_way for answer in self.answers)

    def _operations(self) -> Iterator[Operation]:
        for package in self.packages:
            yield from package.operations.all()


def order_story(reference: str) -> Story | None:
    """Return the story of the order with this reference, None if it has no package.

    Sixteen queries for any number of events, and one more for corrections of refunds.
    """
    packages = tuple(
        QuotePackage.objects.for_order(reference)
        .prefetch_related(
            "decisions__quote",
            "operations__history",
            "cancellations__corrections",
            "staff_actions",
            "holds",
            *TO_DO,
        )
        .order_by("pk")
    )
    if not packages:
        return None
    events = [event for package in packages for event in _events(package)]
    events += webhook_events(packages)
    for row in AfterSaleOffer.objects.filter(order_reference=reference):
        events += events_of_late_offer(row, packages[-1])
    return Story(
        reference=reference,
        order_url=_order_url(reference),
        packages=packages,
        answers=answers_about(packages),
        # Planned events come last, because they may have been due since before the order.
        events=tuple(sorted(events, key=lambda event: (event.planned, event.at))),
        next_steps=tuple(step for package in packages for step in package_next_steps(package)),
    )


def package_next_steps(package: QuotePackage) -> list[NextStep]:
    """Return the next steps for one package, urgent ones first."""
    prefetch_related_objects([package], *TO_DO)
    quotes = package.quotes.all()
    steps = [
        *next_steps(package, quotes, package.operations.all()),
        *steps_after_sale(package, quotes),
    ]
    return sorted(steps, key=lambda step: not step.urgent)


def _order_url(reference: str) -> str:
    adapter = get_adapter()
    order = adapter.get_order(reference)
    return "" if order is None else adapter.get_order_url(order)


def _events(package: QuotePackage) -> Iterator[Event]:
    yield from _quoted(package)
    for decision in package.decisions.all():
        yield _decided(decision)
    yield from _ordered(package)
    for operation in package.operations.all():
        yield from _operated(operation)
    yield from events_after_sale(package)
    yield from events_on_record(package)
    if package.booked_at and not any(map(_is_made_booking, package.operations.all())):
        yield _booked(package, package.booked_at)


def _quoted(package: QuotePackage) -> Iterator[Event]:
    offered = tuple(
        (quote.label or _("Quote"), quote.policy_name) for quote in package.quotes.all()
    )
    yield Event(at=package.created_at, title=_("Quoted by XCover"), row=package, facts=offered)
    if package.quoted_at > package.created_at + SAME_ANSWER:
        yield Event(at=package.quoted_at, title=_("Quoted again"), row=package)


def _decided(decision: Decision) -> Event:
    titles = {
        Choice.ACCEPTED.value: _("The shopper accepted %(policy)s"),
        Choice.DECLINED.value: _("The shopper declined %(policy)s"),
        Choice.UNANSWERED.value: _("The shopper gave no answer for %(policy)s"),
        Choice.LAPSED.value: _("The acceptance of %(policy)s lapsed because the offer changed"),
        Choice.WITHDRAWN.value: _("The acceptance of %(policy)s was withdrawn before the booking"),
    }
    title = titles.get(decision.choice, decision.choice + ": %(policy)s")
    return Event(
        at=decision.created_at,
        title=title % {"policy": decision.quote.policy_name},
        row=decision,
        tone=Tone.GOOD if decision.choice == Choice.ACCEPTED else Tone.PLAIN,
        facts=_as_shown(decision),
    )


def _as_shown(decision: Decision) -> tuple[tuple[str, str], ...]:
    return (
        (_("Insures"), decision.quote.label),
        (_("Price shown"), format_amount(Money(decision.price, decision.currency))),
        (_("Language"), decision.locale),
        (_("Wording"), decision.wording_hash[:12]),
        (_("Template"), decision.template_version),
    )


def _ordered(package: QuotePackage) -> Iterator[Event]:
    # No column has the time, so use the first row that was written with the order.
    moments = [d.created_at for d in package.decisions.all() if d.order_reference]
    moments += [operation.created_at for operation in package.operations.all()]
    if moments:
        title = _("Order %(reference)s placed") % {"reference": package.order_reference}
        yield Event(at=min(moments), title=title, row=package)


def _operated(operation: Operation) -> Iterator[Event]:
    name = {"name": operation_name(operation)}
    yield Event(at=operation.created_at, title=_("%(name)s queued") % name, row=operation)
    yield from failed_attempts(operation)
    if operation.state == OperationState.PENDING:
        yield from _pending(operation, name)
    elif _is_made_booking(operation):
        yield _booked(operation.package, operation.finished_at or operation.updated_at)
    else:
        yield _moved(operation, name)


def _pending(operation: Operation, name: dict[str, str]) -> Iterator[Event]:
    if operation.attempts and not operation.history.all():
        yield Event(
            at=operation.updated_at,
            title=_("%(name)s failed") % name,
            row=operation,
            tone=Tone.WAITING,
            facts=_attempts(operation),
            discreet=_without_words(operation),
        )
    yield Event(
        at=operation.next_attempt_at,
        title=_("%(name)s: next attempt") % name,
        row=operation,
        tone=Tone.WAITING,
        planned=True,
    )


def _moved(operation: Operation, name: dict[str, str]) -> Event:
    title, tone = {
        OperationState.RUNNING.value: (_("%(name)s in progress"), Tone.WAITING),
        OperationState.DONE.value: (_("%(name)s done"), Tone.GOOD),
        OperationState.NEEDS_PERSON.value: (_("%(name)s stopped: needs a person"), Tone.BAD),
        OperationState.DISCARDED.value: _ended(operation),
    }[operation.state]
    return Event(
        at=operation.finished_at or operation.updated_at,
        title=title % name,
        row=operation,
        tone=tone,
        facts=_attempts(operation),
        discreet=_without_words(operation),
    )


def _ended(operation: Operation) -> tuple[str, Tone]:
    if operation.given_up:
        return _("%(name)s given up"), Tone.BAD
    if was_refused(operation):
        return _("%(name)s refused by XCover"), Tone.BAD
    return _("%(name)s no longer needed"), Tone.PLAIN


def _attempts(operation: Operation) -> tuple[tuple[str, str], ...]:
    values = (
        (_("Attempts"), str(operation.attempts)),
        (_("Last error"), in_plain_words(operation.error)),
        (_("Reason for giving up"), operation.given_up),
    )
    return tuple((label, value) for label, value in values if value)


def _without_words(operation: Operation) -> dict[str, str]:
    return {_("Last error"): without_words(operation.error)}


def _is_made_booking(operation: Operation) -> bool:
    return operation.kind in BOOKINGS and operation.state == OperationState.DONE


def _booked(package: QuotePackage, at: datetime) -> Event:
    # Without the total, because only the current one is stored, and changes may have altered it.
    # Each decision has its price.
    return Event(at=at, title=_("Booked at XCover"), row=package, tone=Tone.GOOD)
