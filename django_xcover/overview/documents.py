"""A policy's documents, sent by e-mail once more because the shopper asks for them.

XCover writes to the policyholder's address as it knows it, and no other can be named. Whoever sees
the policy may ask, and may have changed that address before: so it is sent seldom.
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
    """What became of the e-mail that was asked for last."""

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
    """The e-mail with a policy's documents. `state` is "" when it was never asked for again.

    `again_at` is the end of the pause after it was asked for, None when there is none. `address` is
    "" when not known.
    """

    address: str = field(repr=False)
    state: MailState | str
    asked_at: datetime | None
    again_at: datetime | None

    @property
    def is_on_its_way(self) -> bool:
        """Return whether XCover has still to be asked."""
        return self.state in {MailState.SENDING, MailState.STUCK}

    @property
    def can_be_asked_for(self) -> bool:
        """Return whether it can be asked for now."""
        return not self.is_on_its_way and self.again_at is None


def mail_of(quote: Quote) -> PolicyMail | None:
    """Return how the e-mail with the policy's documents stands, None where there is none."""
    if quote.status not in {Status.CONFIRMED, Status.RENEWED}:
        return None
    if quote.package.status != Status.CONFIRMED or getattr(quote, "is_cancelling", False):
        return None
    asked = _asked(quote.package)
    return PolicyMail(
        address=clean_text(quote.package.answer.policyholder.email),
        state=STATES.get(OperationState(asked[0].state), MailState.SENDING) if asked else "",
        asked_at=asked[0].created_at if asked else None,
        again_at=_again_at(asked),
    )


def send(quote: Quote) -> PolicyMail:
    """Have XCover send the documents again; while it is being asked, asking again changes nothing.

    Talks to nobody: a worker does. Raises NothingToSend and SentRecently.
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


def _asked(package: QuotePackage) -> Sequence[Operation]:
    """Return the times it was asked for, the latest first; as many as count."""
    rows = Operation.objects.filter(package=package, kind=OperationKind.SEND_EMAIL)
    return list(rows.filter(subject__startswith=f"{EVENT}:")[:MOST_A_DAY])


def _again_at(asked: Sequence[Operation]) -> datetime | None:
    if not asked:
        return None
    latest, first = asked[0].created_at, asked[-1].created_at
    end = max(latest + PAUSE, first + DAY) if len(asked) == MOST_A_DAY else latest + PAUSE
    return end if end > timezone.now() else None
