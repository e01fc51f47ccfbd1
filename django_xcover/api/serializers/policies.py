"""Serializers for policies and their workflows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_xcover import payments
from django_xcover.api.serializers.offers import MoneyField, WordingShape
from django_xcover.overview.policy import PolicyDetails
from django_xcover.types import Due


class SummaryShape(serializers.Serializer[Any]):
    """One policy in a list."""

    quote_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    state = serializers.CharField()
    notice = serializers.CharField()
    price_formatted = serializers.CharField()
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()
    order_reference = serializers.CharField()


class PageShape(serializers.Serializer[Any]):
    """`next` and `previous` are page numbers, 0 for none."""

    policies = SummaryShape(many=True)
    next = serializers.IntegerField()
    previous = serializers.IntegerField()


class DueField(serializers.Field[Due, Any, dict[str, Any], Due]):
    """A payment that is due now, identified by `kind` and `reference`. The shop collects it.

    `payment_url` is the adapter's URL for paying it, or "".
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Due) -> dict[str, Any]:
        return {
            "kind": value.kind,
            "reference": value.reference,
            "amount": MoneyField().to_representation(value.amount),
            "payment_url": payments.payment_url(self.context["request"], value),
        }


class RefundShape(serializers.Serializer[Any]):
    title = serializers.CharField()
    refund_formatted = serializers.CharField()
    withdrawable_until = serializers.DateTimeField()
    is_withdrawal = serializers.BooleanField()


class WithdrawalShape(serializers.Serializer[Any]):
    """The customer's statement: when it arrived, what it says, and when its receipt was sent."""

    made_at = serializers.DateTimeField()
    statement = serializers.CharField()
    email = serializers.CharField()
    receipt_sent_at = serializers.DateTimeField()


class CancellationShape(serializers.Serializer[Any]):
    """A cancellation; `refund` is null until XCover returns the amount."""

    id = serializers.IntegerField(source="pk")
    state = serializers.CharField()
    refusal = serializers.CharField()
    lines = RefundShape(many=True)
    refund = MoneyField()
    refunded_formatted = serializers.CharField()
    confirm_before = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField()
    is_withdrawal = serializers.BooleanField()
    withdrawal = WithdrawalShape()
    waiting = serializers.BooleanField(source="progress.waiting")


class ModificationShape(serializers.Serializer[Any]):
    """A change; a positive `difference` is charged, a negative one refunded."""

    id = serializers.IntegerField(source="pk")
    state = serializers.CharField()
    difference = MoneyField()
    refusal = serializers.CharField()
    confirmed_at = serializers.DateTimeField()
    due = DueField()


class RenewalLineShape(serializers.Serializer[Any]):
    """One renewed policy; `price_formatted` is its share, empty until it is quoted."""

    quote_id = serializers.CharField()
    title = serializers.CharField()
    price_formatted = serializers.CharField()
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()


class RenewalShape(serializers.Serializer[Any]):
    """A renewal; `policies` are all that are renewed, or end, together."""

    id = serializers.IntegerField(source="pk")
    state = serializers.CharField()
    due_on = serializers.DateTimeField()
    premium_formatted = serializers.CharField()
    policies = RenewalLineShape(source="lines", many=True)
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()
    is_open = serializers.BooleanField()
    renewed_anyway = serializers.BooleanField()
    due = DueField()
    waiting = serializers.BooleanField(source="progress.waiting")


class PartShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    amount_formatted = serializers.CharField()
    due = serializers.DateTimeField()
    state = serializers.CharField()


class ScheduleShape(serializers.Serializer[Any]):
    """All instalments of a policy. `next` is the number of the next one to pay, 0 for none."""

    parts = PartShape(many=True)
    next = serializers.IntegerField()
    paid_formatted = serializers.CharField()
    left_formatted = serializers.CharField()
    due = DueField()


class MailShape(serializers.Serializer[Any]):
    """The e-mail with the documents: its address and state."""

    address = serializers.CharField()
    state = serializers.CharField()
    asked_at = serializers.DateTimeField()
    again_at = serializers.DateTimeField()


class DetailsShape(serializers.Serializer[Any]):
    """One policy with its current workflows. A claim requires `booking_id`."""

    policy = SummaryShape()
    wording = WordingShape(source="content")
    booking_id = serializers.CharField()
    policyholder = serializers.DictField(child=serializers.CharField())
    documents = serializers.ListField(child=serializers.CharField())
    email = MailShape(source="mail")
    can_cancel = serializers.BooleanField()
    cancellable = SummaryShape(many=True)
    cancellation = serializers.IntegerField(source="cancellation.pk", default=None)
    modification = serializers.IntegerField(source="modification.pk", default=None)
    renewal = RenewalShape()
    pays_in_parts = serializers.SerializerMethodField()
    changeable = serializers.ListField(child=serializers.CharField())

    def get_pays_in_parts(self, policy: PolicyDetails) -> bool:
        return policy.schedule is not None
