"""Sentences for staff about each kind of failure: the problem, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from django_xcover.client.errors import identifier
from django_xcover.models import OperationKind
from django_xcover.outbox.failures import Fault, fault_of, status_and_type, vendor_text

# The problem, and what to do.
ADVICE = {
    Fault.OUTCOME_UNKNOWN: (
        gettext_lazy("%(name)s: XCover gave no clear answer, so it may or may not have worked."),
        gettext_lazy(
            "Press “Retry now”: the state at XCover is checked first, so nothing is done twice. "
            "If this happens again, contact XCover with the package id %(package)s."
        ),
    ),
    Fault.CREDENTIALS: (
        gettext_lazy("%(name)s stopped: XCover did not accept our credentials."),
        gettext_lazy(
            "Ask the developers to check the API key, API secret and partner code of the account "
            "“%(account)s”, and the server's clock. Then press “Retry now”."
        ),
    ),
    Fault.NOT_FOUND: (
        gettext_lazy("%(name)s stopped: XCover does not know this package."),
        gettext_lazy(
            "Check that the account “%(account)s” is the one that quoted it. If it is, contact "
            "XCover with the package id %(package)s."
        ),
    ),
    Fault.STATE: (
        gettext_lazy("%(name)s stopped: the package's status at XCover does not allow it."),
        gettext_lazy(
            "Press “Refresh from XCover” on package %(package)s and compare its status. If it is "
            "not what the customer chose, contact XCover with the package id."
        ),
    ),
    Fault.DATA: (
        gettext_lazy("%(name)s stopped: XCover refused the order's data."),
        gettext_lazy(
            "Correct the data that the error names in the shop's order, then press “Retry now”."
        ),
    ),
    Fault.UNAVAILABLE: (
        gettext_lazy("%(name)s stopped: XCover could not be reached in %(failures)s attempts."),
        gettext_lazy(
            "Press “Retry now”. If that fails as well, contact XCover with the package id "
            "%(package)s."
        ),
    ),
    Fault.REFUSED: (
        gettext_lazy("%(name)s stopped: XCover refused it."),
        gettext_lazy("Contact XCover with the package id %(package)s and the error."),
    ),
    Fault.SHOP: (
        gettext_lazy("%(name)s stopped: an error in the shop's own software."),
        gettext_lazy(
            "Tell the developers; the worker's log shows where it happened. Press “Retry now” "
            "once it is fixed."
        ),
    ),
}

NAMES = {
    OperationKind.BOOK: gettext_lazy("Booking"),
    OperationKind.CONFIRM_PAYMENT: gettext_lazy("Payment confirmation"),
    OperationKind.OPT_OUT: gettext_lazy("Opt-out"),
    OperationKind.CANCEL: gettext_lazy("Cancellation"),
    OperationKind.MODIFY: gettext_lazy("Change of the cover"),
    OperationKind.RENEW: gettext_lazy("Renewal"),
    OperationKind.RENEWAL_OPT_OUT: gettext_lazy("Renewal opt-out"),
    OperationKind.REPORT_INSTALMENT: gettext_lazy("Instalment report"),
    OperationKind.SEND_EMAIL: gettext_lazy("E-mail request"),
    OperationKind.INSTANT_BOOK: gettext_lazy("Instant booking"),
}

# What is left for staff to do once an operation has been given up.
GIVEN_UP = {
    OperationKind.BOOK: gettext_lazy(
        "The cover is not booked: refund what was paid for it, and inform the customer."
    ),
    OperationKind.INSTANT_BOOK: gettext_lazy(
        "The cover is not booked: refund what was paid for it, and inform the customer."
    ),
    OperationKind.CONFIRM_PAYMENT: gettext_lazy(
        "XCover is not notified of the payment, so its booking is not in force: refund what was "
        "paid, or have XCover confirm the booking, and inform the customer."
    ),
    OperationKind.OPT_OUT: gettext_lazy("XCover is not notified that the offer was declined."),
    OperationKind.CANCEL: gettext_lazy(
        "The cover is not cancelled and stays in force: inform the customer, or have XCover "
        "cancel it."
    ),
    OperationKind.MODIFY: gettext_lazy(
        "The cover does not change: inform the customer, and reverse what was settled for the "
        "change."
    ),
    OperationKind.RENEW: gettext_lazy(
        "The cover is not renewed: refund what was paid for the next period, and inform the "
        "customer."
    ),
    OperationKind.RENEWAL_OPT_OUT: gettext_lazy(
        "XCover is not notified that the customer declined, and may renew the cover: ask XCover "
        "to stop the renewal."
    ),
    OperationKind.REPORT_INSTALMENT: gettext_lazy(
        "XCover is not notified of the result of this payment: notify XCover in another way."
    ),
    OperationKind.SEND_EMAIL: gettext_lazy("XCover does not send this e-mail."),
}

PLAIN = {
    Fault.OUTCOME_UNKNOWN: gettext_lazy("XCover gave no clear answer"),
    Fault.CREDENTIALS: gettext_lazy("XCover did not accept our credentials"),
    Fault.NOT_FOUND: gettext_lazy("XCover does not know this package"),
    Fault.STATE: gettext_lazy("the package's status at XCover does not allow it"),
    Fault.DATA: gettext_lazy("the data was refused"),
    Fault.UNAVAILABLE: gettext_lazy("XCover could not be reached"),
    Fault.REFUSED: gettext_lazy("XCover refused it"),
    Fault.SHOP: gettext_lazy("an error in the shop's own software"),
}


def in_brief(error: Mapping[str, Any]) -> str:
    """Return the kind, status and type of an operation's `error`, "" if there is none."""
    if "type" not in error:
        return vendor_text(error)
    text = f"{PLAIN[fault_of(error)]} ({status_and_type(error)})"
    return text[:1].upper() + text[1:]


def without_words(error: Mapping[str, Any]) -> str:
    """Return an operation's `error` in brief, with the names of the refused fields.

    XCover's text may repeat the customer's input, so only users who may see personal data get it.
    """
    fields = ", ".join(sorted(identifier(name) or "?" for name in error.get("field_errors") or {}))
    return ": ".join(text for text in (in_brief(error), fields) if text)


def in_plain_words(error: Mapping[str, Any]) -> str:
    """Return an operation's `error` as a sentence, "" if none: in brief, then XCover's text."""
    texts = [in_brief(error), vendor_text(error) if "type" in error else ""]
    return ": ".join(text for text in texts if text)
