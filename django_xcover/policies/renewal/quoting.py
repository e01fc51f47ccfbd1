"""Request the price of the next period of a booking, one request at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction

from django_xcover import safe_logging
from django_xcover.client import NotFound, ValidationFailed, XCoverError
from django_xcover.client.errors import Conflict, UnexpectedAnswer
from django_xcover.client.schemas.packages import QuoteAnswer
from django_xcover.client.schemas.policies import RenewalAnswer, renewal_from_wire
from django_xcover.client.schemas.stored import renewal_to_store
from django_xcover.clients import factory
from django_xcover.exceptions import (
    ActionRefused,
    AlreadyRenewed,
    NotRenewable,
    RenewalDeclined,
    RenewalLapsed,
    RenewalPaid,
    code_of,
)
from django_xcover.models import QuotePackage, Renewal, Status
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import notifications


def lock(renewal: Renewal) -> Renewal:
    """Lock the package of `renewal`, then the renewal, and return the renewal freshly read.

    The package is always locked first; a webhook holds that lock while it stores its event.
    """
    package = QuotePackage.objects.locked().get(pk=renewal.package_id)
    locked = Renewal.objects.select_for_update().get(pk=renewal.pk)
    locked.package = package
    return locked


logger = safe_logging.get_logger("django_xcover.policies")

DEADLINE = 5.0
WAITING = (Renewal.State.DUE, Renewal.State.QUOTED)
_OVER: Mapping[str, type[ActionRefused]] = {
    Renewal.State.PAID: RenewalPaid,
    Renewal.State.CONFIRMED: AlreadyRenewed,
    Renewal.State.OPTING_OUT: RenewalDeclined,
    Renewal.State.OPTED_OUT: RenewalDeclined,
    Renewal.State.EXPIRED: RenewalLapsed,
}


def quote(renewal: Renewal) -> Renewal:
    """Get XCover's price for the next period, store it and have the customer notified.

    Quoting again is free: it replaces the price, and the customer is notified of a changed one.
    Raises XCoverError, NotRenewable if XCover has nothing to renew, and RenewalPaid,
    AlreadyRenewed, RenewalDeclined or RenewalLapsed if the renewal can't be quoted any more.
    """
    refuse_unless_waiting(renewal)
    answer = ask(renewal.package)
    with transaction.atomic():
        if not transition(
            renewal, Renewal.State.QUOTED, field="state", **_columns(renewal, answer)
        ):
            renewal.refresh_from_db()
            refuse_unless_waiting(renewal)
        transaction.on_commit(partial(notifications.notify, renewal))
    return renewal


def prepare(pk: int) -> None:
    """Quote the renewal `pk` if needed, and have the customer notified.

    For tasks: failures and refusals are logged, and the next run of beat tries again.
    """
    renewal = Renewal.objects.select_related("package").get(pk=pk)
    try:
        if renewal.state == Renewal.State.DUE:
            quote(renewal)
        else:
            notifications.notify(renewal)
    except (XCoverError, ActionRefused) as error:
        logger.warning("Renewal %s has no price yet: %s", pk, code_of(error))


def refuse_unless_waiting(renewal: Renewal) -> None:
    """Raise the matching refusal unless `renewal` can still be quoted, paid or declined."""
    if renewal.state not in WAITING:
        raise _OVER.get(renewal.state, RenewalLapsed)
    if not renewal.package.quotes.filter(status=Status.CONFIRMED).exists():
        raise RenewalLapsed


def ask(package: QuotePackage) -> RenewalAnswer:
    """Return XCover's price for the next period; raise NotRenewable or XCoverError."""
    client = factory.client_for(package.account)
    try:
        wire = client.quote_for_renewal(package.package_id, deadline=DEADLINE)
    except (ValidationFailed, NotFound, Conflict) as error:
        raise NotRenewable from error
    answer = renewal_from_wire(wire)
    if not answer.quotes:
        raise UnexpectedAnswer.at("quotes", "is empty")
    if answer.currency not in {"", package.currency}:
        raise UnexpectedAnswer.at("currency", "is not the one that the booking was paid in")
    return answer


def terms(renewal: Renewal, answer: RenewalAnswer) -> dict[str, Any]:
    """Return the column values for the next period as priced in `answer`.

    The price is the sum of the quotes to renew: this answer has no documented total, and a
    booking's total would include policies that simply continue.
    """
    quotes = to_renew(answer)
    starts = [quote.policy_start_date for quote in quotes if quote.policy_start_date]
    ends = [quote.policy_end_date for quote in quotes if quote.policy_end_date]
    return {
        "renewal_id": answer.renewal_id,
        "price": sum((quote.price for quote in quotes), Decimal(0)),
        "currency": answer.currency or renewal.package.currency,
        "starts_at": min(starts, default=None),
        "ends_at": max(ends, default=None),
        "payload": renewal_to_store(answer),
    }


def to_renew(answer: RenewalAnswer) -> Sequence[QuoteAnswer]:
    """Return the quotes of the next period: those RECEIVED, as in XCover's sample, else all."""
    return [q for q in answer.quotes if q.status == Status.RECEIVED] or answer.quotes


def _columns(renewal: Renewal, answer: RenewalAnswer) -> dict[str, Any]:
    columns = terms(renewal, answer)
    if (renewal.price, renewal.currency) != (columns["price"], columns["currency"]):
        columns |= {"notified_at": None, "telling_until": None}
    return columns
