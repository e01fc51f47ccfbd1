"""Error responses. All have the same body: `{"type", "message", "errors"}`.

`type` is a stable code for programs, `message` is a sentence for the shopper, and `errors` has the
messages about single fields. 400: the request isn't as documented. 403: the CSRF token is missing.
404: nothing here belongs to this shopper. 409: not possible in the current state. 422: the values
aren't accepted. 429: too many requests. 503: the insurer can't be reached.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, MethodNotAllowed, ValidationError
from rest_framework.response import Response

from django_xcover.client import XCoverError
from django_xcover.exceptions import (
    ActionRefused,
    CardNumberSent,
    ChangeNotAccepted,
    FieldsNotChangeable,
    NothingToChange,
    NotVisible,
    SentRecently,
)

NOT_ACCEPTED = (ChangeNotAccepted, FieldsNotChangeable, NothingToChange)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The content of an error response."""

    status: int
    type: str
    message: str
    errors: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def respond(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the response for `error`; None for an unexpected one, which becomes a 500."""
    problem = _problem(error)
    if problem is None:
        return None
    body = {"type": problem.type, "message": problem.message, "errors": problem.errors}
    return Response(body, status=problem.status, headers=dict(problem.headers))


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, Http404 | NotVisible):
        return Problem(status=HTTPStatus.NOT_FOUND, type="not_found", message=_("Not found."))
    if isinstance(error, ActionRefused):
        return _refused(error)
    if isinstance(error, XCoverError):
        return _insurer(error)
    if isinstance(error, PermissionDenied):
        message = _("You don't have permission to do this.")
        return Problem(status=HTTPStatus.FORBIDDEN, type="permission_denied", message=message)
    return _framework(error) if isinstance(error, APIException) else None


def _refused(error: ActionRefused) -> Problem:
    status, errors = HTTPStatus.CONFLICT, getattr(error, "field_errors", {})
    if isinstance(error, SentRecently):
        status = HTTPStatus.TOO_MANY_REQUESTS
    elif isinstance(error, CardNumberSent):
        status, errors = HTTPStatus.BAD_REQUEST, {error.field or "": [str(error)]}
    elif isinstance(error, NOT_ACCEPTED):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(
        status=status,
        type=error.code,
        message=str(error),
        errors=errors,
        headers=_after(getattr(error, "retry_after", None)),
    )


def _insurer(error: XCoverError) -> Problem:
    """Return the problem without XCover's message, which is for staff."""
    if error.permanent:
        return Problem(
            status=HTTPStatus.CONFLICT,
            type="insurer_refused",
            message=_("The insurer didn't accept this. Nothing has changed. Please contact us."),
        )
    return Problem(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        type="insurer_unavailable",
        message=_(
            "We can't reach the insurer at the moment. Nothing has changed. Please try again later."
        ),
        headers=_after(error.retry_after),
    )


def _framework(error: APIException) -> Problem:
    if isinstance(error, ValidationError):
        return Problem(
            status=HTTPStatus.BAD_REQUEST,
            type="invalid",
            message=_("Please check your entries."),
            errors=_by_field(error.detail),
        )
    headers = _after(getattr(error, "wait", None))
    if isinstance(error, MethodNotAllowed):
        # The default message repeats the method, which the client can choose freely.
        return Problem(
            status=error.status_code,
            type="method_not_allowed",
            message=_("This method isn't allowed here."),
        )
    if challenge := getattr(error, "auth_header", ""):
        headers = {"WWW-Authenticate": challenge}
    return Problem(
        status=error.status_code,
        type=str(error.default_code),
        message=str(error.detail),
        headers=headers,
    )


def _by_field(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Return a serializer's error messages by dotted field name."""
    if isinstance(detail, Mapping):
        errors: dict[str, list[str]] = {}
        for key, below in detail.items():
            part = "" if key == "non_field_errors" else str(key)
            errors |= _by_field(below, ".".join(filter(None, (name, part))))
        return errors
    texts = detail if isinstance(detail, Sequence) and not isinstance(detail, str) else [detail]
    return {name: [str(text) for text in texts]} if texts else {}


def _after(seconds: float | None) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(seconds))} if seconds else {}
