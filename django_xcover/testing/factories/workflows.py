"""Factories for cancellations, withdrawals, changes, renewals and instalments."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from factory import LazyAttribute, LazyFunction, SelfAttribute, SubFactory, Trait
from factory.django import DjangoModelFactory

from django_xcover.models import (
    Cancellation,
    Instalment,
    Modification,
    QuotePackage,
    RefundCorrection,
    Renewal,
    Status,
    Withdrawal,
)
from django_xcover.testing.factories import answers
from django_xcover.testing.factories.declarations import NOW, after, mixed_id, new_uuid
from django_xcover.testing.factories.packages import PolicyFactory, QuotePackageFactory


def _booking(**traits: Any) -> Any:
    return SubFactory(QuotePackageFactory, **({"booked": True} | traits))


class CancellationFactory(DjangoModelFactory[Cancellation]):
    """A cancellation of all policies of a booking, previewed unless a trait sets another state."""

    class Meta:
        model = Cancellation
        skip_postgeneration_save = True

    class Params:
        draft = Trait(
            state=Cancellation.State.DRAFT,
            cancellation_id="",
            confirm_before=None,
            total_refund=None,
            lines=[],
            payload={},
        )
        previewed = Trait(state=Cancellation.State.PREVIEWED)
        requested = Trait(state=Cancellation.State.REQUESTED)
        confirmed = Trait(
            state=Cancellation.State.CONFIRMED,
            confirmed_at=NOW,
            package=_booking(cancelled=True),
        )
        refund_recorded = Trait(
            confirmed=True,
            refunded=SelfAttribute("total_refund"),
            refund_reference="re_1001",
            refunded_at=NOW,
        )
        expired = Trait(state=Cancellation.State.EXPIRED, confirm_before=after(minutes=-5))
        refused = Trait(state=Cancellation.State.REFUSED)
        not_needed = Trait(
            draft=True,
            state=Cancellation.State.NOT_NEEDED,
            package=SubFactory(QuotePackageFactory, ordered=True),
        )

    policies: Any = LazyAttribute(lambda row: list(row.package.quotes.all()))

    package: Any = _booking()
    cancellation_id: Any = mixed_id("CCL")
    origin = Cancellation.Origin.STAFF
    reason = "Bought twice"
    lines: Any = LazyAttribute(
        lambda row: answers.refund_lines(row.policies, timezone.now() + timedelta(days=14))
    )
    total_refund: Any = LazyAttribute(
        lambda row: sum((policy.price for policy in row.policies), Decimal(0))
    )
    currency = SelfAttribute("package.currency")
    confirm_before: Any = after(days=1)
    payload: Any = LazyAttribute(answers.cancellation)

    @classmethod
    def _create(cls, model_class: type[Cancellation], *args: Any, **values: Any) -> Cancellation:
        policies = values.pop("policies")
        cancellation = model_class.objects.create(**values)
        cancellation.quotes.set(policies)
        return cancellation


class RefundCorrectionFactory(DjangoModelFactory[RefundCorrection]):
    """A recorded refund that was corrected."""

    class Meta:
        model = RefundCorrection

    cancellation: Any = SubFactory(CancellationFactory, refund_recorded=True)
    amount_before = Decimal("1.00")
    reference_before = "re_1000"
    amount = SelfAttribute("cancellation.refunded")
    reference = SelfAttribute("cancellation.refund_reference")
    reason = "Typed wrongly"
    by = "7"


class WithdrawalFactory(DjangoModelFactory[Withdrawal]):
    """A customer's statement of withdrawal whose cancellation is under way."""

    class Meta:
        model = Withdrawal

    class Params:
        receipt_sent = Trait(receipt_sent_at=NOW)
        carried_out = Trait(
            receipt_sent=True,
            outcome_sent_at=NOW,
            cancellation=SubFactory(
                CancellationFactory, origin=Cancellation.Origin.SHOPPER, confirmed=True
            ),
        )

    cancellation: Any = SubFactory(
        CancellationFactory, origin=Cancellation.Origin.SHOPPER, requested=True
    )
    channel = Withdrawal.Channel.PAGE
    name = "Ana Rossi"
    email = answers.POLICYHOLDER["email"]
    language = "en"
    statement = LazyAttribute(
        lambda row: f"I withdraw from the cover of booking {row.cancellation.package.package_id}."
    )


