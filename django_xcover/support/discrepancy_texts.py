"""Instructions for staff about discrepancies."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from django_xcover.formats import format_amount
from django_xcover.models import Discrepancy
from django_xcover.types import Money

Kind = Discrepancy.Kind

TO_DO = {
    Kind.NOT_COVERED: gettext_lazy(
        "The customer paid for this policy, but it is not in force at XCover. Open the order: if "
        "an operation has stopped, fix the problem that it names and press “Retry now”. If the "
        "cover cannot be booked, refund %(money)s and inform the customer."
    ),
    Kind.NOT_PAID: gettext_lazy(
        "The cover is in force, but according to the shop the order is not paid. Collect the "
        "money, or cancel the cover."
    ),
    Kind.PRICE_DIFFERS: gettext_lazy(
        "Compare with what the customer paid. If it was too much, refund the difference. If it "
        "was too little, charge the difference only if the customer agrees; otherwise the shop "
        "bears it."
    ),
    Kind.STATUS_DIFFERS: gettext_lazy(
        "Open the order's package and press “Refresh from XCover”. If nothing changes, contact "
        "XCover with the package id."
    ),
    Kind.UNKNOWN: gettext_lazy(
        "XCover holds a booking that is unknown here. If it was made before this package was "
        "installed, or by another system, mark it as looked into. Otherwise, find its order and "
        "contact XCover with the package id."
    ),
}

NOT_CHOSEN = gettext_lazy(
    "XCover holds this policy in force, but the customer did not accept it, so it has not been "
    "paid. If the customer wants it, collect the money; otherwise cancel it, or contact XCover "
    "with the package id."
)


def what_to_do(row: Discrepancy) -> str:
    """Return what to do about `row` in a few sentences, "" if it is no longer open."""
    if row.state != Discrepancy.State.OPEN:
        return ""
    if row.kind == Kind.NOT_PAID and row.quote_id:
        return str(NOT_CHOSEN)
    money = format_amount(Money(row.at_stake, row.currency))
    return str(TO_DO[Kind(row.kind)]) % {"money": money}
