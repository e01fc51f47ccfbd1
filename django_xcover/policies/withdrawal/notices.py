"""Send the e-mails about a withdrawal: the receipt at once, and the refund once it is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation

from django_xcover import safe_logging
from django_xcover.adapters import get_adapter
from django_xcover.conf import get_config
from django_xcover.formats import format_amount
from django_xcover.models import Cancellation, Withdrawal
from django_xcover.models.base import lapsed

logger = safe_logging.get_logger("django_xcover.policies")

# After this time, an unsent receipt is left to staff, who see it in the admin.
TRIED_FOR = timedelta(days=14)
LIMIT = 500


def sweep() -> list[int]:
    """Return the primary keys of statements with an unsent e-mail, lost or failed."""
    rows = _due(timezone.now()).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:LIMIT])


def send_due(pk: int) -> None:
    """Send the e-mails that are due for the statement `pk`, each of them once.

    A lease allows one caller at a time. If the shop's adapter or mail server fails, the lease
    stays, and the sweep tries again once it has expired.
    """
    now = timezone.now()
    lease = now + timedelta(seconds=get_config().operation_lease)
    free = Q(sending_until=None) | lapsed("sending_until", now)
    if not _due(now).filter(pk=pk).exists():
        return
    if not Withdrawal.objects.filter(free, pk=pk).update(sending_until=lease):
        return
    withdrawal = Withdrawal.objects.select_related("cancellation__package").get(pk=pk)
    rows = Withdrawal.objects.filter(pk=pk, sending_until=lease)
    for column, template in _templates(withdrawal):
        if not _send(withdrawal, template):
            return
        rows.update(**{column: timezone.now()})
    rows.update(sending_until=None)


def _due(now: datetime) -> QuerySet[Withdrawal]:
    known = Q(
        outcome_sent_at=None,
        cancellation__state=Cancellation.State.CONFIRMED,
        cancellation__total_refund__isnull=False,
    )
    free = Q(sending_until=None) | lapsed("sending_until", now)
    rows = Withdrawal.objects.filter(free, Q(receipt_sent_at=None) | known)
    return rows.filter(made_at__gt=now - TRIED_FOR).exclude(email="")


def _templates(withdrawal: Withdrawal) -> Iterator[tuple[str, str]]:
    """Yield the column for the time of sending and the template of each e-mail that is due."""
    if withdrawal.receipt_sent_at is None:
        yield "receipt_sent_at", "receipt"
    done = withdrawal.cancellation.state == Cancellation.State.CONFIRMED
    known = done and withdrawal.cancellation.refund is not None
    if known and withdrawal.outcome_sent_at is None:
        yield "outcome_sent_at", "outcome"


def _send(withdrawal: Withdrawal, template: str) -> bool:
    adapter = get_adapter()
    try:
        order = adapter.get_order(withdrawal.cancellation.package.order_reference)
        adapter.send_withdrawal_email(order, withdrawal, _message(withdrawal, template))
    except Exception as error:  # noqa: BLE001 - the shop's code and mail server; the sweep repeats
        # Not `exception`: its traceback would quote the customer.
        logger.error(  # noqa: TRY400
            "The e-mail (%s) about withdrawal %s was not sent: %s",
            template,
            withdrawal.pk,
            safe_logging.describe(error),
        )
        return False
    return True


def _message(withdrawal: Withdrawal, template: str) -> EmailMessage:
    """Return the e-mail in the language of the statement; the first line is its subject."""
    refund = withdrawal.cancellation.refund
    with translation.override(withdrawal.language):
        context = {
            "withdrawal": withdrawal,
            "order_reference": withdrawal.cancellation.package.order_reference,
            "refund": format_amount(refund) if refund is not None else "",
            "is_nothing": refund is not None and not refund.amount,
        }
        text = render_to_string(f"xcover/email/withdrawal_{template}.txt", context)
    subject, _blank, body = text.strip().partition("\n")
    return EmailMessage(subject=subject.strip(), body=body.lstrip(), to=[withdrawal.email])