class ModificationFactory(DjangoModelFactory[Modification]):
    """A change that costs `price_diff` more, quoted unless a trait sets another state."""

    class Meta:
        model = Modification

    class Params:
        quoted = Trait(state=Modification.State.QUOTED)
        settled = Trait(settled_at=NOW, settlement_reference="pay_1001")
        requested = Trait(settled=True, state=Modification.State.REQUESTED)
        confirmed = Trait(
            settled=True,
            state=Modification.State.CONFIRMED,
            confirmed_at=NOW,
            changes={},
            package=_booking(price=SelfAttribute("..price_after")),
        )
        abandoned = Trait(state=Modification.State.ABANDONED, changes={})
        refused = Trait(settled=True, state=Modification.State.REFUSED, changes={})
        free = Trait(price_diff=Decimal(0))

    package: Any = _booking(price=SelfAttribute("..price_before"))
    update_id = mixed_id("UPD")
    origin = "staff"
    changes: Any = LazyFunction(
        lambda: {"policyholder": {"phone": "+447700900123", "first_name": "Ana"}}
    )
    price_before: Any = Decimal("6.80")
    price_diff: Any = Decimal("1.20")
    price_after: Any = LazyAttribute(lambda row: row.price_before + row.price_diff)
    currency = SelfAttribute("package.currency")
    payload: Any = LazyAttribute(answers.modification)


class RenewalFactory(DjangoModelFactory[Renewal]):
    """The next period of a booking, quoted and due in a week unless a trait sets another state."""

    class Meta:
        model = Renewal

    class Params:
        due = Trait(
            state=Renewal.State.DUE,
            renewal_id="",
            price=None,
            starts_at=None,
            ends_at=None,
            payload={},
        )
        announced = Trait(due=True, announced_id=mixed_id("REN"))
        quoted = Trait(state=Renewal.State.QUOTED)
        notified = Trait(notified_at=NOW)
        paid = Trait(
            state=Renewal.State.PAID, notified=True, paid_at=NOW, payment_reference="pay_1001"
        )
        confirmed = Trait(
            paid=True,
            state=Renewal.State.CONFIRMED,
            confirmed_at=NOW,
            package=_booking(renewed=True),
            due_on=LazyAttribute(lambda row: _policies(row.package)[0].policy_end_date),
        )
        opting_out = Trait(state=Renewal.State.OPTING_OUT)
        opted_out = Trait(state=Renewal.State.OPTED_OUT)
        expired = Trait(state=Renewal.State.EXPIRED, due_on=after(days=-1))

    package: Any = _booking(renewable=True)
    renewal_id: Any = mixed_id("UPD")
    state: Any = Renewal.State.QUOTED
    due_on: Any = after(days=7)
    price: Any = Decimal("7.10")
    currency = SelfAttribute("package.currency")
    starts_at: Any = SelfAttribute("due_on")
    ends_at: Any = LazyAttribute(lambda row: row.starts_at + timedelta(days=365))
    payload: Any = LazyAttribute(lambda row: answers.renewal(row, _policies(row.package)))


def _policies(package: QuotePackage) -> list[Any]:
    """Return the policies that are renewed, or else those that would be."""
    policies = list(package.quotes.all())
    return [policy for policy in policies if policy.status == Status.RENEWED] or policies


class InstalmentFactory(DjangoModelFactory[Instalment]):
    """One of twelve instalments of a policy, unpaid unless a trait sets another state.

    Its period begins `number` days from now, so that number 1 is due tomorrow.
    """

    class Meta:
        model = Instalment

    class Params:
        unpaid = Trait(status=Instalment.Status.UNPAID)
        reported = Trait(paid_at=NOW, payment_reference="pay_1001")
        paid = Trait(reported=True, status=Instalment.Status.PAID)
        overdue = Trait(period_start_date=after(days=-3))
        failed = Trait(
            overdue=True,
            status=Instalment.Status.FAILED,
            failures=1,
            attempted_at=after(days=-1),
        )

    quote: Any = SubFactory(PolicyFactory, instalment_plan=answers.PLAN)
    instalment_id = LazyFunction(new_uuid)
    number = 1
    status: Any = Instalment.Status.UNPAID
    period_start_date: Any = LazyAttribute(lambda row: timezone.now() + timedelta(days=row.number))
    period_end_date: Any = LazyAttribute(lambda row: row.period_start_date + timedelta(days=30))
    total_amount: Any = LazyAttribute(lambda row: answers.instalment_amount(row.quote.price))
    currency = SelfAttribute("quote.package.currency")
    failures: Any = 0
    attempted_at: Any = None
    payload: Any = LazyAttribute(answers.instalment)
