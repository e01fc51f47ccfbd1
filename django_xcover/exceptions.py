"""PUBLIC: everything this package raises for a shop to catch.

There are three branches: `Refused` (it cannot be done, with a sentence for a person), `NotVisible`
(there is nothing here for this shopper) and `XCoverError` (a call to XCover failed). Each class has
a `code`, which the API sends and rows keep: it never changes, whatever the class is called. An
adapter's value that cannot be used is an `UnusableValue`.
`docs/reference.md` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from django_xcover.client.errors import XCoverError
from django_xcover.values import UnusableValue

__all__ = [
    "AlreadyCancelled",
    "AlreadyRenewed",
    "BeingCancelled",
    "BeingChanged",
    "BeingPaid",
    "CardNumberSent",
    "ChangeAbandoned",
    "ChangeMade",
    "ChangeNotAccepted",
    "ChangeOutdated",
    "ChoiceRefused",
    "CircuitOpen",
    "CoverEnded",
    "DifferenceNotSettled",
    "DocumentMissing",
    "EmailDiffers",
    "EmailTooEarly",
    "FieldsNotChangeable",
    "InstalmentNotDue",
    "InstalmentOfCancelled",
    "InstalmentPaid",
    "InstalmentPaidTwice",
    "LinkExpired",
    "LinkInvalid",
    "NoCoverToPay",
    "NotBooked",
    "NotCancellable",
    "NotErasable",
    "NotInForce",
    "NotModifiable",
    "NotRenewable",
    "NotVisible",
    "NotWaiting",
    "NothingDue",
    "NothingToChange",
    "NothingToInsure",
    "NothingToSend",
    "OfferChanged",
    "OfferClosed",
    "PlanGone",
    "PolicyMissing",
    "PreviewExpired",
    "ReconciliationUnderWay",
    "ReferenceTooLong",
    "RefundAboveLimit",
    "RefundNotRecorded",
    "Refused",
    "RenewalDeclined",
    "RenewalLapsed",
    "RenewalNotAnnounced",
    "RenewalNotQuoted",
    "RenewalNotStuck",
    "RenewalPaid",
    "RenewalPriceChanged",
    "SentRecently",
    "TokenUnreadable",
    "TooLateToPay",
    "TotalChanged",
    "UnknownEmail",
    "UnusableValue",
    "ValueNotChangeable",
    "XCoverError",
    "code_of",
]


class Refused(Exception):
    """Something was asked for that cannot be done, and nothing has changed.

    `str()` is a sentence for the shopper or for staff, in the language of the person who asked.
    Subclasses set `code` and `message`; its `%(name)s` places are filled from the keyword
    arguments.
    """

    code: ClassVar[str] = "refused"
    message = _("This cannot be done.")

    def __init__(self, **facts: object) -> None:
        super().__init__(str(self.message) % facts if facts else str(self.message))

    def __reduce__(self) -> tuple[object, ...]:
        # Celery pickles what a task raised, and the arguments are not what `__init__` takes.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[Refused], args: tuple[object, ...], state: dict[str, object]) -> Refused:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


def refusal(check: Callable[..., object], *facts: object) -> Refused | None:
    """Return what `check` refuses `facts` with, None where it does not.

    For callers that only ask whether something can be done.
    """
    try:
        check(*facts)
    except Refused as reason:
        return reason
    return None


def code_of(error: BaseException) -> str:
    """Return the `code` of `error`, or the name of its class for an error that is not ours."""
    code = getattr(type(error), "code", None)
    return code if isinstance(code, str) else type(error).__name__


# Passing values in.


class ReferenceTooLong(Refused):
    """A reference cannot be kept whole; cut short it would be another payment's."""

    code = "reference_too_long"
    message = _("This reference is too long: it may have %(longest)s characters.")


class CardNumberSent(Refused):
    """A card number came in. `field` says where; neither it nor the sentence holds the number."""

    code = "card_number_sent"
    message = _("Please never send card numbers here. Nothing was saved.")

    def __init__(self, field: str = "") -> None:
        self.field = field
        super().__init__()


