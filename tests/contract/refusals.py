"""Every form in which XCover refuses a call, as its contract has them (Quotes API: error body).

What is no refusal is not here: a call that is locked, throttled or met a fault is made again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django_xcover.sandbox import Sandbox


class Kind(StrEnum):
    """What a refusal is about. People are told the kind, and XCover's words where they help."""

    VALUES = "values"
    STATE = "state"
    UNKNOWN = "unknown"
    CREDENTIALS = "credentials"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One form: its status, its body, and what it says in one line ("" where that is nothing)."""

    name: str
    kind: Kind
    status: int
    body: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    def plan(self, sandbox: Sandbox, call: str) -> None:
        """Have XCover refuse `call` in this form, however often it is made."""
        sandbox.faults.add(call, "status", times=None, status=self.status, body=self.body)


def _invalid(errors: Any, **more: Any) -> dict[str, Any]:
    message = "An API error occurred."
    return {"type": "validation_error", "message": message, "errors": errors, **more}


def _refused(kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "message": message}


NOT_NOW = "Status change not allowed for QuotePackage in status CANCELLED"
REFUSALS = (
    Refusal(
        name="a field is missing",
        kind=Kind.VALUES,
        status=422,
        body=_invalid({"currency": ["This field is required."]}),
        said="currency: This field is required.",
    ),
    Refusal(
        name="a field is not expected",
        kind=Kind.VALUES,
        status=422,
        body=_invalid({"policy_version": "Unexpected field"}),
        said="policy_version: Unexpected field",
    ),
    Refusal(
        name="a nested field is wrong",
        kind=Kind.VALUES,
        status=422,
        body=_invalid({"policyholder": {"phone": ["Start with +"]}}),
        said="policyholder.phone: Start with +",
    ),
    Refusal(
        name="a rule, in a sentence",
        kind=Kind.VALUES,
        status=422,
        body=_invalid(["This has a limit."]),
        said="This has a limit.",
    ),
    Refusal(
        name="no field in particular",
        kind=Kind.VALUES,
        status=422,
        body=_invalid({"non_field_errors": ["'customer' is a required property"]}),
        said="'customer' is a required property",
    ),
    Refusal(
        name="a rule, with its code",
        kind=Kind.VALUES,
        status=422,
        body=_invalid([{"code": "request_invalid", "details": ["This has a limit."]}]),
        said="This has a limit.",
    ),
    Refusal(
        name="no reason at all",
        kind=Kind.VALUES,
        status=422,
        body={},
    ),
    Refusal(
        name="no JSON",
        kind=Kind.VALUES,
        status=400,
        body=_refused("validation_error", "JSON parse error"),
        said="JSON parse error",
    ),
    Refusal(
        name="the status does not allow it",
        kind=Kind.STATE,
        status=422,
        body=_invalid([NOT_NOW]),
        said=NOT_NOW,
    ),
    Refusal(
        name="no such package",
        kind=Kind.UNKNOWN,
        status=404,
        body=_refused("api_error", "Quote package does not exist"),
        said="Quote package does not exist",
    ),
    Refusal(
        name="no key",
        kind=Kind.CREDENTIALS,
        status=401,
        body=_refused("auth_error", "Authorization is required"),
    ),
    Refusal(
        name="a wrong signature",
        kind=Kind.CREDENTIALS,
        status=403,
        body=_refused("auth_error", "You do not have permission to access this url"),
    ),
    Refusal(
        name="a signature that the gateway does not read",
        kind=Kind.CREDENTIALS,
        status=400,
        body={"error": "Authorization field missing, malformed or invalid"},
    ),
    Refusal(
        name="a method that is not there",
        kind=Kind.OTHER,
        status=405,
        body=_refused("api_error", 'Method "POST" not allowed.'),
        said='Method "POST" not allowed.',
    ),
)
