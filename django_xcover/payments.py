"""PUBLIC: what a shopper still has to pay for cover, with the shop's payment methods.

The shop's adapter returns the payment page of a `Due` (`get_payment_url`). The shop collects
`due.amount` there and calls `record_payment` in the transaction that records the payment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.urls import reverse

from django_xcover import safe_logging
from django_xcover.adapters import get_adapter
from django_xcover.booking.dual_payment import use_token
from django_xcover.exceptions import ActionRefused, NothingDue
from django_xcover.exceptions.base import refusal
from django_xcover.models import (
    AfterSaleOffer,
    Instalment,
    Modification,
    Operation,
    Quote,
    Renewal,
)
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.offers import after_sale_links
from django_xcover.orders import after_sale
from django_xcover.policies import instalments
from django_xcover.policies.modification import is_open, settle
from django_xcover.policies.renewal import lines_of
from django_xcover.policies.renewal import record_payment as record_renewal_payment
from django_xcover.policies.renewal.quoting import refuse_unless_waiting
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Due

logger = safe_logging.get_logger("django_xcover.payments")

__all__ = [
    "find",
    "of_after_sale",
    "of_instalment",
    "of_modification",
    "of_renewal",
    "page_url",
    "payment_url",
    "record_payment",
    "use_token",
]

RENEWAL, INSTALMENT, MODIFICATION = "renewal", "instalment", "modification"
AFTER_SALE = after_sale.KIND
KINDS = (RENEWAL, INSTALMENT, MODIFICATION, AFTER_SALE)


@clears_frames
def find(kind: str, reference: str) -> Due | None:
    """Return what is due for this kind and reference, None if nothing is (any more).

    The shop checks `order_reference` to decide whether this shopper may pay it.
    """
    if kind == AFTER_SALE:
        row = after_sale.find(reference)
        return of_after_sale(row) if row else None
    is_number = reference.isascii() and reference.isdecimal() and len(reference) < 19
    reader = _READERS.get(kind)
    return reader(int(reference)) if reader and is_number else None


@clears_frames
def record_payment(due: Due, *, reference: str = "") -> Operation:
    """Record that the shop has collected `due.amount`, and report it to XCover.

    `reference` is the shop's reference of the payment. Recording it again returns the same
    operation. Raises NothingDue, or a refusal that depends on the kind; if the shopper has
    already been charged, the shop has to refund them. A refusal is logged with the order's number.
    """
    recorder = _RECORDERS.get(due.kind)
    try:
        if recorder is None:
            raise NothingDue
        return recorder(due, reference)
    except ObjectDoesNotExist:
        refused: ActionRefused = NothingDue()
    except ActionRefused as reason:
        refused = reason
    # Logged, because a caller that ignores the refusal would keep the money.
    logger.error(
        "A payment of order %s has to be refunded (%s %s, %s): %s",
        due.order_reference,
        due.kind,
        due.reference,
        due.amount,
        refused.code,
    )
    raise refused


@clears_frames
def payment_url(request: HttpRequest, due: Due | None) -> str:
    """Return the URL from the shop's adapter where the shopper pays `due`, or ""."""
    return get_adapter().get_payment_url(request, due) if due else ""


@clears_frames
def page_url(due: Due) -> str:
    """Return the URL of the page that shows `due` once it is paid.

    An instalment is shown on its policy's page, and cover added after the sale on its own page.
    """
    if due.kind == AFTER_SALE:
        return after_sale_links.path(due.order_reference)
    reader = _POLICIES.get(due.kind)
    quote_id = reader(int(due.reference)) if reader else None
    if quote_id is None:
        return reverse("xcover:my_cover")
    if due.kind == INSTALMENT:
        return reverse("xcover:policy", args=[quote_id])
    return reverse(f"xcover:{due.kind}", args=[quote_id, due.reference])


@clears_frames
def of_after_sale(offer: AfterSaleOffer) -> Due | None:
    """Return what is due for cover added after the sale, None unless it was accepted.

    It is also None once it is paid, or no longer offered at this price.
    """
    return after_sale.due_of(offer)


