"""The sentences that tell a person what is wrong and what to do, per kind of failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from django_xcover.client.errors import identifier
from django_xcover.models import OperationKind
from django_xcover.outbox.failures import Fault, facts, fault_of, said

# What is wrong, and what to do.
ADVICE = {
    Fault.OUTCOME_UNKNOWN: (
        gettext_lazy("%(name)s: XCover gave no clear answer, so it may or may not have worked."),
        gettext_lazy(
            "Press “Retry now”: XCover is first asked what it holds, and nothing is done twice. If "
            "this comes back, contact XCover with the package id %(package)s."
        ),
    ),
    Fault.CREDENTIALS: (
        gettext_lazy("%(name)s stopped: XCover did not accept our credentials."),
        gettext_lazy(
            "Ask those who run the shop to check API key, API secret and partner code of the "
            "account “%(account)s”, and the server's clock. Then press “Retry now”."
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
        gettext_lazy("Mend in the shop's order what the error names, then press “Retry now”."),
    ),
    Fault.UNAVAILABLE: (
        gettext_lazy("%(name)s stopped: XCover could not be reached, %(failures)s times."),
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
            "Tell those who run the shop; the worker's log says where. Press “Retry now” when it "
            "is mended."
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
    OperationKind.RENEWAL_OPT_OUT: gettext_lazy("Declining of the renewal"),
    OperationKind.REPORT_INSTALMENT: gettext_lazy("Report of an instalment"),
    OperationKind.SEND_EMAIL: gettext_lazy("Sending of an e-mail"),
    OperationKind.INSTANT_BOOK: gettext_lazy("Instant booking"),
}

# What is left for people to do when nothing here does it any more.
GIVEN_UP = {
    OperationKind.BOOK: gettext_lazy(
        "The cover is not booked: refund what was paid for it, and tell the customer."
    ),
    OperationKind.INSTANT_BOOK: gettext_lazy(
        "The cover is not booked: refund what was paid for it, and tell the customer."
    ),
    OperationKind.CONFIRM_PAYMENT: gettext_lazy(
        "XCover is not told of the payment, and its booking is not in force: refund what was paid, "
        "or have XCover confirm it, and tell the customer."
    ),
    OperationKind.OPT_OUT: gettext_lazy("XCover is not told that the offer was not taken."),
    OperationKind.CANCEL: gettext_lazy(
        "The cover is not cancelled and stays in force: tell the customer, or have XCover cancel "
        "it."
    ),
    OperationKind.MODIFY: gettext_lazy(
        "The cover stays as it was: tell the customer, and undo what was settled for the change."
    ),
    OperationKind.RENEW: gettext_lazy(
        "The cover is not renewed: refund what was paid for the next period, and tell the customer."
    ),
    OperationKind.RENEWAL_OPT_OUT: gettext_lazy(
        "XCover is not told that the customer declined, and may renew the cover: have XCover stop "
        "it."
    ),
    OperationKind.REPORT_INSTALMENT: gettext_lazy(
        "XCover is not told what became of this payment: tell XCover in another way."
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
    """Return the kind, status and type of an operation's `error`, "" for none."""
    if "type" not in error:
        return said(error)
    text = f"{PLAIN[fault_of(error)]} ({facts(error)})"
    return text[:1].upper() + text[1:]


def without_words(error: Mapping[str, Any]) -> str:
    """Return an operation's `error` in brief, with the names of the refused fields.

    XCover's own words can repeat what was typed, so they are for those who may see personal data.
    """
    fields = ", ".join(sorted(identifier(name) or "?" for name in error.get("field_errors") or {}))
    return ": ".join(text for text in (in_brief(error), fields) if text)


def in_plain_words(error: Mapping[str, Any]) -> str:
    """Return an operation's `error` as one sentence, "" for none: in brief, then XCover's words."""
    told = [in_brief(error), said(error) if "type" in error else ""]
    return ": ".join(text for text in told if text)
