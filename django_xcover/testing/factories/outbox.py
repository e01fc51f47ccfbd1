"""Factories for operations, attempts, order events, webhooks, pauses and quote attempts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils import timezone
from factory import (
    LazyAttribute,
    LazyFunction,
    RelatedFactory,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory

from django_xcover.models import (
    AccountPause,
    Attempt,
    KeptAnswer,
    Operation,
    OperationKind,
    OperationState,
    OrderEvent,
    QuoteAttempt,
    WebhookDelivery,
)
from django_xcover.testing.factories import answers
from django_xcover.testing.factories.declarations import NOW, after, new_package_id
from django_xcover.testing.factories.packages import QuotePackageFactory

ATTEMPT = "django_xcover.testing.factories.outbox.AttemptFactory"


class OperationFactory(DjangoModelFactory[Operation]):
    """The booking of an order, due now unless a trait sets another state.

    Its package is booked if the operation is done, and otherwise ordered.
    """

    class Meta:
        model = Operation
        skip_postgeneration_save = True

    class Params:
        pending = Trait(state=OperationState.PENDING)
        attempted = Trait(
            attempts=1, started_at=NOW, attempt=RelatedFactory(ATTEMPT, "operation", number=1)
        )
        running = Trait(
            state=OperationState.RUNNING,
            attempts=1,
            started_at=NOW,
            lease_until=after(minutes=2),
        )
        failing = Trait(
            attempted=True,
            failures=1,
            next_attempt_at=after(minutes=1),
            error=LazyFunction(answers.unavailable),
        )
        needs_person = Trait(
            attempted=True,
            state=OperationState.NEEDS_PERSON,
            failures=1,
            error=LazyFunction(answers.error),
        )
        outcome_unknown = Trait(
            needs_person=True,
            error=LazyFunction(lambda: answers.unavailable(outcome_known=False)),
        )
        done = Trait(
            attempted=True,
            state=OperationState.DONE,
            request={},
            is_over=True,
            package=SubFactory(QuotePackageFactory, booked=True),
        )
        discarded = Trait(state=OperationState.DISCARDED, request={}, is_over=True)
        ended_by_hand = Trait(discarded=True, given_up="The customer was refunded")
        opt_out = Trait(
            kind=OperationKind.OPT_OUT,
            request={},
            package=SubFactory(
                QuotePackageFactory, declined=True, order_reference=Sequence("SH-{}".format)
            ),
        )

    is_over: Any = False  # A parameter, not a column.

    package: Any = SubFactory(QuotePackageFactory, ordered=True)
    kind: Any = OperationKind.BOOK
    state: Any = OperationState.PENDING
    error: Any = LazyFunction(dict)
    outcome_known: Any = LazyAttribute(lambda row: row.error.get("outcome_known", True))
    request: Any = LazyAttribute(
        lambda row: (
            answers.booking_request(
                row.package.quotes.accepted().values_list("quote_id", flat=True),
                row.package.order_reference,
            )
            if row.kind == OperationKind.BOOK
            else {}
        )
    )

    @classmethod
    def _create(cls, model_class: type[Operation], *args: Any, **values: Any) -> Operation:
        is_over = values.pop("is_over")
        operation = model_class.objects.create(**values)
        if is_over and operation.finished_at is None:
            # Not declared as NOW, which would be earlier than the row's own `created_at`.
            operation.finished_at = timezone.now()
            operation.save(update_fields=["finished_at", "updated_at"])
        return operation

    @classmethod
    def _build(cls, model_class: type[Operation], *args: Any, **values: Any) -> Operation:
        values.pop("is_over")
        return model_class(**values)


class AttemptFactory(DjangoModelFactory[Attempt]):
    """One attempt at an operation, with the outcome that matches the operation's state."""

    class Meta:
        model = Attempt

    class Params:
        died = Trait(outcome=Attempt.Outcome.DIED)

    operation: Any = SubFactory(OperationFactory, done=True, attempt=None)
    number: Any = LazyAttribute(lambda row: max(row.operation.attempts, 1))
    outcome: Any = LazyAttribute(lambda row: _outcome(row.operation))
    error: Any = LazyAttribute(lambda row: row.operation.error.get("type", ""))
    started_at: Any = SelfAttribute("operation.started_at")


