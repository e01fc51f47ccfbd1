"""The reasons of flags and discrepancies, and what staff should do about them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.formats import format_amount
from django_xcover.models import BOOKED, Attention, Choice, Discrepancy, Flag, Quote, QuotePackage
from django_xcover.policies.cancellation import outcome
from django_xcover.types import Money


def about(flag: Flag, package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    """Return why `package` was flagged, and what to do."""
    texts = {
        Attention.TERMS_DIFFER.value: _terms_differ,
        Attention.PRICE_DIFFERS.value: _price_differs,
        Attention.POLICY_MISSING.value: _policy_missing,
        Attention.PAYMENT_OVERDUE.value: _payment_overdue,
        Attention.BOOKING_FAILED.value: _booking_failed,
        Attention.CANCELLATION_REFUSED.value: _cancellation_refused,
        Attention.REFUND_UNCLEAR.value: _refund_unclear,
        Attention.CHANGE_REFUSED.value: _change_refused,
        Attention.RENEWED_ANYWAY.value: _renewed_anyway,
        Attention.HELD_WITHOUT_ORDER.value: _held_without_order,
        Attention.CHARGED_WITHOUT_COVER.value: _charged_without_cover,
        Attention.LINE_UNKNOWN.value: _line_unknown,
        Attention.PAID_IN_VAIN.value: _paid_in_vain,
        Attention.NOT_CHARGED.value: _not_charged,
    }
    if flag.reason in texts:
        return texts[flag.reason](package, quotes)
    return _something_unexpected(flag, package)


def price_differs(quote: Quote) -> bool:
    """Return whether the price of a chosen quote differs from the accepted price."""
    return quote.chosen_price is not None and quote.chosen_price != quote.price


def _price_differs(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    prices = [_both_prices(quote, package.currency) for quote in quotes if price_differs(quote)]
    what = _("XCover booked the cover at a different price from the one shown to the customer.")
    to_do = _(
        "Compare with what the customer paid. If it was too much, refund the difference. If it "
        "was too little, charge the difference only if the customer agrees; otherwise the shop "
        "bears it."
    )
    return " ".join([what, *prices]), to_do


def _terms_differ(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("After the customer had agreed, XCover changed the cover: amount, period or wording.")
    to_do = _(
        "Compare the decision on record with the policy. If the customer got less than was agreed, "
        "contact XCover with the package id %(package)s, or ask the customer and cancel."
    )
    return what, to_do % {"package": package.package_id}


def _both_prices(quote: Quote, currency: str) -> str:
    shown = quote.price if quote.chosen_price is None else quote.chosen_price
    return _("%(policy)s: shown %(shown)s, booked %(booked)s.") % {
        "policy": quote.policy_name,
        "shown": format_amount(Money(shown, currency)),
        "booked": format_amount(Money(quote.price, currency)),
    }


def _policy_missing(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    missing = [q for q in quotes if q.choice == Choice.ACCEPTED and q.status not in BOOKED]
    names = [f"{quote.policy_name} ({quote.quote_id})" for quote in missing]
    if any(operation.reports_payment for operation in package.operations.all()):
        what = _("The customer paid for cover that XCover did not book.")
        to_do = _(
            "Contact XCover with the package id %(package)s. If the cover cannot be booked, refund "
            "the customer and explain that there is no cover."
        )
    else:
        what = _("XCover did not book cover that the customer ordered. It is not paid.")
        to_do = _(
            "Contact XCover with the package id %(package)s. If the cover cannot be booked, tell "
            "the customer that there is no cover."
        )
    return " ".join([what, ", ".join(names)]).strip(), to_do % {"package": package.package_id}


def _payment_overdue(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("This booking is waiting for a payment that was not reported in time.")
    to_do = _(
        "If the order is paid, tell the developers that the payment was not reported. If it is "
        "not, ask the customer, and cancel the order if the cover is no longer wanted."
    )
    return what, to_do


def _booking_failed(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("XCover could not book the cover, or could not charge for it.")
    to_do = _(
        "Tell the customer that there is no cover, and refund what was paid for it. Contact "
        "XCover with the package id %(package)s if it should exist."
    )
    return what, to_do % {"package": package.package_id}


def _cancellation_refused(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("XCover did not cancel the cover as requested: it is still in force.")
    to_do = _(
        "Press “Refresh from XCover” and check which policies are in force. Inform the customer. "
        "If they still have to be cancelled, contact XCover with the package id %(package)s."
    )
    return what, to_do % {"package": package.package_id}


def _refund_unclear(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    taken_back = [q for q in quotes if q.choice == Choice.WITHDRAWN and q.status not in BOOKED]
    if taken_back and outcome.may_be_returned(package):
        return _returned_before(taken_back)
    what = _(
        "Cover was cancelled, but XCover reported no refund amount, or a different one from the "
        "amount shown."
    )
    to_do = _(
        "Ask XCover, with the package id %(package)s, what has to be refunded, and refund it. "
        "Record it with the cancellation. If the cover was cancelled outside this shop, there is "
        "no cancellation here: then note the refund when you mark this as looked into."
    )
    return what, to_do % {"package": package.package_id}


def _returned_before(taken_back: Sequence[Quote]) -> tuple[str, str]:
    what = _("The customer withdrew from cover that XCover did not book:")
    names = [f"{quote.policy_name} ({format_amount(quote.cost)})" for quote in taken_back]
    to_do = _(
        "This booking was flagged for that cover before. See in the notes of its flags and "
        "operations, and in the shop's payments, whether the premium was returned then. If it was "
        "not, refund it now. Record the refund with the cancellation."
    )
    return " ".join([what, ", ".join(names)]), to_do


def _change_refused(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("The difference for a change was settled, but XCover did not make the change.")
    to_do = _(
        "Tell the customer that the cover is unchanged, and reverse the settlement. If the change "
        "is still wanted, request it again."
    )
    return what, to_do


def _renewed_anyway(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("XCover renewed cover whose renewal the customer had declined or not paid.")
    to_do = _(
        "Ask the customer. If the new period is not wanted, contact XCover with the package id "
        "%(package)s to have it reversed, and refund what was charged for it. If it is wanted, "
        "collect its price."
    )
    return what, to_do % {"package": package.package_id}


def _held_without_order(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _(
        "%(amount)s was frozen for this cover and may have been charged, but no order followed."
    )
    to_do = _(
        "Look for a payment of this amount in the shop. If there is none, mark this as looked "
        "into. If there is one, have the order created with the hold, so that the cover is "
        "booked, or refund the money."
    )
    return what % {"amount": _held_amounts(package)}, to_do


def _charged_without_cover(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("An order was charged %(amount)s for this cover but did not get it.")
    to_do = _(
        "The hold or the log names the order. Refund the premium and tell the customer that this "
        "order is not covered, or sell the cover again."
    )
    return what % {"amount": _held_amounts(package)}, to_do


def _not_charged(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("Order %(order)s took over this cover before its price was frozen.")
    to_do = _(
        "Compare with the order's total. If the cover was not charged, charge it only if the "
        "customer agrees, or cancel the cover. Tell the developers that freeze_cover must be "
        "called before order_completed is sent."
    )
    return what % {"order": package.order_reference}, to_do


def _held_amounts(package: QuotePackage) -> str:
    held = {hold.premium for hold in package.holds.all() if hold.reported_at and hold.premium}
    return ", ".join(map(format_amount, held)) or format_amount(package.total)


def _line_unknown(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("Lines of the order were cancelled, but none of them is known here.")
    to_do = _(
        "Check in the order what was cancelled. If it was insured, cancel that policy. If it was "
        "not, nothing is wrong. If this happens again, ask the developers to send the references "
        "of the cart lines with order_cancelled."
    )
    return what, to_do


def _paid_in_vain(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    if any(quote.choice == Choice.ACCEPTED for quote in quotes):
        return _paid_for_more(package, quotes)
    what = _("Order %(order)s was paid after its cover was cancelled.") % {
        "order": package.order_reference
    }
    to_do = _(
        "Nothing is covered. Refund what was paid for cover, and inform the customer. If the "
        "cover is still wanted, it has to be bought again."
    )
    return what, to_do


def _paid_for_more(package: QuotePackage, quotes: Sequence[Quote]) -> tuple[str, str]:
    what = _("Order %(order)s was paid after part of its cover was cancelled.") % {
        "order": package.order_reference
    }
    gone = [quote for quote in quotes if quote.choice == Choice.WITHDRAWN]
    names = [f"{quote.policy_name} ({format_amount(quote.cost)})" for quote in gone]
    to_do = _(
        "Compare the cover of the order with what the customer paid. If the premium of the "
        "cancelled cover was paid, refund it."
    )
    return " ".join([what, *names]), to_do


def _something_unexpected(flag: Flag, package: QuotePackage) -> tuple[str, str]:
    what = _("%(attention)s (status here: “%(status)s”).") % {
        "attention": flag.get_reason_display(),
        "status": package.status,
    }
    to_do = _(
        "Press “Refresh from XCover”. If nothing changes, contact XCover with the package id "
        "%(package)s."
    )
    return what, to_do % {"package": package.package_id}


# Discrepancies.

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
