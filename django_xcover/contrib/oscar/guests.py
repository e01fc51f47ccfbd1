"""The orders that a guest may see: those placed or opened by a signed link in this session."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

SESSION_KEY = "xcover_oscar_orders"


def orders_of_session(request: HttpRequest) -> list[str]:
    """Return the numbers of the guest's orders."""
    return list(request.session.get(SESSION_KEY, []))


def remember(request: HttpRequest, order: Any) -> None:
    """Let this session see the cover of `order`, if it is a guest's."""
    number, known = str(order.number), orders_of_session(request)
    if order.user_id is None and number not in known:
        request.session[SESSION_KEY] = [*known, number]


class GuestOrder:
    """Added to Oscar's page of a guest's order, whose link in the e-mail is signed."""

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        """Return the order, which Oscar has checked the link for, and remember it."""
        order = super().get_object(*args, **kwargs)  # type: ignore[misc]
        if order:
            remember(self.request, order)  # type: ignore[attr-defined]
        return order
