"""Whose request it is: as the shop's own classes say, else as its session says."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class ShopperSession(SessionAuthentication):
    """The shop's session, guests included, with Django's CSRF check.

    REST framework checks CSRF for logged-in users only. A guest has a cart in the session, too, and
    no other site may say yes to cover for it.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the session's user, None for a guest; raise PermissionDenied without a token."""
        self.enforce_csrf(request)
        user = getattr(request._request, "user", None)  # noqa: SLF001 - the documented way
        return (user, None) if user is not None and user.is_active else None