def _outcome(operation: Operation) -> str:
    return {
        OperationState.DONE: Attempt.Outcome.DONE,
        OperationState.NEEDS_PERSON: Attempt.Outcome.STOPPED,
        OperationState.DISCARDED: Attempt.Outcome.OBSOLETE,
    }.get(OperationState(operation.state), Attempt.Outcome.FAILED)


class OrderEventFactory(DjangoModelFactory[OrderEvent]):
    """A completed order that a worker has to settle, because the shop's adapter failed."""

    class Meta:
        model = OrderEvent

    class Params:
        completed = Trait(kind=OrderEvent.Kind.COMPLETED)
        paid = Trait(kind=OrderEvent.Kind.PAID)
        cancelled = Trait(kind=OrderEvent.Kind.CANCELLED, reason="Bought twice")
        pending = Trait(state=OrderEvent.State.PENDING)
        done = Trait(state=OrderEvent.State.DONE, attempts=1, error="", finished_at=NOW)
        needs_person = Trait(state=OrderEvent.State.NEEDS_PERSON, attempts=5)
        settled_by_hand = Trait(
            state=OrderEvent.State.GIVEN_UP,
            attempts=5,
            given_up="Booked by hand",
            finished_at=NOW,
        )

    kind: Any = OrderEvent.Kind.COMPLETED
    order_reference: Any = Sequence(lambda number: f"SH-{number + 5001}")
    account = "default"
    cart_reference = LazyFunction(lambda: f"cart-{new_package_id()}")
    error: Any = "KeyError"


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    """A webhook about a booking, stored and due unless a trait sets another state."""

    class Meta:
        model = WebhookDelivery
        exclude = ("package",)

    class Params:
        received = Trait(state=WebhookDelivery.State.RECEIVED)
        processing = Trait(
            state=WebhookDelivery.State.PROCESSING, attempts=1, next_attempt_at=after(minutes=2)
        )
        processed = Trait(state=WebhookDelivery.State.PROCESSED, attempts=1, processed_at=NOW)
        unknown = Trait(
            package=None, state=WebhookDelivery.State.UNKNOWN, attempts=1, processed_at=NOW
        )
        failed = Trait(
            state=WebhookDelivery.State.FAILED,
            attempts=5,
            failures=5,
            error="server_fault: 503",
        )

    package: Any = SubFactory(QuotePackageFactory, booked=True)

    account = LazyAttribute(lambda row: row.package.account if row.package else "default")
    event = "BOOKING_UPDATED"
    package_id = LazyAttribute(
        lambda row: row.package.package_id if row.package else new_package_id()
    )
    body: Any = LazyAttribute(lambda row: answers.webhook(row.event, row.package_id))
    key = LazyAttribute(lambda row: hashlib.sha256(json.dumps(row.body).encode()).hexdigest())


class AccountPauseFactory(DjangoModelFactory[AccountPause]):
    """A paused account."""

    class Meta:
        model = AccountPause

    account = "default"
    reason = "Prices are being corrected"
    paused_by = "sam"


class KeptAnswerFactory(DjangoModelFactory[KeptAnswer]):
    """An answer of the API that is kept for its `Idempotency-Key`. `waiting`: not answered yet."""

    class Meta:
        model = KeptAnswer

    class Params:
        waiting = Trait(status=None, body="")

    key = Sequence(lambda number: hashlib.sha256(f"key {number}".encode()).hexdigest())
    fingerprint = LazyAttribute(lambda row: hashlib.sha256(row.key.encode()).hexdigest())
    status = 200
    body = "{}"


class QuoteAttemptFactory(DjangoModelFactory[QuoteAttempt]):
    """A cart that is being quoted."""

    class Meta:
        model = QuoteAttempt

    cart = Sequence(lambda number: hashlib.sha256(f"cart {number}".encode()).hexdigest())
    fingerprint = LazyAttribute(lambda row: hashlib.sha256(row.cart.encode()).hexdigest())
