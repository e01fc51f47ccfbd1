"""Turn exceptions into error responses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ParseError,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.exceptions import PermissionDenied as DeniedByFramework
from rest_framework.response import Response

from django_xcover.api.problems import MEDIA_TYPE, Problem
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

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NOT_ACCEPTED = (ChangeNotAccepted, FieldsNotChangeable, NothingToChange)
# REST framework's own sentences are in English where it isn't an installed app, and some repeat
# what the client sent.
DETAILS: Mapping[type[APIException], StrOrPromise] = {
    NotAuthenticated: gettext_lazy("Please sign in."),
    AuthenticationFailed: gettext_lazy("Please sign in again."),
    DeniedByFramework: gettext_lazy("You don't have permission to do this."),
    MethodNotAllowed: gettext_lazy("This method isn't allowed here."),
    NotAcceptable: gettext_lazy("The answer is only available as JSON."),
    NotFound: gettext_lazy("Not found."),
    ParseError: gettext_lazy("The request isn't valid JSON."),
    Throttled: gettext_lazy("Too many requests. Please try again later."),
    UnsupportedMediaType: gettext_lazy("The request isn't JSON."),
}


def respond(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the response for `error`; None for an unexpected one, which becomes a 500."""
    problem = _problem(error)
    if problem is None:
        return None
    return Response(
        problem.body(),
        status=problem.status,
        headers=dict(problem.headers),
        content_type=MEDIA_TYPE,
    )


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, Http404 | NotVisible):
        return Problem(status=HTTPStatus.NOT_FOUND, code="not_found", detail=_("Not found."))
    if isinstance(error, ActionRefused):
        return _refused(error)
    if isinstance(error, XCoverError):
        return _insurer(error)
    if isinstance(error, PermissionDenied):
        message = _("You don't have permission to do this.")
        return Problem(status=HTTPStatus.FORBIDDEN, code="permission_denied", detail=message)
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
        code=error.code,
        detail=str(error),
        errors=errors,
        headers=_after(getattr(error, "retry_after", None)),
    )


def _insurer(error: XCoverError) -> Problem:
    """Return the problem without XCover's message, which is for staff."""
    if error.permanent:
        return Problem(
            status=HTTPStatus.CONFLICT,
            code="insurer_refused",
            detail=_("The insurer didn't accept this. Nothing has changed. Please contact us."),
        )
    return Problem(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        code="insurer_unavailable",
        detail=_(
            "We can't reach the insurer at the moment. Nothing has changed. Please try again later."
        ),
        headers=_after(error.retry_after),
    )


def _framework(error: APIException) -> Problem:
    if isinstance(error, ValidationError):
        return Problem(
            status=HTTPStatus.BAD_REQUEST,
            code="invalid",
            detail=_("Please check your entries."),
            errors=_by_field(error.detail),
        )
    challenge = getattr(error, "auth_header", "")
    return Problem(
        status=error.status_code,
        code=str(error.default_code),
        detail=_detail(error),
        headers={"WWW-Authenticate": challenge}
        if challenge
        else _after(getattr(error, "wait", None)),
    )


def _detail(error: APIException) -> str:
    """Return the sentence of the shop's own classes, and ours instead of REST framework's."""
    own = DETAILS.get(type(error))
    repeats = isinstance(error, MethodNotAllowed | Throttled | UnsupportedMediaType)
    is_default = repeats or str(error.detail) == str(error.default_detail)
    return str(own if own and is_default else error.detail)


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
