"""Price the next period of a booking, one request at a time, and have the shop announce it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.adapters import get_adapter
from django_xcover.client import NotFound, ValidationFailed, XCoverError
from django_xcover.client.errors import Conflict, UnexpectedAnswer
from django_xcover.client.schemas.packages import QuoteAnswer
from django_xcover.client.schemas.policies import RenewalAnswer, renewal_from_wire
from django_xcover.client.schemas.stored import renewal_to_store
from django_xcover.clients import factory
from django_xcover.conf import get_config
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
from django_xcover.models.base import lapsed
from django_xcover.outbox.transitions import transition

logger = safe_logging.get_logger("django_xcover.policies")


def notify(renewal: Renewal) -> bool:
    """Have the shop notify the customer of a quoted renewal; return True if this call did.

    The shop's adapter writes to the customer, then `renewal_quoted` is sent: once for each price,
    and only while there is cover to renew. If the adapter fails, the customer doesn't count as
    notified, and the next run of beat tries again. If the process dies, it is tried again when the
    lease has expired.
    """
    lease = _claim(renewal)
    if lease is None:
        return False
    is_notified = _send_notice(renewal)
    at = timezone.now() if is_notified else None
    # A new price in the meantime has removed the lease; the customer hasn't been notified of it.
    rows = Renewal.objects.filter(pk=renewal.pk, telling_until=lease)
    rows.update(notified_at=at, telling_until=None)
    if is_notified:
        renewal.notified_at = at
        signals.renewal_quoted.send_robust(sender=Renewal, renewal=renewal)
    return is_notified


def _claim(renewal: Renewal) -> datetime | None:
    """Claim the notice and return when the lease ends; None if there is nothing to send."""
    if not renewal.package.quotes.filter(status=Status.CONFIRMED).exists():
        return None
    now = timezone.now()
    lease = now + timedelta(seconds=get_config().operation_lease)
    rows = Renewal.objects.filter(pk=renewal.pk, state=Renewal.State.QUOTED, notified_at=None)
    free = rows.filter(Q(telling_until=None) | lapsed("telling_until", now))
    return lease if free.update(telling_until=lease, updated_at=now) else None


def _send_notice(renewal: Renewal) -> bool:
    adapter = get_adapter()
    try:
        order = adapter.get_order(renewal.package.order_reference)
        adapter.send_renewal_notice(order, renewal)
    except Exception as error:  # noqa: BLE001 - the shop's code; the renewal goes on
        # Not `exception`: its traceback would quote the customer.
        logger.error(  # noqa: TRY400
            "The notice of renewal %s was not sent: %s", renewal.pk, safe_logging.describe(error)
        )
        return False
    return True


def lock(renewal: Renewal) -> Renewal:
    """Lock the package of `renewal`, then the renewal, and return the renewal freshly read.

    The package is always locked first; a webhook holds that lock while it stores its event.
    """
    package = QuotePackage.objects.locked().get(pk=renewal.package_id)
    locked = Renewal.objects.select_for_update().get(pk=renewal.pk)
    locked.package = package
    return locked


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
    columns = terms(renewal, answer)
    if (renewal.price, renewal.currency) != (columns["price"], columns["currency"]):
        columns |= {"notified_at": None, "telling_until": None}
    with transaction.atomic():
        if not transition(renewal, Renewal.State.QUOTED, field="state", **columns):
            renewal.refresh_from_db()
            refuse_unless_waiting(renewal)
        transaction.on_commit(partial(notify, renewal))
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
            notify(renewal)
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