# Choosing and ordering.


class ChoiceRefused(Refused):
    """The choice was not recorded. `str()` is a sentence for the shopper."""

    code = "choice_refused"
    message = _("Your choice could not be saved.")


class OfferChanged(ChoiceRefused):
    """The quote is not part of the offer that is open for this cart and shopper."""

    code = "offer_changed"
    message = _("The offer has changed since you opened this page. Please choose again.")


class OfferClosed(ChoiceRefused):
    """An order has been made of the cart, so its choices are final."""

    code = "offer_closed"
    message = _("Your order has already been placed, so this choice can no longer be changed.")


class BeingPaid(ChoiceRefused):
    """The premium, or a total without one, is being charged at this moment."""

    code = "being_paid"
    message = _(
        "Your order is being paid, so this choice cannot be changed now. Please finish the "
        "payment, or cancel it and choose again."
    )


class NothingToInsure(ChoiceRefused):
    """The cart was emptied, or nothing in it can be insured any more."""

    code = "nothing_to_insure"
    message = _("There is nothing left in your cart to insure.")


class PlanGone(ChoiceRefused):
    """The quote cannot be paid in the way that was asked for."""

    code = "plan_gone"
    message = _("This way to pay is not offered any more. Please choose again.")


class TotalChanged(Refused):
    """The order would charge another total than the page showed. `str()` is for the shopper."""

    code = "total_changed"
    message = _("The total of your order has changed. Please check it, then order again.")


# Paying.


class NothingDue(Refused):
    """It was paid before, is no longer offered, or never was; or it costs something else now."""

    code = "nothing_due"
    message = _("There is nothing to pay here any more.")


class TokenUnreadable(Refused):
    """What was passed on is no token id of XPay's."""

    code = "token_unreadable"
    message = _("The card could not be used. Please enter it again.")


class EmailDiffers(Refused):
    """XCover takes a token only from the policyholder whose e-mail it was made with."""

    code = "email_differs"
    message = _("Please pay with a card entered under the same e-mail address as the order.")


class NoCoverToPay(Refused):
    """There is no package of this order, or nothing in it was chosen."""

    code = "no_cover_to_pay"
    message = _("There is no cover to pay for with this order.")


class TooLateToPay(Refused):
    """The cover is booked, or being booked at this moment, or could not be booked at all."""

    code = "too_late_to_pay"
    message = _("How this cover is paid can no longer be changed.")


# Cancelling and refunds.


class NotCancellable(Refused):
    """XCover does not let the policy be cancelled (`can_be_cancelled`, or its refusal)."""

    code = "not_cancellable"
    message = _("This cover cannot be cancelled.")


class NotInForce(NotCancellable):
    """The policy is not booked, or its booking waits for the payment."""

    code = "not_in_force"
    message = _("This cover is not in force yet, so there is nothing to cancel.")


class CoverEnded(NotCancellable):
    """The policy's period is over."""

    code = "cover_ended"
    message = _("This cover has ended, so it can no longer be cancelled.")


class AlreadyCancelled(Refused):
    """The policy is cancelled; that cannot be undone or done again."""

    code = "already_cancelled"
    message = _("This cover has already been cancelled.")


class BeingCancelled(AlreadyCancelled):
    """A cancellation of the policy was confirmed and is being carried out."""

    code = "being_cancelled"
    message = _("This cover is already being cancelled.")


class PreviewExpired(Refused):
    """The preview was not confirmed before its `confirm_before`, or the price changed since."""

    code = "preview_expired"
    message = _("The refund you were shown is no longer valid. Please look at it again.")


class RefundNotRecorded(Refused):
    """The refund does not belong to the cancellation, or another one is recorded already."""

    code = "refund_not_recorded"
    message = _("This refund cannot be recorded: %(why)s")


class RefundAboveLimit(Refused):
    """More than the cancelled cover gives back; it takes a permission of its own."""

    code = "refund_above_limit"
    message = _(
        "%(refund)s is more than the %(limit)s that this cancellation gives back. Recording it "
        "needs the permission to record refunds above what XCover names."
    )


