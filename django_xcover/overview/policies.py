"""A shopper's policies: the list of them, and the one that a page is about."""

from __future__ import annotations

from collections.abc import Iterable
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

PAGE_SIZE = 50


class PolicyState(models.TextChoices):
    """What a shopper wants to know of a policy; XCover's CONFIRMED says nothing of its period."""

    ARRANGING = "arranging", _("being arranged")
    NEEDS_PERSON = "needs_person", _("being looked into")
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


# What makes cover of what was chosen and paid for.
MAKING = (OperationKind.BOOK, OperationKind.INSTANT_BOOK, OperationKind.CONFIRM_PAYMENT)
UNBOOKED = (Status.RECEIVED, Status.PENDING_PAYMENT)
PAST = frozenset(
    {PolicyState.ENDED, PolicyState.CANCELLED, PolicyState.RENEWED, PolicyState.FAILED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySummary:
    """One policy as the list shows it. `notice` is "" when nothing is to do."""

    quote_id: str
    label: str
    name: str
    state: PolicyState
    notice: Notice | str
    price_formatted: str
    starts: datetime | None
    ends: datetime | None
    order_reference: str

    @property
    def title(self) -> str:
        """Return what is insured, or the policy's name where the shop named nothing."""
        return self.label or self.name

    @property
    def is_past(self) -> bool:
        """Return whether the policy no longer covers anything."""
        return self.state in PAST


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """Up to PAGE_SIZE policies, the newest first. `next` and `previous` are pages, 0 for none."""

    policies: tuple[PolicySummary, ...]
    previous: int
    next: int

    @property
    def current(self) -> tuple[PolicySummary, ...]:
        """Return the policies that cover something, or will."""
        return tuple(policy for policy in self.policies if not policy.is_past)

    @property
    def past(self) -> tuple[PolicySummary, ...]:
        """Return those that are over."""
        return tuple(policy for policy in self.policies if policy.is_past)


def policies(request: HttpRequest, *, page: int = 1) -> PolicyPage:
    """Return a page of the shopper's policies: the adapter's orders, and one query."""
    named = filter(None, get_adapter().get_orders(request))
    references = tuple(values.reference(row, "get_orders") for row in named)
    page = max(page, 1)
    first = (page - 1) * PAGE_SIZE
    # One more than is shown tells whether there is a next page, without counting them all.
    rows = list(_of_orders(references)[first : first + PAGE_SIZE + 1]) if references else []
    return PolicyPage(
        policies=tuple(summarise(quote) for quote in rows[:PAGE_SIZE]),
        previous=page - 1,
        next=page + 1 if len(rows) > PAGE_SIZE else 0,
    )


def own_policy(request: HttpRequest, quote_id: str) -> Quote:
    """Return the policy with this id, its package loaded.

    Raises PolicyMissing when there is none, or when the shop's adapter says that this request may
    not see the order it belongs to.
    """
    rows = policy_rows().filter(quote_id=quote_id).order_by("-pk")
    # Compared here, exactly: some databases would find an id of another case.
    quote = next((row for row in rows if row.quote_id == quote_id), None)
    if quote is None or not _may_view(request, quote.package.order_reference):
        raise PolicyMissing
    return quote


def policy_rows() -> models.QuerySet[Quote]:
    """Return policies, and accepted quotes that are to become one, with what is going on."""
    # What was withdrawn from before it was booked stays in sight: its refund is to come.
    stated = Withdrawal.objects.filter(cancellation__quotes=OuterRef("pk"))
    promised = Q(choice=Choice.ACCEPTED) | Q(Exists(stated))
    mine = Q(package=OuterRef("package"))
    making = Operation.objects.filter(mine, kind__in=MAKING)
    payment = Operation.objects.filter(mine, kind=OperationKind.CONFIRM_PAYMENT)
    return (
        Quote.objects.filter(Q(status__in=BOOKED) | promised)
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
    """Return a row of `policy_rows` as the list shows it."""
    state = _state(quote, timezone.now())
    return PolicySummary(
        quote_id=quote.quote_id,
        label=quote.label,
        name=quote.policy_name,
        state=state,
        notice="" if state in PAST else _notice(quote),
        price_formatted=format_amount(quote.cost),
        starts=quote.policy_start_date,
        ends=quote.policy_end_date,
        order_reference=quote.package.order_reference,
    )


def _of_orders(references: Iterable[str]) -> models.QuerySet[Quote]:
    rows = policy_rows().filter(package__order_reference__in=references)
    # The big JSON columns that no list shows stay in the database.
    return rows.defer("request", "package__payload").order_by("-package", "position")


def _may_view(request: HttpRequest, order_reference: str) -> bool:
    adapter = get_adapter()
    order = adapter.get_order(order_reference)
    return order is not None and adapter.can_view_order(request, order)


def _state(quote: Quote, now: datetime) -> PolicyState:
    if quote.choice == Choice.WITHDRAWN and quote.status in UNBOOKED:
        cancelling = getattr(quote, "is_cancelling", False)
        return PolicyState.CANCELLING if cancelling else PolicyState.CANCELLED
    if quote.status == Status.RECEIVED:
        return _state_unbooked(quote)
    if quote.status == Status.PENDING_PAYMENT:
        return _state_pending(quote)
    if quote.status == Status.CONFIRMED:
        cancelling = getattr(quote, "is_cancelling", False)
        return PolicyState.CANCELLING if cancelling else _period_state(quote, now)
    if quote.status == Status.RENEWED:
        # XCover says so from the renewal on, and the policy covers until its own end all the same.
        return _period_state(quote, now, after=PolicyState.RENEWED)
    return PolicyState.CANCELLED if quote.status == Status.CANCELLED else PolicyState.FAILED


def _state_unbooked(quote: Quote) -> PolicyState:
    if getattr(quote, "is_stuck", False):
        return PolicyState.NEEDS_PERSON
    # Given up by a person, or left out of a booking that was made: nothing is on its way.
    if getattr(quote, "is_given_up", False) or quote.package.status in BOOKED:
        return _state_of_lost(quote)
    if not getattr(quote, "is_being_booked", True):
        return PolicyState.AWAITING_PAYMENT  # nothing is booked for an order before its money comes
    return PolicyState.ARRANGING


def _state_pending(quote: Quote) -> PolicyState:
    if not getattr(quote, "is_paid", False):
        return PolicyState.AWAITING_PAYMENT
    if getattr(quote, "is_stuck", False):
        return PolicyState.NEEDS_PERSON
    if getattr(quote, "is_given_up", False):
        return _state_of_lost(quote)
    # The customer has paid: it is XCover that has still to be told.
    return PolicyState.ARRANGING


def _state_of_lost(quote: Quote) -> PolicyState:
    """Return the state of cover that will not be, until a person has seen to it or after."""
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
