"""Fields that several answers share: codes and money."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from django_xcover.formats import exact_amount, format_amount, minor_units
from django_xcover.types import Money


class CodeField(serializers.ChoiceField):
    """One of a few fixed texts. `name` is that of the list in the OpenAPI document."""

    def __init__(self, name: str, values: Iterable[str], **options: Any) -> None:
        self.name, self.values = name, tuple(dict.fromkeys(map(str, values)))
        super().__init__(choices=self.values, **options)


class NumberField(serializers.IntegerField):
    """A number that counts from 1, or null for 0."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: int) -> Any:
        """Return null for 0."""
        return value or None


class ProblemShape(serializers.Serializer[Any]):
    """Problem details (RFC 9457). `code` is for programs, `detail` for the shopper.

    `errors` has the messages about single fields by dotted name, "" for the whole body.
    """

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField())
    )


class MoneyShape(serializers.Serializer[Any]):
    """An amount as a decimal text, in minor units, and ready to show; its ISO 4217 currency.

    `amount` has the currency's decimals. If it has more, `minor_units` is null.
    """

    amount = serializers.RegexField(r"^-?\d+(\.\d+)?$")
    minor_units = serializers.IntegerField(allow_null=True)
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    formatted = serializers.CharField()

    def to_representation(self, instance: Money) -> dict[str, Any]:
        """Return the amount without the zeros that the database's column adds."""
        return {
            "amount": exact_amount(instance),
            "minor_units": minor_units(instance),
            "currency": instance.currency,
            "formatted": format_amount(instance),
        }