# Withdrawing.


class LinkInvalid(Refused):
    """The link was not made here, or was cut off on the way."""

    code = "link_invalid"
    message = _("This link is not complete. Please open it again from your e-mail.")


class LinkExpired(Refused):
    """The link is older than `XCOVER["WITHDRAWAL_LINK_DAYS"]`."""

    code = "link_expired"
    message = _("This link has expired. Please contact us, or sign in to see your cover.")


# Changing.


class NotModifiable(Refused):
    """The booking or the policy is not in force, or XCover does not let it be changed."""

    code = "not_modifiable"
    message = _("This cover cannot be changed.")


class BeingChanged(NotModifiable):
    """An earlier change is being carried out."""

    code = "being_changed"
    message = _("An earlier change is still being made. Please try again in a moment.")


class NothingToChange(Refused):
    """Nothing that was sent differs from what XCover has."""

    code = "nothing_to_change"
    message = _("Nothing would change.")


class FieldsNotChangeable(Refused):
    """Fields were sent that `changeable_fields` does not name."""

    code = "fields_not_changeable"
    message = _("These details cannot be changed: %(fields)s.")


class ChangeNotAccepted(Refused):
    """XCover refused the new values; `field_errors` has its words for each field.

    The words may repeat what a person typed, so they are no part of `str()`: show them, log them
    never.
    """

    code = "change_not_accepted"
    message = _("XCover does not accept this change.")

    def __init__(self, field_errors: Mapping[str, Iterable[str]] | None = None) -> None:
        super().__init__()
        self.field_errors = {name: list(texts) for name, texts in (field_errors or {}).items()}


class ChangeOutdated(Refused):
    """The cover changed after this change was priced, so its difference no longer holds."""

    code = "change_outdated"
    message = _("Your cover has changed since this was priced. Please ask for a new price.")


class ChangeAbandoned(Refused):
    """The change was given up, or refused by XCover."""

    code = "change_abandoned"
    message = _("This change is no longer open. Please ask for a new price.")


class ChangeMade(Refused):
    """The change is made or on its way, so it can be neither abandoned nor settled again."""

    code = "change_made"
    message = _("This change has already been confirmed.")


class ValueNotChangeable(Refused):
    """The policy is not in force, or has no value of its own."""

    code = "value_not_changeable"
    message = _("The insured value of this policy cannot be changed.")


class DifferenceNotSettled(Refused):
    """Only the shop can say that the difference of a change has been charged or refunded."""

    code = "difference_not_settled"
    message = _("The price difference has to be settled first.")


# Renewing.


class NotRenewable(Refused):
    """XCover was asked for a price and said that there is nothing to renew."""

    code = "not_renewable"
    message = _("XCover does not renew this cover. It ends with its present period.")


class RenewalNotQuoted(Refused):
    """The renewal has no price that anybody could have paid."""

    code = "renewal_not_quoted"
    message = _("The price of the renewal is not known yet. Please come back later.")


class RenewalPriceChanged(Refused):
    """The amount that was collected is not the price of the renewal."""

    code = "renewal_price_changed"
    message = _(
        "The renewal costs %(price)s, which is not the amount that was paid. Please compare them."
    )


class RenewalNotAnnounced(Refused):
    """XCover has given the renewal no id, so it cannot be confirmed by one."""

    code = "renewal_not_announced"
    message = _("XCover has given this renewal no id yet, so it cannot be confirmed.")


class RenewalPaid(Refused):
    """The renewal is paid, or in force, and cannot be declined any more."""

    code = "renewal_paid"
    message = _("This renewal has been paid already. To end the cover, cancel it.")


class AlreadyRenewed(Refused):
    """XCover renewed the cover by itself; there was nothing for the shop to collect."""

    code = "already_renewed"
    message = _("XCover has renewed this cover already, so there is no payment to record.")


