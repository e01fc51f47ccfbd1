"""Answers to the first questions about an order: covered, what, until when, cost, what next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_xcover.formats import format_amount
from django_xcover.mirror import instalment_plans
from django_xcover.models import (
    Cancellation,
    Choice,
    Instalment,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.overview.policies import PolicyState, policy_rows, summarise
from django_xcover.policies import refunds
from django_xcover.support.events import Tone
from django_xcover.support.follow_ups import awaits_refund
from django_xcover.support.next_steps import moment
from django_xcover.types import Money

# States that will change without staff.
UNDER_WAY = frozenset({PolicyState.ARRANGING, PolicyState.AWAITING_PAYMENT, PolicyState.CANCELLING})
TONES = {
    PolicyState.ARRANGING: Tone.WAITING,
    PolicyState.AWAITING_PAYMENT: Tone.WAITING,
    PolicyState.CANCELLING: Tone.WAITING,
    PolicyState.UPCOMING: Tone.GOOD,
    PolicyState.ACTIVE: Tone.GOOD,
    PolicyState.NEEDS_PERSON: Tone.BAD,
    PolicyState.UNCLEAR: Tone.BAD,
    PolicyState.FAILED: Tone.BAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAnswers:
    """The answers about one policy, or about an order without one (`quote` is None).

    `is_under_way` means that it will change without staff, such as paid cover that isn't booked.
    """

    package: QuotePackage
    quote: Quote | None
    tone: Tone
    covered: str
    insures: str = ""
    policy: str = ""
    period: str = ""
    cost: str = ""
    payment: str = ""
    next: str = ""
    is_under_way: bool = False


def answers_about(packages: Collection[QuotePackage]) -> tuple[PolicyAnswers, ...]:
    """Return the answers about each policy of `packages`, in one query.

    Prefetch the other related rows of the packages.
    """
    quotes = list(policy_rows().filter(package__in=packages).order_by("package", "position"))
    return tuple(answer for package in packages for answer in _about(package, quotes))


def _about(package: QuotePackage, quotes: list[Quote]) -> Iterator[PolicyAnswers]:
    mine = [quote for quote in quotes if quote.package_id == package.pk]
    if not mine:
        yield PolicyAnswers(
            package=package, quote=None, tone=Tone.PLAIN, covered=_why_without(package)
        )
    for quote in mine:
        yield _answers(package, quote)


def _why_without(package: QuotePackage) -> str:
    choices = {quote.choice for quote in package.quotes.all()}
    if Choice.WITHDRAWN in choices:
        return _("No: it was cancelled, or withdrawn from, before it was booked.")
    if Choice.LAPSED in choices:
        return _(
            "No: the offer changed after the customer accepted it, and they did not choose again."
        )
    if Choice.DECLINED in choices:
        return _("No: the customer declined.")
    return _("No: the customer did not choose.")


def _answers(package: QuotePackage, quote: Quote) -> PolicyAnswers:
    state = summarise(quote).state
    return PolicyAnswers(
        package=package,
        quote=quote,
        tone=TONES.get(state, Tone.PLAIN),
        covered=_covered(state, package, quote),
        insures=quote.label,
        policy=quote.policy_name,
        period=_period(quote),
        cost=_cost(quote),
        payment=_payment(package, quote),
        next=_next(state, package, quote),
        is_under_way=state in UNDER_WAY,
    )


def _covered(state: PolicyState, package: QuotePackage, quote: Quote) -> str:
    if state == PolicyState.UNCLEAR:
        text = _("Unknown: XCover reports the status “%(status)s”. Ask XCover.")
        return text % {"status": quote.status}
    is_paid = any(operation.reports_payment for operation in package.operations.all())
    is_held = quote.status == Status.PENDING_PAYMENT
    held = _("Not yet: XCover holds it until the shop reports the payment.")
    sentences = {
        PolicyState.ARRANGING: _("Not yet: it is paid and is being booked at XCover.")
        if is_paid
        else _("Not yet: it is being booked at XCover, and the payment is pending."),
        PolicyState.AWAITING_PAYMENT: held
        if is_held
        else _("Not yet: it is booked when the shop reports the payment."),
        PolicyState.NEEDS_PERSON: _("No: the booking has stopped and needs a person."),
        PolicyState.UPCOMING: _("Yes, from %(start)s."),
        PolicyState.ACTIVE: _("Yes, until %(end)s.")
        if quote.policy_end_date
        else _("Yes, until it is cancelled."),
        PolicyState.ENDED: _("No: it ended on %(end)s."),
        PolicyState.CANCELLING: _("Yes, until XCover has cancelled it."),
        PolicyState.CANCELLED: _("No: it is cancelled."),
        PolicyState.RENEWED: _("No: this period is over; see the policy that follows it."),
        PolicyState.FAILED: _("No: it was not booked."),
    }
    return sentences[state] % {
        "start": _day(quote.policy_start_date),
        "end": _day(quote.policy_end_date),
    }


def _period(quote: Quote) -> str:
    if quote.policy_end_date is None:
        return _("From %(start)s, open-ended") % {"start": _day(quote.policy_start_date)}
    return _("%(start)s to %(end)s") % {
        "start": _day(quote.policy_start_date),
        "end": _day(quote.policy_end_date),
    }


def _day(at: datetime | None) -> str:
    return moment(at) if at else _("a day that XCover has not named")


def _cost(quote: Quote) -> str:
    agreed = quote.chosen_price
    if agreed is None or agreed == quote.price:
        return format_amount(quote.cost)
    return _("%(price)s (agreed: %(agreed)s)") % {
        "price": format_amount(quote.cost),
        "agreed": format_amount(Money(agreed, quote.package.currency)),
    }


def _payment(package: QuotePackage, quote: Quote) -> str:
    parts = _parts(package, quote)
    if parts:
        paid = [part for part in parts if not part.is_open]
        text = ngettext(
            "In %(count)s part, %(done)s paid (%(paid)s); %(left)s to come",
            "In %(count)s parts, %(done)s paid (%(paid)s); %(left)s to come",
            len(parts),
        )
        left = [part for part in parts if part.is_open]
        values = {"count": len(parts), "done": len(paid)}
        return text % {**values, "paid": _sum(paid, quote), "left": _sum(left, quote)}
    if quote.instalment_plan:
        name = instalment_plans.LABELS.get(quote.instalment_plan, quote.instalment_plan)
        return _("In parts: %(plan)s") % {"plan": name}
    return _("At once")


def _parts(package: QuotePackage, quote: Quote) -> list[Instalment]:
    rows = {row.pk: row for row in package.quotes.all()}  # the rows with prefetched instalments
    return sorted(rows[quote.pk].instalments.all(), key=lambda part: part.number)


def _sum(parts: list[Instalment], quote: Quote) -> str:
    total = sum((part.total_amount for part in parts), Decimal(0))
    return format_amount(Money(total, quote.package.currency))


def _next(state: PolicyState, package: QuotePackage, quote: Quote) -> str:
    """Return what happens next automatically. Tasks for staff are separate next steps."""
    if state == PolicyState.ARRANGING:
        return _next_attempt(package)
    if state == PolicyState.CANCELLED:
        return _after_cancelling(package, quote)
    if state in {PolicyState.ACTIVE, PolicyState.UPCOMING}:
        return _while_in_force(package, quote)
    waits = {
        PolicyState.CANCELLING: _("XCover is asked to cancel it."),
        PolicyState.AWAITING_PAYMENT: _("Nothing until the payment is reported."),
    }
    return waits.get(state, "")


def _while_in_force(package: QuotePackage, quote: Quote) -> str:
    following = next((part for part in _parts(package, quote) if part.is_open), None)
    if following:
        return _("The next payment, %(amount)s, is due on %(when)s.") % {
            "amount": format_amount(following.amount),
            "when": moment(following.period_start_date),
        }
    if quote.policy_end_date is None:
        return _("Nothing until it is cancelled.")
    return _("Nothing until it ends.")


def _next_attempt(package: QuotePackage) -> str:
    waiting = [
        operation.next_attempt_at
        for operation in package.operations.all()
        if operation.state == OperationState.PENDING
    ]
    if waiting and min(waiting) > timezone.now():
        return _("It is retried automatically (%(when)s).") % {"when": moment(min(waiting))}
    return _("It is booked automatically within about a minute.")


def _after_cancelling(package: QuotePackage, quote: Quote) -> str:
    done = [row for row in package.cancellations.all() if row.state == Cancellation.State.CONFIRMED]
    for cancellation in done:
        if not any(line.get("quote_id") == quote.quote_id for line in cancellation.lines):
            continue
        if awaits_refund(cancellation):
            return _("The refund has to be made and recorded.")
        recorded = refunds.recorded(cancellation)
        if recorded:
            refund = {"refund": format_amount(recorded)}
            return _("Nothing: a refund of %(refund)s is recorded.") % refund
    return _("Nothing.")
