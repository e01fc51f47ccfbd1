"""Idempotent writes: a request with a known `Idempotency-Key` gets the first answer again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.problems import MEDIA_TYPE
from django_xcover.conf import get_config
from django_xcover.models import KeptAnswer
from django_xcover.models.idempotency import LIFETIME

HEADER = "Idempotency-Key"
PATTERN = r"^[!-~]{1,255}$"
KEPT_HEADERS = ("Location", "Retry-After", "Referrer-Policy")


class KeyInvalid(APIException):
    """The key has other characters, or it is unknown whose it is."""

    status_code = 400
    default_code = "idempotency_key_invalid"
    default_detail = _("This Idempotency-Key can't be used.")


class KeyReused(APIException):
    """Another request had this key."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = _("This Idempotency-Key belongs to another request.")


class KeyInUse(APIException):
    """The first request with this key is still being answered."""

    status_code = 409
    default_code = "idempotency_key_in_use"
    default_detail = _("This request is still being answered. Please try again in a moment.")
    wait = 1


def idempotent(method: Callable[..., Response]) -> Callable[..., Response]:
    """Decorate a view's method to replay its answer to a key for a day.

    An answer that says to try again (429, 5xx) isn't kept, so the key can be used again.
    """

    @wraps(method)
    def replaying(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return method(view, request, *args, **kwargs)
        row, is_new = _claim(_hash(_visitor(request, key), key), _fingerprint(request))
        if not is_new:
            return _replay(row)
        response = None
        try:
            response = _answer(view, method, request, *args, **kwargs)
        finally:
            _keep(row, response, getattr(view, "package", None))
        return response

    return replaying


def _answer(view: Any, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
    try:
        return method(view, *args, **kwargs)
    except Exception as error:  # noqa: BLE001 - raised again unless it is a problem
        response: Response = view.handle_exception(error)
        return response


def _claim(key: str, fingerprint: str) -> tuple[KeptAnswer, bool]:
    """Return the key's row and whether this request is the first; raise KeyReused or KeyInUse."""
    now, rows = timezone.now(), KeptAnswer.objects.filter(key=key)
    rows.filter(created_at__lt=now - LIFETIME).delete()
    # The process that answered it has ended.
    lease = timedelta(seconds=get_config().operation_lease)
    rows.filter(status=None, created_at__lt=now - lease).delete()
    row, is_new = KeptAnswer.objects.get_or_create(key=key, defaults={"fingerprint": fingerprint})
    if row.fingerprint != fingerprint:
        raise KeyReused
    if not is_new and row.status is None:
        raise KeyInUse
    return row, is_new


def _keep(row: KeptAnswer, response: Response | None, package: Any) -> None:
    rows = KeptAnswer.objects.filter(pk=row.pk)
    if response is None or response.status_code == 429 or response.status_code >= 500:
        rows.delete()
        return
    rows.update(
        status=response.status_code,
        body=JSONRenderer().render(response.data).decode(),
        headers={name: response[name] for name in KEPT_HEADERS if name in response},
        account=package.account if package else "",
        package_id=package.package_id if package else "",
    )


def _replay(row: KeptAnswer) -> Response:
    is_problem = row.status is not None and row.status >= 400
    return Response(
        json.loads(row.body),
        status=row.status,
        headers={**row.headers, "Idempotent-Replayed": "true"},
        content_type=MEDIA_TYPE if is_problem else None,
    )


def _visitor(request: Request, key: str) -> str:
    """Return whose key it is; raise KeyInvalid for a malformed key, or if nothing says so.

    A guest's session may start with the first answer, so the CSRF cookie counts, which each write
    has. With CSRF_USE_SESSIONS there is none, but a session.
    """
    if not re.fullmatch(PATTERN, key):
        raise KeyInvalid
    pk = getattr(request.user, "pk", None)
    if pk is not None:
        return f"user {pk}"
    django = request._request  # noqa: SLF001 - the documented way
    session = getattr(django, "session", None)
    guest = django.COOKIES.get(settings.CSRF_COOKIE_NAME) or getattr(session, "session_key", None)
    if not guest:
        raise KeyInvalid
    return f"guest {guest}"


def _fingerprint(request: Request) -> str:
    return _hash(
        request.method or "", request.path, json.dumps(request.data, sort_keys=True, default=str)
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
