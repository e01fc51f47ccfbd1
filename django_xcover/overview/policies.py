"""A shopper's policies: the list, and a single one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover import values
from django_xcover.adapters import get_adapter
from django_xcover.exceptions import PolicyMissing
from django_xcover.formats import format_amount
from django_xcover.models import (
    BOOKED,
    Cancellation,
    Choice,
    Instalment,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    Renewal,
    Status,
    Withdrawal,
)
from django_xcover.types import Money

PAGE_SIZE = 50


class PolicyState(models.TextChoices):
    """The state of a policy for shoppers; XCover's CONFIRMED doesn't depend on the period."""

    ARRANGING = "arranging", _("being arranged")
    NEEDS_PERSON = "needs_person", _("being looked into")
    # XCover reports a status that isn't documented: it is unknown whether there is cover.
    UNCLEAR = "unclear", _("being looked into")
    AWAITING_PAYMENT = "awaiting_payment", _("waiting for your payment")
    UPCOMING = "upcoming", _("starts later")
    ACTIVE = "active", _("active")
    ENDED = "ended", _("ended")
    CANCELLING = "cancelling", _("being cancelled")
    CANCELLED = "cancelled", _("cancelled")
    RENEWED = "renewed", _("renewed")
    FAILED = "failed", _("not booked")


class Notice(models.TextChoices):
    """What a shopper can do about a policy now."""

    RENEWAL = "renewal", _("can be renewed")
    OVERDUE = "overdue", _("payment overdue")


# The operations that turn an accepted quote into cover.
MAKING = (OperationKind.BOOK, OperationKind.INSTANT_BOOK, OperationKind.CONFIRM_PAYMENT)
UNBOOKED = (Status.RECEIVED, Status.PENDING_PAYMENT)
PAST = frozenset(
    {PolicyState.ENDED, PolicyState.CANCELLED, PolicyState.RENEWED, PolicyState.FAILED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySummary:
    """One policy in the list. `notice` is "" if there is nothing to do."""

    quote_id: str
    label: str
    name: str
    state: PolicyState
    notice: Notice | str
    price: Money
    starts: datetime | None
    ends: datetime | None
    order_reference: str

    @property
    def title(self) -> str:
        """Return the label of the insured item, or the policy's name without a label."""
        return self.label or self.name

    @property
    def price_formatted(self) -> str:
        """Return the price in the reader's format."""
        return format_amount(self.price)

    @property
    def is_past(self) -> bool:
        """Return whether the policy no longer covers anything."""
        return self.state in PAST


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """Up to PAGE_SIZE policies, newest first.

    `number` is that of the page; `next` and `previous` are those of others, 0 if there are none.
    `count` is the number of policies on all `pages`.
    """

    policies: tuple[PolicySummary, ...]
    number: int
    previous: int
    next: int
    count: int

    @property
    def pages(self) -> int:
        """Return the number of pages, 1 without policies."""
        return max(-(-self.count // PAGE_SIZE), 1)

    @property
    def current(self) -> tuple[PolicySummary, ...]:
        """Return the policies that are or will be in force."""
        return tuple(policy for policy in self.policies if not policy.is_past)

    @property
    def past(self) -> tuple[PolicySummary, ...]:
        """Return the policies that are over."""
        return tuple(policy for policy in self.policies if policy.is_past)


def policies(request: HttpRequest, *, page: int = 1) -> PolicyPage:
    """Return a page of the shopper's policies.

    One query besides the adapter's `get_orders`, and another one if there are several pages.
    """
    named = filter(None, get_adapter().get_orders(request))
    references = tuple(values.reference(row, "get_orders") for row in named)
    page = max(page, 1)
    first = (page - 1) * PAGE_SIZE
    # One more than is shown, to know whether there is a next page without counting.
    rows = list(_of_orders(references)[first : first + PAGE_SIZE + 1]) if references else []
    is_only = page == 1 and len(rows) <= PAGE_SIZE
    return PolicyPage(
        policies=tuple(summarise(quote) for quote in rows[:PAGE_SIZE]),
        number=page,
        previous=page - 1,
        next=page + 1 if len(rows) > PAGE_SIZE else 0,
        count=len(rows) if is_only else _of_orders(references).count(),
    )


def own_policy(request: HttpRequest, quote_id: str) -> Quote:
    """Return the policy with this id, with its package.

    Raises PolicyMissing if there is none, or if the shop's adapter denies this request access to
    its order.
    """
    rows = policy_rows().filter(quote_id=quote_id).order_by("-pk")
    # Compared in Python, because some databases ignore case.
    quote = next((row for row in rows if row.quote_id == quote_id), None)
    if quote is None:
        raise PolicyMissing
    adapter = get_adapter()
    order = adapter.get_order(quote.package.order_reference)
    if order is None or not adapter.can_view_order(request, order):
        raise PolicyMissing
    return quote


def policy_rows() -> models.QuerySet[Quote]:
    """Return policies, and accepted quotes that will become one, annotated with their progress."""
    # Cover that was withdrawn before the booking stays visible, because its refund is due.
    stated = Withdrawal.objects.filter(cancellation__quotes=OuterRef("pk"))
    promised = Q(choice=Choice.ACCEPTED) | Q(Exists(stated))
    # The next period, in a status that isn't documented: it may be cover.
    unclear = ~Q(status__in=Status.values) & Q(line_reference="", package__booked_at__isnull=False)
    mine = Q(package=OuterRef("package"))
    making = Operation.objects.filter(mine, kind__in=MAKING)
    payment = Operation.objects.filter(mine, kind=OperationKind.CONFIRM_PAYMENT)
    return (
        Quote.objects.filter(Q(status__in=BOOKED) | promised | unclear)
        .exclude(package__order_reference="")
        .select_related("package")
        .annotate(
            is_cancelling=Exists(
                Cancellation.objects.filter(
                    quotes=OuterRef("pk"), state=Cancellation.State.REQUESTED
                )
            ),
            is_stuck=Exists(making.filter(state=OperationState.NEEDS_PERSON)),
            is_paid=Exists(payment),
            is_given_up=Exists(making.exclude(given_up="")),
            is_being_booked=Exists(making.exclude(kind=OperationKind.CONFIRM_PAYMENT)),
            can_be_renewed=Exists(Renewal.objects.filter(mine, state=Renewal.State.QUOTED)),
            is_overdue=Exists(
                Instalment.objects.overdue(timezone.now()).filter(quote=OuterRef("pk"))
            ),
        )
    )


def summarise(quote: Quote) -> PolicySummary:
    """Return the summary of a row of `policy_rows`."""
    state = _state(quote, timezone.now())
    return PolicySummary(
        quote_id=quote.quote_id,
        label=quote.label,
        name=quote.policy_name,
        state=state,
        notice="" if state in PAST else _notice(quote),
        price=quote.cost,
        starts=quote.policy_start_date,
        ends=quote.policy_end_date,
        order_reference=quote.package.order_reference,
    )


def _of_orders(references: Iterable[str]) -> models.QuerySet[Quote]:
    rows = policy_rows().filter(package__order_reference__in=references)
    # Don't load the large JSON columns, which the list doesn't show.
    return rows.defer("request", "package__payload").order_by("-package", "position")


def _state(quote: Quote, now: datetime) -> PolicyState:
    if quote.choice == Choice.WITHDRAWN and quote.status in UNBOOKED:
        cancelling = getattr(quote, "is_cancelling", False)
        return PolicyState.CANCELLING if cancelling else PolicyState.CANCELLED
    state_of = STATES.get(quote.status)
    # XCover may send undocumented statuses. `mirror.packages` flags them for staff.
    return state_of(quote, now) if state_of else PolicyState.UNCLEAR


def _state_unbooked(quote: Quote, now: datetime) -> PolicyState:
    if getattr(quote, "is_stuck", False):
        return PolicyState.NEEDS_PERSON
    # Given up by a person, or missing from the booking: no operation will book it.
    if getattr(quote, "is_given_up", False) or quote.package.status in BOOKED:
        return _state_of_lost(quote)
    if not getattr(quote, "is_being_booked", True):
        return PolicyState.AWAITING_PAYMENT  # this order is booked only after its payment
    return PolicyState.ARRANGING


def _state_pending(quote: Quote, now: datetime) -> PolicyState:
    if not getattr(quote, "is_paid", False):
        return PolicyState.AWAITING_PAYMENT
    if getattr(quote, "is_stuck", False):
        return PolicyState.NEEDS_PERSON
    if getattr(quote, "is_given_up", False):
        return _state_of_lost(quote)
    # The customer has paid; the confirmation at XCover is pending.
    return PolicyState.ARRANGING


def _state_confirmed(quote: Quote, now: datetime) -> PolicyState:
    cancelling = getattr(quote, "is_cancelling", False)
    return PolicyState.CANCELLING if cancelling else _period_state(quote, now)


def _state_renewed(quote: Quote, now: datetime) -> PolicyState:
    # RENEWED from the renewal on, although the policy stays in force until its own end.
    return _period_state(quote, now, after=PolicyState.RENEWED)


def _state_cancelled(quote: Quote, now: datetime) -> PolicyState:
    return PolicyState.CANCELLED


def _state_failed(quote: Quote, now: datetime) -> PolicyState:
    return PolicyState.FAILED


def _state_of_lost(quote: Quote) -> PolicyState:
    """Return the state of cover that won't be booked: whether staff still have to look at it."""
    return PolicyState.NEEDS_PERSON if quote.package.attention else PolicyState.FAILED


def _period_state(
    quote: Quote, now: datetime, *, after: PolicyState = PolicyState.ENDED
) -> PolicyState:
    if quote.policy_start_date is not None and now < quote.policy_start_date:
        return PolicyState.UPCOMING
    return PolicyState.ACTIVE if quote.covers(now) else after


def _notice(quote: Quote) -> Notice | str:
    if getattr(quote, "is_overdue", False):
        return Notice.OVERDUE
    renewable = quote.is_renewable and getattr(quote, "can_be_renewed", False)
    return Notice.RENEWAL if renewable else ""


# How each status of XCover is shown to a shopper.
STATES: Mapping[str, Callable[[Quote, datetime], PolicyState]] = {
    Status.RECEIVED: _state_unbooked,
    Status.PENDING_PAYMENT: _state_pending,
    Status.CONFIRMED: _state_confirmed,
    Status.CANCELLED: _state_cancelled,
    Status.RENEWED: _state_renewed,
    Status.OPTED_OUT: _state_failed,
    Status.FAILED: _state_failed,
    Status.DELETED: _state_failed,
    Status.EXPIRED: _state_failed,
}
