"""Authentication by the shop's session, for users and guests."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class ShopperSession(SessionAuthentication):
    """Session authentication with Django's CSRF check, also for guests.

    REST framework only checks CSRF for logged-in users. A guest's session has a cart as well, and
    another site must not accept cover for it.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the session's user, None for a guest; raise PermissionDenied without a token."""
        self.enforce_csrf(request)
        user = getattr(request._request, "user", None)  # noqa: SLF001 - the documented way
        return (user, None) if user is not None and user.is_active else None
