"""Send a policy's documents by e-mail again, at the shopper's request.

XCover writes to the policyholder's address in the booking; no other address can be given. Anyone
who can see the policy can request the e-mail, and may have changed that address before, so it is
rate-limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.exceptions import NothingToSend, SentRecently
from django_xcover.mirror.presentation import clean_text
from django_xcover.models import (
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.policies import emails

PAUSE = timedelta(minutes=15)
DAY, MOST_A_DAY = timedelta(days=1), 5
EVENT = emails.CREATED


class MailState(models.TextChoices):
    """The state of the latest requested e-mail."""

    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    STUCK = "stuck", _("being looked into")
    REFUSED = "refused", _("not sent")


STATES = {
    OperationState.DONE: MailState.SENT,
    OperationState.DISCARDED: MailState.REFUSED,
    OperationState.NEEDS_PERSON: MailState.STUCK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyMail:
    """The e-mail with a policy's documents. `state` is "" if it was never requested again.

    `again_at` is the end of the pause after a request, None without one. `address` is "" if
    unknown.
    """

    address: str = field(repr=False)
    state: MailState | str
    asked_at: datetime | None
    again_at: datetime | None

    @property
    def is_on_its_way(self) -> bool:
        """Return whether the request hasn't been sent to XCover yet."""
        return self.state in {MailState.SENDING, MailState.STUCK}

    @property
    def can_be_asked_for(self) -> bool:
        """Return whether the shopper can request it now."""
        return not self.is_on_its_way and self.again_at is None


def mail_of(quote: Quote) -> PolicyMail | None:
    """Return the state of the e-mail with the policy's documents, None if there are none."""
    if quote.status not in {Status.CONFIRMED, Status.RENEWED}:
        return None
    if quote.package.status != Status.CONFIRMED or getattr(quote, "is_cancelling", False):
        return None
    # The latest ones, newest first, as many as the limit needs.
    rows = Operation.objects.filter(package=quote.package, kind=OperationKind.SEND_EMAIL)
    requests = list(rows.filter(subject__startswith=f"{EVENT}:")[:MOST_A_DAY])
    return PolicyMail(
        address=clean_text(quote.package.answer.policyholder.email),
        state=STATES.get(OperationState(requests[0].state), MailState.SENDING) if requests else "",
        asked_at=requests[0].created_at if requests else None,
        again_at=_again_at(requests),
    )


def send(quote: Quote) -> PolicyMail:
    """Have XCover send the documents again; while a request is pending, this changes nothing.

    A worker makes the call to XCover. Raises NothingToSend and SentRecently.
    """
    with transaction.atomic():
        quote.package = QuotePackage.objects.locked().get(pk=quote.package_id)
        mail = mail_of(quote)
        if mail is None:
            raise NothingToSend
        if not mail.is_on_its_way:
            if mail.again_at is not None:
                raise SentRecently(mail.again_at)
            emails.send_again(quote.package, EVENT)
    return mail_of(quote) or mail


def _again_at(requests: Sequence[Operation]) -> datetime | None:
    if not requests:
        return None
    latest, first = requests[0].created_at, requests[-1].created_at
    end = max(latest + PAUSE, first + DAY) if len(requests) == MOST_A_DAY else latest + PAUSE
    return end if end > timezone.now() else None
