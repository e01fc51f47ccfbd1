"""Offers and orders as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_xcover.api.serializers.fields import CodeField, MoneyShape
from django_xcover.booking.dual_payment import CardState
from django_xcover.mirror.lapses import ORDERS, TERMS
from django_xcover.mirror.presentation import OfferedQuote, offer_hash
from django_xcover.models import Choice
from django_xcover.overview.policies import PolicyState
from django_xcover.policies.documents import KINDS

ORDER_STATES = (
    "none",
    "declined",
    "arranging",
    "awaiting_payment",
    "booked",
    "cancelled",
    "needs_person",
    "unclear",
    "failed",
    "partly_cancelled",
    "partly_booked",
)


class BenefitShape(serializers.Serializer[Any]):
    description = serializers.CharField()
    limit = serializers.CharField()
    excess = serializers.CharField()


class PlanShape(serializers.Serializer[Any]):
    """`first` is charged with the order, `amount` is the price of the cover.

    All `parts` add up to `total`, slightly more than the price; null if it isn't known.
    """

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    first = MoneyShape()
    amount = MoneyShape()
    parts = serializers.IntegerField(allow_null=True)
    total = MoneyShape(allow_null=True)


class DocumentShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    url = serializers.CharField()


class WordingShape(serializers.Serializer[Any]):
    """What is insured and the terms. `disclaimer` is sanitized HTML."""

    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    description = serializers.CharField()
    price = MoneyShape()
    cover_amount_formatted = serializers.CharField()
    benefits = BenefitShape(many=True)
    disclaimer = serializers.CharField()
    pds_url = serializers.CharField()
    insurer = serializers.CharField()
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(allow_null=True)


class PriceShape(serializers.Serializer[Any]):
    """The price of cover for a product: `premium` is the sum of the quotes."""

    premium = MoneyShape()
    quotes = WordingShape(many=True)


class LapseShape(serializers.Serializer[Any]):
    """A yes at the price `was` that no longer applies; `changed` lists the differences.

    `order` is "ordered" or "order_cancelled" if it was given for an earlier order, else "".
    """

    was = MoneyShape()
    now = MoneyShape()
    changed = serializers.ListField(child=CodeField("ChangedTerm", TERMS))
    order = CodeField("EarlierOrder", ("", *ORDERS))
    message = serializers.CharField()


class OfferedQuoteShape(WordingShape):
    """One offered quote. Send `shown`, a hash of the quote, back with the answer.

    `lapse` is a yes that no longer applies and hasn't been replaced by a new answer, or null.
    """

    quote_id = serializers.CharField()
    policy_type = serializers.CharField()
    documents = DocumentShape(many=True)
    plans = PlanShape(many=True)
    choice = CodeField("Answer", ("", Choice.ACCEPTED, Choice.DECLINED))
    plan = serializers.CharField()
    due_today = MoneyShape()
    lapse = LapseShape(allow_null=True)
    shown = serializers.SerializerMethodField()

    def get_shown(self, quote: OfferedQuote) -> str:
        return offer_hash(quote)


class LostCoverShape(serializers.Serializer[Any]):
    """Cover that was accepted at the price `was` and is no longer offered.

    `is_asked` is false if the cart no longer has the item, true if XCover doesn't offer it.
    """

    label = serializers.CharField()  # type: ignore[assignment]
    was = MoneyShape()
    is_asked = serializers.BooleanField()
    message = serializers.CharField()


class OfferShape(serializers.Serializer[Any]):
    """`premium` is the amount that the accepted quotes add to the order's charge."""

    is_answered = serializers.BooleanField()
    premium = MoneyShape()
    quotes = OfferedQuoteShape(many=True)
    lost = LostCoverShape(many=True)


class OrderPolicyShape(serializers.Serializer[Any]):
    quote_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    status = serializers.CharField()
    state = CodeField("PolicyState", PolicyState.values)
    price = MoneyShape()
    agreed = MoneyShape(allow_null=True)
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(allow_null=True)
    documents = serializers.ListField(child=CodeField("DocumentKind", KINDS))
    plan = serializers.CharField()


class OrderCoverShape(serializers.Serializer[Any]):
    """The cover of an order (`django_xcover.cover.OrderCover`)."""

    state = CodeField("OrderState", ORDER_STATES)
    policies = OrderPolicyShape(many=True)
    card = CodeField("CardState", CardState)
