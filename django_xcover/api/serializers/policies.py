"""Serializers for policies and their workflows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_xcover import payments
from django_xcover.api.serializers.fields import CodeField, MoneyShape, NumberField
from django_xcover.api.serializers.offers import DocumentShape, WordingShape
from django_xcover.models import Cancellation, Choice, Modification, Renewal
from django_xcover.overview.documents import MailState
from django_xcover.overview.instalments import PartState
from django_xcover.overview.policies import Notice, PolicyState
from django_xcover.overview.policy import PolicyDetails
from django_xcover.policies.documents import KINDS
from django_xcover.types import Due


class PolicySummaryShape(serializers.Serializer[Any]):
    """One policy in a list."""

    quote_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    state = CodeField("PolicyState", PolicyState.values)
    notice = CodeField("Notice", ("", *Notice.values))
    price = MoneyShape()
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(allow_null=True)
    order_reference = serializers.CharField()


class PolicyListShape(serializers.Serializer[Any]):
    """One page of policies. `count` is the number of policies on all pages."""

    count = serializers.IntegerField()
    page = serializers.IntegerField(source="number")
    pages = serializers.IntegerField()
    next = NumberField()
    previous = NumberField()
    policies = PolicySummaryShape(many=True)


class DueShape(serializers.Serializer[Any]):
    """A payment that is due now, identified by `kind` and `reference`. The shop collects it.

    `payment_url` is the adapter's URL for paying it, or "".
    """

    kind = CodeField("DueKind", payments.KINDS)
    reference = serializers.CharField()
    amount = MoneyShape()
    payment_url = serializers.SerializerMethodField()

    def get_payment_url(self, due: Due) -> str:
        return payments.payment_url(self.context["request"], due)


class LinkShape(serializers.Serializer[Any]):
    """A link that opens for anyone who has it."""

    url = serializers.URLField()


class IdField(serializers.IntegerField):
    """The id of a row, or null without one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        return value.pk


class AfterSaleQuoteShape(WordingShape):
    """One quote offered after the sale."""

    quote_id = serializers.CharField()
    policy_type = serializers.CharField()
    documents = DocumentShape(many=True)


class AfterSaleShape(serializers.Serializer[Any]):
    """Cover offered after the sale. Send `shown` back with the answer.

    `choice` is the answer ("" without one), `premium` the price of what was accepted. The cover is
    booked once `due` is paid.
    """

    shown = serializers.CharField()
    choice = CodeField("Answer", ("", Choice.ACCEPTED, Choice.DECLINED))
    premium = MoneyShape(allow_null=True)
    quotes = AfterSaleQuoteShape(many=True)
    due = DueShape(allow_null=True)


class RefundShape(serializers.Serializer[Any]):
    title = serializers.CharField()
    refund = MoneyShape(allow_null=True)
    withdrawable_until = serializers.DateTimeField(allow_null=True)
    is_withdrawal = serializers.BooleanField()


class WithdrawalShape(serializers.Serializer[Any]):
    """The customer's statement: when it arrived, what it says, and when its receipt was sent."""

    made_at = serializers.DateTimeField()
    statement = serializers.CharField()
    email = serializers.CharField()
    receipt_sent_at = serializers.DateTimeField(allow_null=True)


class CancellationShape(serializers.Serializer[Any]):
    """A cancellation; `refund` is null until XCover returns the amount."""

    id = serializers.IntegerField(source="pk")
    state = CodeField("CancellationState", Cancellation.State.values)
    refusal = serializers.CharField()
    lines = RefundShape(many=True)
    refund = MoneyShape(allow_null=True)
    refunded = MoneyShape(allow_null=True)
    confirm_before = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    is_withdrawal = serializers.BooleanField()
    withdrawal = WithdrawalShape(allow_null=True)
    waiting = serializers.BooleanField(source="progress.waiting")


class ModificationShape(serializers.Serializer[Any]):
    """A change; a positive `difference` is charged, a negative one refunded."""

    id = serializers.IntegerField(source="pk")
    state = CodeField("ModificationState", Modification.State.values)
    difference = MoneyShape()
    refusal = serializers.CharField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    due = DueShape(allow_null=True)


class RenewalLineShape(serializers.Serializer[Any]):
    """One renewed policy; `price` is its share, null until it is quoted."""

    quote_id = serializers.CharField()
    title = serializers.CharField()
    price = MoneyShape(allow_null=True)
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(allow_null=True)


class RenewalShape(serializers.Serializer[Any]):
    """A renewal; `policies` are all that are renewed, or end, together."""

    id = serializers.IntegerField(source="pk")
    state = CodeField("RenewalState", Renewal.State.values)
    due_on = serializers.DateTimeField()
    premium = MoneyShape(allow_null=True)
    policies = RenewalLineShape(source="lines", many=True)
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(allow_null=True)
    is_open = serializers.BooleanField()
    renewed_anyway = serializers.BooleanField()
    due = DueShape(allow_null=True)
    waiting = serializers.BooleanField(source="progress.waiting")


class InstalmentShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    amount = MoneyShape()
    due = serializers.DateTimeField()
    state = CodeField("InstalmentState", PartState.values)


class ScheduleShape(serializers.Serializer[Any]):
    """All instalments of a policy. `next` is the number of the next one to pay, or null."""

    parts = InstalmentShape(many=True)
    next = NumberField()
    paid = MoneyShape()
    left = MoneyShape()
    due = DueShape(allow_null=True)


class EmailShape(serializers.Serializer[Any]):
    """The e-mail with the documents: its address and state."""

    address = serializers.CharField()
    state = CodeField("EmailState", ("", *MailState.values))
    asked_at = serializers.DateTimeField(allow_null=True)
    again_at = serializers.DateTimeField(allow_null=True)


class PolicyShape(serializers.Serializer[Any]):
    """One policy with its current workflows. A claim requires `booking_id`."""

    policy = PolicySummaryShape()
    wording = WordingShape(source="content")
    booking_id = serializers.CharField()
    policyholder = serializers.DictField(child=serializers.CharField())
    documents = serializers.ListField(child=CodeField("DocumentKind", KINDS))
    email = EmailShape(source="mail", allow_null=True)
    can_cancel = serializers.BooleanField()
    cancellable = PolicySummaryShape(many=True)
    cancellation = IdField()
    modification = IdField()
    renewal = RenewalShape(allow_null=True)
    pays_in_parts = serializers.SerializerMethodField()
    changeable = serializers.ListField(child=serializers.CharField())

    def get_pays_in_parts(self, policy: PolicyDetails) -> bool:
        return policy.schedule is not None
