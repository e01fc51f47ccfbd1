"""The instalment plans that XCover offers with a quote."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.utils.translation import gettext_lazy as _

from django_xcover.conf import get_config
from django_xcover.formats import format_amount
from django_xcover.models import Quote
from django_xcover.types import Money

# The names seen (Quotes API: instalments workflow), in words instead of "1Year-Monthly". Another
# plan is shown under XCover's own label.
LABELS = {
    "1year-monthly": _("Every month for one year"),
    "1year-quarterly": _("Every three months for one year"),
}
# A quote doesn't say how many instalments a plan has. These come from recorded schedules.
PARTS = {"1year-monthly": 12, "1year-quarterly": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan to pay for cover in instalments. `name` is sent when booking; `amount` is the price.

    `first` is the first instalment, which is charged with the order. The later ones are in the
    schedule that XCover returns with the booking. Each is rounded separately (recorded contract,
    4.4), so never divide the price to get an instalment. `total` is the sum of all `parts`,
    slightly more than the price; both are None if unknown. `told` is XCover's own label, which is
    the same in every language.
    """

    name: str
    label: str
    amount: Money
    amount_formatted: str
    first: Money
    first_formatted: str
    parts: int | None = None
    total: Money | None = None
    total_formatted: str = ""
    told: str = ""


def plans_of(quote: Quote) -> tuple[Plan, ...]:
    """Return the plans of a quote that a shop can offer.

    A plan without `first_instalment_amount` (as recorded in 2021) is left out, because the amount
    to charge with the order is unknown.
    """
    plans = []
    for plan in quote.answer.instalment_plans:
        amount, first = plan.amount or Decimal(0), plan.first_instalment_amount or Decimal(0)
        if plan.name and amount > 0 and first > 0:
            label, currency = plan.label or plan.name, quote.package.currency
            plans.append(_plan(plan.name, label, Money(amount, currency), Money(first, currency)))
    return tuple(plans)


def offered_plans(quote: Quote) -> tuple[Plan, ...]:
    """Return those of `plans_of` that the shopper may choose.

    Empty unless the shop collects the later instalments (`XCOVER["OFFER_INSTALMENTS"]`); otherwise
    only the first instalment would ever be paid.
    """
    return plans_of(quote) if get_config().offer_instalments else ()


def label_of(name: str) -> str:
    """Return the label of the instalment plan called `name`, "" for paying all at once.

    A booking lists no plans (recorded), so an unknown plan is shown by its name.
    """
    return str(LABELS.get(name, name))


def chosen_plan(quote: Quote) -> Plan | None:
    """Return the plan chosen for an open quote, None for paying all at once.

    Only a quote that is not booked has plans; a booking has a schedule instead (recorded).
    """
    if not quote.instalment_plan:
        return None
    return next((plan for plan in plans_of(quote) if plan.name == quote.instalment_plan), None)


def evidence(plan: Plan) -> dict[str, str]:
    """Return what the page showed about `plan`, as JSON values in XCover's own words."""
    return {
        "name": plan.name,
        "label": plan.told,
        "amount": f"{plan.amount.amount.normalize():f}",
        "first": f"{plan.first.amount.normalize():f}",
        "total": f"{plan.total.amount.normalize():f}" if plan.total else "",
    }


def _plan(name: str, told: str, amount: Money, first: Money) -> Plan:
    parts = _parts(name, amount, first)
    total = Money(first.amount * parts, first.currency) if parts else None
    return Plan(
        name=name,
        label=" ".join(str(LABELS.get(name, told)).split()),
        amount=amount,
        amount_formatted=format_amount(amount),
        first=first,
        first_formatted=format_amount(first),
        parts=parts,
        total=total,
        total_formatted=format_amount(total) if total else "",
        told=" ".join(told.split()),
    )


def _parts(name: str, amount: Money, first: Money) -> int | None:
    """Return how many instalments of `first` pay for the cover, None if they can't all be equal.

    Each instalment is rounded up (recorded), so together they exceed the price by less than one
    minor unit of the currency each. Otherwise the later instalments differ from the first.
    """
    parts = PARTS.get(name, 0)
    coin = Decimal(1).scaleb(-get_currency_precision(amount.currency))
    return parts if 0 <= first.amount * parts - amount.amount < parts * coin else None
