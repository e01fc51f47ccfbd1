"""Error responses: problem details (RFC 9457), as `application/problem+json`.

`code` is stable and for programs, `type` the same as a URI. `title` belongs to the status, `detail`
is a sentence for the shopper, both in their language. `errors` has the messages about single
fields. 400: the request isn't as documented. 401, 403: not signed in, or the CSRF token is missing.
404: nothing here belongs to this shopper. 409: not possible in the current state. 422: the values
aren't accepted. 429: too many requests. 500: an error in the shop, such as in its adapter. 503: the
insurer can't be reached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpRequest, JsonResponse
from django.utils.cache import add_never_cache_headers
from django.utils.log import log_response
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# RFC 9457, 3.1.1: a tag URI (RFC 4151) is never resolved, so it survives a move of the docs.
TYPE = "tag:django-xcover.github.io,2026:"
MEDIA_TYPE = "application/problem+json"
TITLES: Mapping[int, StrOrPromise] = {
    400: _("Invalid request"),
    401: _("Not signed in"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Method not allowed"),
    406: _("Format not available"),
    409: _("Not possible at the moment"),
    415: _("Format not supported"),
    422: _("Not accepted"),
    429: _("Too many requests"),
    500: _("Server error"),
    503: _("Not available at the moment"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The content of an error response. `detail` is a sentence for the shopper."""

    status: int
    code: str
    detail: str
    errors: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the members of the problem details."""
        title = TITLES.get(self.status) or TITLES[500 if self.status > 499 else 400]
        return {
            "type": f"{TYPE}{self.code}",
            "title": str(title),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": self.errors,
        }


def answers_exceptions(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate `view` to answer any exception with a problem instead of the shop's HTML page.

    It is logged and reported as by Django: by its loggers, and by `got_request_exception`.
    """

    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            del args, kwargs  # a reporter prints the variables of this frame
            if settings.DEBUG_PROPAGATE_EXCEPTIONS:
                raise
            return _unexpected(request, error)

    return answering


def _unexpected(request: HttpRequest, error: Exception) -> JsonResponse:
    is_suspicious = isinstance(error, SuspiciousOperation)
    if is_suspicious:
        problem = Problem(status=400, code="invalid", detail=str(_("Please check your entries.")))
    else:
        got_request_exception.send(sender=None, request=request)
        sentence = str(_("Something went wrong. Please try again later."))
        problem = Problem(status=500, code="server_error", detail=sentence)
    response = JsonResponse(problem.body(), status=problem.status, content_type=MEDIA_TYPE)
    add_never_cache_headers(response)
    name = f"django.security.{type(error).__name__}" if is_suspicious else "django.request"
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=request,
        logger=logging.getLogger(name),
        level="error",
        exception=error,
    )
    return response
