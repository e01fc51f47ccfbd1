"""What a person should do about a discrepancy."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from django_xcover.formats import format_amount
from django_xcover.models import Discrepancy
from django_xcover.types import Money

Kind = Discrepancy.Kind

TO_DO = {
    Kind.NOT_COVERED: gettext_lazy(
        "The customer paid for this policy, and XCover holds none in force. Open the order: where "
        "an operation has stopped, mend what it names and press “Retry now”. If it cannot be "
        "booked, refund %(money)s and tell the customer."
    ),
    Kind.NOT_PAID: gettext_lazy(
        "The cover is in force, and the shop says that the order is not paid. Collect the money, "
        "or cancel the cover."
    ),
    Kind.PRICE_DIFFERS: gettext_lazy(
        "Compare with what the customer paid. Paid too much: refund the difference. Paid too "
        "little: charge it only if the customer agrees, otherwise the shop bears it."
    ),
    Kind.STATUS_DIFFERS: gettext_lazy(
        "Open the order's package and press “Refresh from XCover”. If this stays, contact XCover "
        "with the package id."
    ),
    Kind.UNKNOWN: gettext_lazy(
        "XCover holds a booking that nobody here knows. If it was made before this package was "
        "installed, or by another system, mark it as looked into. Otherwise find its order, and "
        "contact XCover with the package id."
    ),
}

NOT_CHOSEN = gettext_lazy(
    "XCover holds this policy in force, and nobody here said yes to it, so nobody has paid for it. "
    "If the customer wants it, collect the money; otherwise cancel it, or contact XCover with the "
    "package id."
)


def what_to_do(row: Discrepancy) -> str:
    """Return what to do about `row` in a few sentences, "" when it is not open any more."""
    if row.state != Discrepancy.State.OPEN:
        return ""
    if row.kind == Kind.NOT_PAID and row.quote_id:
        return str(NOT_CHOSEN)
    money = format_amount(Money(row.at_stake, row.currency))
    return str(TO_DO[Kind(row.kind)]) % {"money": money}