@clears_frames
def of_renewal(renewal: Renewal) -> Due | None:
    """Return what is due for `renewal`, None if it is not payable now.

    The label names every policy that the price covers.
    """
    premium = renewal.premium
    is_quoted = renewal.state == Renewal.State.QUOTED
    if not is_quoted or premium is None or refusal(refuse_unless_waiting, renewal):
        return None
    return Due(
        kind=RENEWAL,
        reference=str(renewal.pk),
        order_reference=renewal.package.order_reference,
        label=", ".join(line.title for line in lines_of(renewal)),
        amount=premium,
    )


@clears_frames
def of_instalment(instalment: Instalment) -> Due | None:
    """Return what is due for `instalment`, None if it is paid or its policy is not in force.

    A payment that the shop has reported counts at once, even before XCover has been notified.
    """
    quote = instalment.quote
    if not instalment.is_open or quote.status not in COLLECTED_FOR:
        return None
    return Due(
        kind=INSTALMENT,
        reference=str(instalment.pk),
        order_reference=quote.package.order_reference,
        label=_label(quote),
        amount=instalment.amount,
    )


@clears_frames
def of_modification(modification: Modification) -> Due | None:
    """Return the extra amount due for `modification`, None if there is none."""
    difference = modification.difference
    if difference.amount <= 0 or not is_open(modification):
        return None
    policies = modification.package.quotes.filter(quote_id__in=modification.quote_ids)
    return Due(
        kind=MODIFICATION,
        reference=str(modification.pk),
        order_reference=modification.package.order_reference,
        label=", ".join(_label(quote) for quote in policies),
        amount=difference,
    )


def _find_renewal(pk: int) -> Due | None:
    row = Renewal.objects.select_related("package").filter(pk=pk).first()
    return of_renewal(row) if row else None


def _find_instalment(pk: int) -> Due | None:
    row = Instalment.objects.select_related("quote__package").filter(pk=pk).first()
    return of_instalment(row) if row else None


def _find_modification(pk: int) -> Due | None:
    row = Modification.objects.select_related("package").filter(pk=pk).first()
    return of_modification(row) if row else None


def _policy_renewed(pk: int) -> str | None:
    booked = Quote.objects.booked().filter(package__renewals=pk)
    return booked.order_by("-is_renewable", "pk").values_list("quote_id", flat=True).first()


def _policy_paid_in_parts(pk: int) -> str | None:
    return Quote.objects.filter(instalments=pk).values_list("quote_id", flat=True).first()


def _policy_changed(pk: int) -> str | None:
    row = Modification.objects.filter(pk=pk).first()
    return next(iter(row.quote_ids), None) if row is not None else None


def _record_renewal(due: Due, reference: str) -> Operation:
    row = Renewal.objects.get(pk=int(due.reference))
    return record_renewal_payment(row, reference=reference, amount=due.amount)


def _record_instalment(due: Due, reference: str) -> Operation:
    row = Instalment.objects.select_related("quote").get(pk=int(due.reference))
    if row.amount != due.amount:
        raise NothingDue
    return instalments.report(row, paid=True, reference=reference)


def _record_modification(due: Due, reference: str) -> Operation:
    row = Modification.objects.get(pk=int(due.reference))
    if row.difference != due.amount:
        raise NothingDue
    return settle(row, reference=reference)


def _label(quote: Quote | None) -> str:
    return (quote.label or quote.policy_name) if quote else ""


_READERS: Mapping[str, Callable[[int], Due | None]] = {
    RENEWAL: _find_renewal,
    INSTALMENT: _find_instalment,
    MODIFICATION: _find_modification,
}
_POLICIES: Mapping[str, Callable[[int], str | None]] = {
    RENEWAL: _policy_renewed,
    INSTALMENT: _policy_paid_in_parts,
    MODIFICATION: _policy_changed,
}
_RECORDERS: Mapping[str, Callable[[Due, str], Operation]] = {
    RENEWAL: _record_renewal,
    INSTALMENT: _record_instalment,
    MODIFICATION: _record_modification,
    AFTER_SALE: lambda due, reference: after_sale.record_payment(due, reference=reference),
}
