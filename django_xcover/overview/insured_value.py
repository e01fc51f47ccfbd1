"""The value of the insured item, and the price of insuring it for another value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django_xcover import exceptions
from django_xcover.exceptions import ValueNotChangeable
from django_xcover.formats import format_amount
from django_xcover.models import Cancellation, Modification, Quote, Status
from django_xcover.policies import modification
from django_xcover.policies.modification.texts import amount_of, worth_of
from django_xcover.types import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuredValue:
    """The field `name` of a policy, in `currency`."""

    name: str
    currency: str
    amount: Decimal

    @property
    def formatted(self) -> str:
        """Return the amount formatted for the active language."""
        return format_amount(Money(self.amount, self.currency))


def insured_value(quote: Quote) -> InsuredValue | None:
    """Return the value that the shopper may change, or None."""
    name = worth_of(quote.policy_type)
    amount = amount_of(quote.request.get(name))
    if quote.status != Status.CONFIRMED or amount is None:
        return None
    return InsuredValue(name=name, currency=quote.package.currency, amount=amount)


def quote_value(quote: Quote, amount: Decimal) -> Modification:
    """Return XCover's price for insuring `amount`; repeating it returns the same open change.

    Takes at most five seconds; don't call it in a transaction. Raises ValueNotChangeable,
    NothingToChange, and the exceptions of `modification.quote_change`.
    """
    value = insured_value(quote)
    if value is None:
        raise ValueNotChangeable
    if value.amount == amount:
        raise exceptions.NothingToChange
    wanted = {value.name: amount}
    return modification.open_change(quote, wanted) or modification.quote_change(
        quote.package, quote=quote, update_fields=wanted, origin=Cancellation.Origin.SHOPPER
    )
