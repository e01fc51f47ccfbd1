"""What an operation's last failure was, for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django_xcover.models import Operation


class Fault(StrEnum):
    """The kinds of failure that ask for different things of a person."""

    OUTCOME_UNKNOWN = "outcome_unknown"
    CREDENTIALS = "credentials"
    NOT_FOUND = "not_found"
    STATE = "state"
    DATA = "data"
    UNAVAILABLE = "unavailable"
    OTHER = "other"


def fault_of(operation: Operation) -> Fault:
    """Return the kind of the operation's last failure."""
    if not operation.outcome_known:
        return Fault.OUTCOME_UNKNOWN
    error = operation.error
    # XCover answers a bad signature with 403, against its own table of statuses (Quotes API: error
    # body), so the status and the type are both asked.
    if error.get("type") == "auth_error":
        return Fault.CREDENTIALS
    # A rule about the package's status comes as a sentence in a 422, without a code of its own.
    if "status change not allowed" in error_words(operation).lower():
        return Fault.STATE
    return _fault_of_status(error.get("status"))


def error_words(operation: Operation) -> str:
    """Return the last error as one line: status, type, message and what each field lacks."""
    error = operation.error
    head = " ".join(str(error[key]) for key in ("status", "type", "message") if error.get(key))
    fields = error.get("field_errors") or {}
    told = [f"{name}: {_joined(texts)}" for name, texts in fields.items()]
    return "; ".join(part for part in [head, *told] if part)


def _fault_of_status(status: int | None) -> Fault:
    if status is None or status >= 500:
        return Fault.UNAVAILABLE
    known = {
        400: Fault.DATA,
        401: Fault.CREDENTIALS,
        403: Fault.CREDENTIALS,
        404: Fault.NOT_FOUND,
        409: Fault.STATE,
        422: Fault.DATA,
        423: Fault.UNAVAILABLE,
        429: Fault.UNAVAILABLE,
    }
    return known.get(status, Fault.OTHER)


def _joined(texts: Any) -> str:
    return " ".join(map(str, texts)) if isinstance(texts, list) else str(texts)
