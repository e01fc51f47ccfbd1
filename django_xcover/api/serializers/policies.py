"""Policies, and what is going on with them, as JSON."""

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
    """`next` and `previous` are the numbers of pages, 0 for none."""

    policies = SummaryShape(many=True)
    next = serializers.IntegerField()
    previous = serializers.IntegerField()


class DueField(serializers.Field[Due, Any, dict[str, Any], Due]):
    """What is to be paid now. `kind` and `reference` name it; paying it is the shop's.

    `payment_url` is where, as the shop's adapter says, or empty.
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
    """A cancellation; `refund` is null while XCover has not said what comes back."""

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
    """A change; `difference` is to be charged when positive, refunded when negative."""

    id = serializers.IntegerField(source="pk")
    state = serializers.CharField()
    difference = MoneyField()
    refusal = serializers.CharField()
    confirmed_at = serializers.DateTimeField()
    due = DueField()


class RenewalLineShape(serializers.Serializer[Any]):
    """One policy that goes on; `price_formatted` is its share, empty before it is quoted."""

    quote_id = serializers.CharField()
    title = serializers.CharField()
    price_formatted = serializers.CharField()
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()


class RenewalShape(serializers.Serializer[Any]):
    """A renewal; `policies` are all that are renewed or end together, whichever page it is on."""

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
    """All payments of a policy. `next` is the number of the one to pay next, 0 for none."""

    parts = PartShape(many=True)
    next = serializers.IntegerField()
    paid_formatted = serializers.CharField()
    left_formatted = serializers.CharField()
    due = DueField()


class MailShape(serializers.Serializer[Any]):
    """The e-mail with the documents: the address on record, and what became of it."""

    address = serializers.CharField()
    state = serializers.CharField()
    asked_at = serializers.DateTimeField()
    again_at = serializers.DateTimeField()


class DetailsShape(serializers.Serializer[Any]):
    """One policy with everything that is going on with it. `booking_id` is what a claim needs."""

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
