"""The statuses, choices and kinds that several models share. XCover's keep their names."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Status of a package or a quote (Quotes API: quote/policy status).

    `OPTED_OUT` is missing from the vendor's list but was recorded. XCover may send others: the
    columns accept any text, and this list only has the statuses that this package handles.
    """

    RECEIVED = "RECEIVED", _("received")
    PENDING_PAYMENT = "PENDING_PAYMENT", _("pending payment")
    CONFIRMED = "CONFIRMED", _("confirmed")
    CANCELLED = "CANCELLED", _("cancelled")
    RENEWED = "RENEWED", _("renewed")
    OPTED_OUT = "OPTED_OUT", _("opted out")
    FAILED = "FAILED", _("failed")
    DELETED = "DELETED", _("deleted")
    EXPIRED = "EXPIRED", _("expired")


BOOKED = (Status.PENDING_PAYMENT, Status.CONFIRMED, Status.CANCELLED, Status.RENEWED)


# A renewed policy can still owe its last instalments.
COLLECTED_FOR = (Status.CONFIRMED, Status.RENEWED)


class Choice(models.TextChoices):
    """The shopper's answer to an offered quote, or the lack of one."""

    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    UNANSWERED = "unanswered", _("not answered")
    LAPSED = "lapsed", _("lapsed: the offer changed")
    WITHDRAWN = "withdrawn", _("taken back before it was booked")


class Attention(models.TextChoices):
    """The reasons why a booking needs a person's attention."""

    TERMS_DIFFER = "terms_differ", _("XCover changed what the customer agreed to")
    PRICE_DIFFERS = "price_differs", _("booked at another price than shown")
    POLICY_MISSING = "policy_missing", _("XCover did not book a policy that was paid for")
    STATUS_UNEXPECTED = "status_unexpected", _("XCover reports a status that cannot follow")
    PAYMENT_OVERDUE = "payment_overdue", _("booked, and not paid in time")
    BOOKING_FAILED = "booking_failed", _("XCover could not book, or not charge the card")
    CANCELLATION_REFUSED = "cancellation_refused", _("XCover did not cancel what it was to cancel")
    REFUND_UNCLEAR = "refund_unclear", _("cancelled, and the refund is unknown or not as shown")
    CHANGE_REFUSED = "change_refused", _("a change was settled, and XCover did not make it")
    RENEWED_ANYWAY = "renewed_anyway", _("renewed by XCover although it was declined or not paid")
    HELD_WITHOUT_ORDER = "held_without_order", _("its premium was frozen, and no order came")
    CHARGED_WITHOUT_COVER = (
        "charged_without_cover",
        _("an order was charged and did not get it"),
    )
    LINE_UNKNOWN = "line_unknown", _("lines were cancelled that are not known here")
    PAID_IN_VAIN = "paid_in_vain", _("paid after its cover was cancelled")
    NOT_CHARGED = "not_charged", _("ordered before its price was frozen, so probably not charged")


class OperationKind(models.TextChoices):
    """The kinds of operations at XCover."""

    BOOK = "book", _("book")
    CONFIRM_PAYMENT = "confirm_payment", _("confirm payment")
    OPT_OUT = "opt_out", _("opt out")
    CANCEL = "cancel", _("cancel")
    MODIFY = "modify", _("change")
    RENEW = "renew", _("renew")
    RENEWAL_OPT_OUT = "renewal_opt_out", _("decline renewal")
    REPORT_INSTALMENT = "report_instalment", _("report instalment")
    SEND_EMAIL = "send_email", _("send e-mail")
    INSTANT_BOOK = "instant_book", _("quote and book")


class OperationState(models.TextChoices):
    """The progress of an operation."""

    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    NEEDS_PERSON = "needs_person", _("needs a person")
    DISCARDED = "discarded", _("no longer needed")


UNFINISHED = (OperationState.PENDING, OperationState.RUNNING, OperationState.NEEDS_PERSON)
