"""Money, offers and orders as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_xcover.formats import format_amount
from django_xcover.mirror.presentation import OfferedQuote, mark
from django_xcover.types import Money


class MoneyField(serializers.Field[Money, Any, dict[str, str], Money]):
    """An exact amount as decimal text, its currency, and how people read it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Money) -> dict[str, str]:
        return {
            # Without the zeros a column pads it with.
            "amount": f"{value.amount.normalize():f}",
            "currency": value.currency,
            "formatted": format_amount(value),
        }


class BenefitShape(serializers.Serializer[Any]):
    description = serializers.CharField()
    limit = serializers.CharField()
    excess = serializers.CharField()


class PlanShape(serializers.Serializer[Any]):
    """`first` is charged with the order, `amount` is the price of the cover.

    All `parts` come to `total`, a little more than the price; null where nobody could say.
    """

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    first = MoneyField()
    amount = MoneyField()
    parts = serializers.IntegerField()
    total = MoneyField()


class WordingShape(serializers.Serializer[Any]):
    """What is insured and on which terms. `disclaimer` is HTML, cleaned."""

    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    description = serializers.CharField()
    price = MoneyField()
    price_formatted = serializers.CharField()
    cover_amount_formatted = serializers.CharField()
    benefits = BenefitShape(many=True)
    disclaimer = serializers.CharField()
    pds_url = serializers.CharField()
    insurer = serializers.CharField()
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()


class LapseShape(serializers.Serializer[Any]):
    """A yes that no longer counts, given at the price `was`; `changed` names what is different.

    `order` is "ordered" or "order_cancelled" when it was given for an earlier order, else "".
    """

    was = MoneyField()
    now = MoneyField()
    changed = serializers.ListField(child=serializers.CharField())
    order = serializers.CharField()
    message = serializers.CharField()


class OfferedQuoteShape(WordingShape):
    """One offered quote. Send `shown` back with the answer: it is a mark of what is shown here.

    `lapse` is null, or a yes that no longer counts and has not been answered anew.
    """

    quote_id = serializers.CharField()
    plans = PlanShape(many=True)
    choice = serializers.CharField()
    plan = serializers.CharField()
    due_today = MoneyField()
    lapse = LapseShape(allow_null=True)
    shown = serializers.SerializerMethodField()

    def get_shown(self, quote: OfferedQuote) -> str:
        return mark(quote)


class LostCoverShape(serializers.Serializer[Any]):
    """Cover that was accepted at the price `was` and is not offered any more.

    `is_asked` is false when the cart no longer has it, true when XCover leaves it out.
    """

    label = serializers.CharField()  # type: ignore[assignment]
    was = MoneyField()
    is_asked = serializers.BooleanField()
    message = serializers.CharField()


class OfferShape(serializers.Serializer[Any]):
    """`premium` is what the accepted quotes add to what is charged with the order."""

    is_answered = serializers.BooleanField()
    premium = MoneyField()
    quotes = OfferedQuoteShape(many=True)
    lost = LostCoverShape(many=True)


class OrderPolicyShape(serializers.Serializer[Any]):
    quote_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    name = serializers.CharField()
    status = serializers.CharField()
    state = serializers.CharField()
    price_formatted = serializers.CharField()
    agreed_formatted = serializers.CharField()
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()
    documents = serializers.ListField(child=serializers.CharField())
    plan = serializers.CharField()


class OrderCoverShape(serializers.Serializer[Any]):
    """What became of an order's cover (`django_xcover.cover.OrderCover`)."""

    state = serializers.CharField()
    policies = OrderPolicyShape(many=True)
