"""Refusals after the sale, on pages and by staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from django_xcover.exceptions.base import ActionRefused

# Cancelling and refunds.


class NotCancellable(ActionRefused):
    """XCover does not allow the policy to be cancelled (`can_be_cancelled`, or its refusal)."""

    code = "not_cancellable"
    message = _("This cover cannot be cancelled.")


class NotInForce(NotCancellable):
    """The policy is not booked, or its booking is waiting for the payment."""

    code = "not_in_force"
    message = _("This cover is not in force yet, so there is nothing to cancel.")


class CoverEnded(NotCancellable):
    """The policy's period is over."""

    code = "cover_ended"
    message = _("This cover has ended, so it can no longer be cancelled.")


class AlreadyCancelled(ActionRefused):
    """The policy is already cancelled. This cannot be undone."""

    code = "already_cancelled"
    message = _("This cover has already been cancelled.")


class BeingCancelled(AlreadyCancelled):
    """A cancellation of the policy was confirmed and is being carried out."""

    code = "being_cancelled"
    message = _("This cover is already being cancelled.")


class PreviewExpired(ActionRefused):
    """The preview was not confirmed before `confirm_before`, or the price has changed since."""

    code = "preview_expired"
    message = _("The refund you were shown is no longer valid. Please look at it again.")


class RefundNotRecorded(ActionRefused):
    """The refund does not match the cancellation, or another refund is already recorded."""

    code = "refund_not_recorded"
    message = _("This refund cannot be recorded: %(why)s")


class RefundAboveLimit(ActionRefused):
    """The refund exceeds XCover's amount. Recording it requires a separate permission."""

    code = "refund_above_limit"
    message = _(
        "%(refund)s is more than the %(limit)s that this cancellation gives back. Recording it "
        "needs the permission to record refunds above what XCover names."
    )


# Withdrawing.


class LinkInvalid(ActionRefused):
    """The link has no valid signature, for example because it was truncated."""

    code = "link_invalid"
    message = _("This link is not complete. Please open it again from your e-mail.")


class LinkExpired(ActionRefused):
    """The link is older than `WITHDRAWAL_LINK_DAYS`, or `AFTER_SALE_DAYS` if it adds cover."""

    code = "link_expired"
    message = _("This link has expired. Please contact us, or sign in to see your cover.")


# Changing.


class NotModifiable(ActionRefused):
    """The booking or policy is not in force, or XCover does not allow it to be changed."""

    code = "not_modifiable"
    message = _("This cover cannot be changed.")


class BeingChanged(NotModifiable):
    """An earlier change is being carried out."""

    code = "being_changed"
    message = _("An earlier change is still being made. Please try again in a moment.")


class NothingToChange(ActionRefused):
    """None of the submitted values differs from XCover's."""

    code = "nothing_to_change"
    message = _("Nothing would change.")


class FieldsNotChangeable(ActionRefused):
    """Fields were submitted that are not in `changeable_fields`."""

    code = "fields_not_changeable"
    message = _("These details cannot be changed: %(fields)s.")


class ChangeNotAccepted(ActionRefused):
    """XCover refused the new values. `field_errors` has its messages for each field.

    These messages may repeat what a person typed, so `str()` leaves them out. Show them, but do not
    log them.
    """

    code = "change_not_accepted"
    message = _("XCover does not accept this change.")

    def __init__(self, field_errors: Mapping[str, Iterable[str]] | None = None) -> None:
        super().__init__()
        self.field_errors = {name: list(texts) for name, texts in (field_errors or {}).items()}


class ChangeOutdated(ActionRefused):
    """The cover changed after this change was priced, so the difference is outdated."""

    code = "change_outdated"
    message = _("Your cover has changed since this was priced. Please ask for a new price.")


class ChangeAbandoned(ActionRefused):
    """The change was abandoned, or refused by XCover."""

    code = "change_abandoned"
    message = _("This change is no longer open. Please ask for a new price.")


class ChangeMade(ActionRefused):
    """The change is made or under way, so it cannot be abandoned or settled again."""

    code = "change_made"
    message = _("This change has already been confirmed.")


class ValueNotChangeable(ActionRefused):
    """The policy is not in force, or has no insured value of its own."""

    code = "value_not_changeable"
    message = _("The insured value of this policy cannot be changed.")


class DifferenceNotSettled(ActionRefused):
    """The shop has not yet recorded that the difference of a change was charged or refunded."""

    code = "difference_not_settled"
    message = _("The price difference has to be settled first.")


# Renewing.


class NotRenewable(ActionRefused):
    """XCover responded to the request for a price that there is nothing to renew."""

    code = "not_renewable"
    message = _("XCover does not renew this cover. It ends with its present period.")


