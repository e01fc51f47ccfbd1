"""Refusals on the way to an order: choosing, ordering, paying."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from django_xcover.exceptions.base import ActionRefused

# Choosing and ordering.


class ChoiceRefused(ActionRefused):
    """The choice was not recorded. `str()` is a message for the shopper."""

    code = "choice_refused"
    message = _("Your choice could not be saved.")


class OfferChanged(ChoiceRefused):
    """The quote is not part of the current offer for this cart and shopper."""

    code = "offer_changed"
    message = _("The offer has changed since you opened this page. Please choose again.")


class OfferClosed(ChoiceRefused):
    """The cart has become an order, so its choices are final."""

    code = "offer_closed"
    message = _("Your order has already been placed, so this choice can no longer be changed.")


class BeingPaid(ChoiceRefused):
    """The order's total, with or without a premium, is being charged at the moment."""

    code = "being_paid"
    message = _(
        "Your order is being paid, so this choice cannot be changed now. Please finish the "
        "payment, or cancel it and choose again."
    )


class NothingToInsure(ChoiceRefused):
    """The cart is empty, or nothing in it can be insured any more."""

    code = "nothing_to_insure"
    message = _("There is nothing left in your cart to insure.")


class AfterSaleOver(ChoiceRefused):
    """Cover is no longer offered for the order, or it has been paid for already."""

    code = "after_sale_over"
    message = _("Cover can't be added to this order any more.")


class PlanGone(ChoiceRefused):
    """The chosen instalment plan is not available for the quote."""

    code = "plan_gone"
    message = _("This way to pay is not offered any more. Please choose again.")


class TotalChanged(ActionRefused):
    """The total of the order differs from the page. `str()` is a message for the shopper."""

    code = "total_changed"
    message = _("The total of your order has changed. Please check it, then order again.")


# Paying.


class NothingDue(ActionRefused):
    """The payment was made before, is not or no longer due, or its amount has changed."""

    code = "nothing_due"
    message = _("There is nothing to pay here any more.")


class TokenUnreadable(ActionRefused):
    """The value passed is not an XPay token id."""

    code = "token_unreadable"
    message = _("The card could not be used. Please enter it again.")


class EmailDiffers(ActionRefused):
    """The token's e-mail is not the policyholder's. XCover only accepts a token if they match."""

    code = "email_differs"
    message = _("Please pay with a card entered under the same e-mail address as the order.")


class NoCoverToPay(ActionRefused):
    """The order has no package, or no cover was accepted in it."""

    code = "no_cover_to_pay"
    message = _("There is no cover to pay for with this order.")


class TooLateToPay(ActionRefused):
    """The cover is booked, being booked, or could not be booked."""

    code = "too_late_to_pay"
    message = _("How this cover is paid can no longer be changed.")