class RenewalDeclined(Refused):
    """The customer declined the renewal."""

    code = "renewal_declined"
    message = _("This renewal has been declined. The cover ends with its present period.")


class RenewalLapsed(Refused):
    """The renewal is over, or the cover it was for is."""

    code = "renewal_lapsed"
    message = _("This cover can no longer be renewed.")


class RenewalNotStuck(Refused):
    """A renewal was to be given up that may still come about."""

    code = "renewal_not_stuck"
    message = _("This renewal is not waiting for a person, so it cannot be given up.")


# Instalments.


class InstalmentPaid(Refused):
    """A payment that was made cannot have failed."""

    code = "instalment_paid"
    message = _("Instalment %(number)s is paid, so no failed payment can be reported for it.")


class InstalmentPaidTwice(Refused):
    """The customer paid for an instalment that is paid: it is to be given back."""

    code = "instalment_paid_twice"
    message = _("Instalment %(number)s has been paid already, by another payment.")


class InstalmentNotDue(Refused):
    """The policy is cancelled or not booked."""

    code = "instalment_not_due"
    message = _("This policy is not in force, so no instalment is to be collected for it.")


class InstalmentOfCancelled(InstalmentNotDue):
    """The cancellation of the policy is on its way, and its refund does not include this money."""

    code = "instalment_of_cancelled"
    message = _("This policy is being cancelled, so no instalment is to be collected for it.")


# E-mails.


class NotBooked(Refused):
    """A package that is no booking has no e-mails."""

    code = "not_booked"
    message = _("XCover writes about booked cover only, and this cover is not booked.")


class EmailTooEarly(Refused):
    """XCover sends the e-mail about a cancellation for cancelled bookings only (recorded)."""

    code = "email_too_early"
    message = _("The e-mail about the cancellation can be sent once the booking is cancelled.")


class UnknownEmail(Refused):
    """The event cannot be the name of an e-mail of XCover's."""

    code = "unknown_email"
    message = _("XCover has no e-mail of this name.")


class NothingToSend(Refused):
    """The policy is not in force, or being cancelled."""

    code = "nothing_to_send"
    message = _("Your documents can be sent only while your cover is in force.")


class SentRecently(Refused):
    """The e-mail was asked for a short while ago, or often today. `again_at` is aware."""

    code = "sent_recently"
    message = _(
        "The insurer has been asked to send this e-mail. From %(time)s you can ask for it again. "
        "Please look among unwanted e-mails, too."
    )

    def __init__(self, again_at: datetime) -> None:
        self.again_at = again_at
        super().__init__(time=date_format(timezone.localtime(again_at), "DATETIME_FORMAT"))

    @property
    def retry_after(self) -> float:
        """Return the seconds until it can be asked for again."""
        return max((self.again_at - timezone.now()).total_seconds(), 1)


# Staff.


class NotWaiting(Refused):
    """Somebody tries it again, or it is over."""

    code = "not_waiting"
    message = _("This is not waiting for a person, so it cannot be given up.")


class NotErasable(Refused):
    """Something has to happen at XCover for these packages yet, so they cannot be erased."""

    code = "not_erasable"
    message = _("Order '%(reference)s' has operations that are not over.")


class ReconciliationUnderWay(Refused):
    """Somebody else is reconciling this account at the moment."""

    code = "reconciliation_under_way"
    message = _("Account '%(account)s' is being reconciled by another process.")

    def __init__(self, account: str) -> None:
        super().__init__(account=account)


# Nothing here.


class NotVisible(LookupError):
    """There is no such thing, or this request may not see it: callers are not told which."""

    code: ClassVar[str] = "not_visible"


class PolicyMissing(NotVisible):
    """There is no such policy, or this request may not see it."""

    code = "policy_missing"


class DocumentMissing(NotVisible):
    """There is no such document, or this request may not see it."""

    code = "document_missing"


# Calls.


class CircuitOpen(XCoverError):
    """Say that the call was not made, because XCover is down."""

    code = "circuit_open"
    next_step = "The circuit breaker lets a call through when its time is up."