class RenewalNotQuoted(ActionRefused):
    """The renewal has no price yet, so it cannot have been paid."""

    code = "renewal_not_quoted"
    message = _("The price of the renewal is not known yet. Please come back later.")


class RenewalPriceChanged(ActionRefused):
    """The collected amount is not the price of the renewal."""

    code = "renewal_price_changed"
    message = _(
        "The renewal costs %(price)s, which is not the amount that was paid. Please compare them."
    )


class RenewalNotAnnounced(ActionRefused):
    """XCover has assigned no id to the renewal, so it cannot be confirmed."""

    code = "renewal_not_announced"
    message = _("XCover has given this renewal no id yet, so it cannot be confirmed.")


class RenewalPaid(ActionRefused):
    """The renewal is paid or in force and can no longer be declined."""

    code = "renewal_paid"
    message = _("This renewal has been paid already. To end the cover, cancel it.")


class AlreadyRenewed(ActionRefused):
    """XCover renewed the cover by itself, so the shop has nothing to collect."""

    code = "already_renewed"
    message = _("XCover has renewed this cover already, so there is no payment to record.")


class RenewalDeclined(ActionRefused):
    """The customer declined the renewal."""

    code = "renewal_declined"
    message = _("This renewal has been declined. The cover ends with its present period.")


class RenewalLapsed(ActionRefused):
    """The renewal has expired, or its cover has ended."""

    code = "renewal_lapsed"
    message = _("This cover can no longer be renewed.")


class RenewalNotStuck(ActionRefused):
    """The renewal is not waiting for a person, so it cannot be given up."""

    code = "renewal_not_stuck"
    message = _("This renewal is not waiting for a person, so it cannot be given up.")


# Instalments.


class InstalmentPaid(ActionRefused):
    """A failed payment was reported for an instalment that is paid."""

    code = "instalment_paid"
    message = _("Instalment %(number)s is paid, so no failed payment can be reported for it.")


class InstalmentPaidTwice(ActionRefused):
    """The customer paid for an instalment that is already paid. Refund this payment."""

    code = "instalment_paid_twice"
    message = _("Instalment %(number)s has been paid already, by another payment.")


class InstalmentNotDue(ActionRefused):
    """The policy is cancelled or not booked, so none of its instalments is due."""

    code = "instalment_not_due"
    message = _("This policy is not in force, so no instalment is to be collected for it.")


class InstalmentOfCancelled(InstalmentNotDue):
    """The policy is being cancelled, and its refund would not include this payment."""

    code = "instalment_of_cancelled"
    message = _("This policy is being cancelled, so no instalment is to be collected for it.")


# E-mails.


class NotBooked(ActionRefused):
    """The package is not a booking, so XCover has no e-mails about it."""

    code = "not_booked"
    message = _("XCover writes about booked cover only, and this cover is not booked.")


class EmailTooEarly(ActionRefused):
    """XCover sends the cancellation e-mail only for cancelled bookings (recorded)."""

    code = "email_too_early"
    message = _("The e-mail about the cancellation can be sent once the booking is cancelled.")


class UnknownEmail(ActionRefused):
    """The event is not the name of an XCover e-mail."""

    code = "unknown_email"
    message = _("XCover has no e-mail of this name.")


class NothingToSend(ActionRefused):
    """The policy is not in force, or is being cancelled."""

    code = "nothing_to_send"
    message = _("Your documents can be sent only while your cover is in force.")


class SentRecently(ActionRefused):
    """The e-mail was requested shortly before, or too often today.

    `again_at` (aware datetime) is when it can be requested again.
    """

    code = "sent_recently"
    message = _(
        "The insurer has been asked to send this e-mail. From %(time)s you can ask for it again. "
        "Please check your spam folder, too."
    )

    def __init__(self, again_at: datetime) -> None:
        self.again_at = again_at
        super().__init__(time=date_format(timezone.localtime(again_at), "DATETIME_FORMAT"))

    @property
    def retry_after(self) -> float:
        """Return the seconds until it can be requested again, at least 1."""
        return max((self.again_at - timezone.now()).total_seconds(), 1)


# Staff.


class NotWaiting(ActionRefused):
    """The operation is being retried or has ended, so it is not waiting for a person."""

    code = "not_waiting"
    message = _("This is not waiting for a person, so it cannot be given up.")


class NotErasable(ActionRefused):
    """The packages have unfinished operations, so they cannot be erased."""

    code = "not_erasable"
    message = _("Order '%(reference)s' has operations that are not over.")


class ReconciliationUnderWay(ActionRefused):
    """Another process is reconciling this account."""

    code = "reconciliation_under_way"
    message = _("Account '%(account)s' is being reconciled by another process.")

    def __init__(self, account: str) -> None:
        super().__init__(account=account)
