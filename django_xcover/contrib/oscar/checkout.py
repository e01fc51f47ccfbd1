"""What is added to Oscar's checkout: the premium as a surcharge, and the hold before payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from django_xcover.contrib.oscar import guests, holds
from django_xcover.contrib.oscar.adapter import OscarAdapter, ask, oscar_adapter
from django_xcover.contrib.oscar.cart import OscarCart, cart_of_request, cart_of_submission
from django_xcover.cover import Cover, current_cover, held_cover, release_cover, require_shown
from django_xcover.exceptions import TotalChanged
from django_xcover.types import Money

CODE = "xcover"
SHOWN = "xcover_total"


@dataclass(frozen=True, slots=True)
class CoverSurcharge:
    """The premium, in the form of Oscar's `BaseSurcharge`. It is outside of every voucher."""

    premium: Money
    name = _("Insurance")
    code = CODE

    def calculate(self, basket: Any, **kwargs: Any) -> Any:
        """Return the premium as Oscar's price."""
        plain = partial(OscarAdapter.get_surcharge, oscar_adapter(), self.premium)
        return ask("get_surcharge", self.premium, otherwise=plain)


class CoverSurcharges:
    """Added to Oscar's `SurchargeApplicator`."""

    request: HttpRequest | None
    context: Mapping[str, Any] | None

    def get_surcharges(self, basket: Any, **kwargs: Any) -> Iterable[Any]:
        """Return the shop's surcharges and the premium.

        Oscar passes the session's basket. After a payment page that is a new one, so the basket is
        read from the context, which has the one that is paid for.
        """
        surcharges = tuple(super().get_surcharges(basket, **kwargs))  # type: ignore[misc]
        cover = self._cover(basket)
        if cover is None or cover.premium is None:
            return surcharges
        return (*surcharges, CoverSurcharge(cover.premium))

    def _cover(self, basket: Any) -> Cover | None:
        context = self.context or {}
        basket = context.get("basket", basket)
        if basket.pk is None:
            return None
        # A basket whose payment failed keeps its status until the next request, but has no hold.
        held = held_cover(OscarCart(basket)) if holds.is_frozen(basket) else None
        if held is not None or self.request is None:
            return held
        # The basket's page has no addresses: there the session's count.
        is_submission = "order_kwargs" in context
        cart = cart_of_submission(context) if is_submission else cart_of_request(self.request)
        return None if cart is None else current_cover(self.request, cart)


class CoverPlacement:
    """Added to Oscar's `OrderPlacementMixin`, which every view that places orders has."""

    request: HttpRequest
    is_charged = False

    def handle_order_placement(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Place the order. Oscar calls this once the payment is taken."""
        self.is_charged = True
        return super().handle_order_placement(*args, **kwargs)  # type: ignore[misc,no-any-return]

    def restore_frozen_basket(self) -> None:
        """Thaw the basket, which releases its hold if the payment failed.

        If the payment was taken and the order couldn't be placed, the premium stays held, and staff
        are alerted when the hold expires.
        """
        with holds.keep_holds() if self.is_charged else nullcontext():
            super().restore_frozen_basket()  # type: ignore[misc]

    def save_payment_details(self, order: Any) -> None:
        """Save the payment and report it to XCover, both or neither."""
        with transaction.atomic():
            super().save_payment_details(order)  # type: ignore[misc]

    def handle_successful_order(self, order: Any) -> HttpResponse:
        """Let a guest see the cover of the new order."""
        guests.remember(self.request, order)
        return super().handle_successful_order(order)  # type: ignore[misc,no-any-return]


class CoverPayment:
    """Added to Oscar's `PaymentDetailsView`: what is charged is held before it is charged.

    `cover` has the held cover while `handle_payment` runs. A shop with a payment page gives
    `self.cover.hold` to its payment provider, to answer the adapter's `was_charged` with.
    """

    request: HttpRequest
    cover = Cover()

    @transaction.non_atomic_requests
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Handle the request outside of a transaction: a crash must not undo the hold."""
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]

    def submit(self, **submission: Any) -> HttpResponse:
        """Hold the cover, then take the payment and place the order.

        If the total differs from the page, nothing is charged, and the page is shown again.
        """
        self.cover = holds.hold(self.request, cart_of_submission(submission))
        try:
            _require_shown(self.request, self.cover, submission)
        except TotalChanged as change:
            release_cover(self.cover.hold)
            return self.render_preview(self.request, error=str(change))  # type: ignore[attr-defined,no-any-return]
        return super().submit(**submission)  # type: ignore[misc,no-any-return]


def _require_shown(request: HttpRequest, cover: Cover, submission: Mapping[str, Any]) -> None:
    """Raise TotalChanged if the held premium isn't in the total, or the total wasn't shown.

    A page without `{% xcover_total %}`, such as the way back from a payment page, has no total to
    compare.
    """
    charged = [
        surcharge.surcharge.premium
        for surcharge in submission.get("surcharges") or ()
        if surcharge.surcharge.code == CODE
    ]
    if charged != ([cover.premium] if cover.premium else []):
        raise TotalChanged
    if SHOWN in request.POST:
        total = submission["order_total"]
        require_shown(request.POST, Money(total.incl_tax, total.currency))
