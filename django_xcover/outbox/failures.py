"""Why an attempt at an operation failed, or was not made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django_xcover.client import XCoverError, errors
from django_xcover.client.errors import NO_FIELD
from django_xcover.values import UnusableValue


class CannotPerform(Exception):
    """The operation can't be carried out at present, and XCover was not called.

    `str()` says what staff have to fix.
    """

    code = "cannot_perform"


class OutcomeUnknown(Exception):
    """XCover answered, but the answer doesn't show whether the operation was carried out."""

    code = "outcome_unknown"


class Obsolete(Exception):
    """The operation is obsolete. `str()` gives the reason."""

    code = "not_needed"


@contextmanager
def after_post(*, outcome_known: bool = False) -> Iterator[None]:
    """If a read inside this block fails, keep the uncertainty of the preceding write.

    A read changes nothing, so its own error always says that nothing happened, but the write was
    answered and most likely carried out. Set `outcome_known` for a write that failed.
    """
    try:
        yield
    except XCoverError as error:
        error.outcome_known = error.outcome_known and outcome_known
        raise


class Fault(StrEnum):
    """The kinds of failure, by what staff have to do about them."""

    OUTCOME_UNKNOWN = "outcome_unknown"
    CREDENTIALS = "credentials"
    NOT_FOUND = "not_found"
    STATE = "state"
    DATA = "data"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    SHOP = "shop"


NO_MESSAGE = "An API error occurred."

# The fault for each error code that an operation stores.
FAULTS = {
    errors.AuthenticationFailed.code: Fault.CREDENTIALS,
    errors.ConfigurationError.code: Fault.CREDENTIALS,
    errors.Conflict.code: Fault.STATE,
    errors.ConnectionFailed.code: Fault.UNAVAILABLE,
    errors.DeadlineExceeded.code: Fault.UNAVAILABLE,
    errors.HeldBack.code: Fault.UNAVAILABLE,
    errors.InvalidPayload.code: Fault.DATA,
    errors.Locked.code: Fault.UNAVAILABLE,
    errors.NoTimeLeft.code: Fault.UNAVAILABLE,
    errors.NotFound.code: Fault.NOT_FOUND,
    errors.RequestRefused.code: Fault.REFUSED,
    errors.ServerFault.code: Fault.UNAVAILABLE,
    errors.Throttled.code: Fault.UNAVAILABLE,
    errors.UnexpectedAnswer.code: Fault.UNAVAILABLE,
    errors.ValidationFailed.code: Fault.DATA,
    OutcomeUnknown.code: Fault.OUTCOME_UNKNOWN,
    CannotPerform.code: Fault.DATA,
    UnusableValue.code: Fault.DATA,
}


def fault_of(error: Mapping[str, Any]) -> Fault:
    """Return the kind of failure that an operation stored as `error`.

    An error that did not come from XCover comes from the shop's code or from this package.
    """
    fault = FAULTS.get(error.get("type", ""), Fault.SHOP)
    if fault == Fault.UNAVAILABLE and not error.get("outcome_known", True):
        return Fault.OUTCOME_UNKNOWN
    # A rule about the package's status comes as a sentence in a 422, without a code of its own
    # (Quotes API: state rules and errors).
    if fault == Fault.DATA and "status change not allowed" in vendor_text(error).lower():
        return Fault.STATE
    return fault


def vendor_text(error: Mapping[str, Any]) -> str:
    """Return XCover's error text in one line: its message, then its message for each field."""
    fields = error.get("field_errors") or {}
    message = error.get("message", "")
    # This generic message accompanies every rejected field and adds nothing (recorded).
    texts = [] if not message or (fields and message == NO_MESSAGE) else [message]
    for name, words in fields.items():
        text = " ".join(map(str, words))
        texts.append(text if name == NO_FIELD else f"{name}: {text}")
    return "; ".join(texts)


def status_and_type(error: Mapping[str, Any]) -> str:
    """Return status and type, which XCover's support asks for: "422 validation_error"."""
    kind = error.get("vendor_type") or error.get("type")
    return " ".join(str(fact) for fact in (error.get("status"), kind) if fact)
