"""Why a renewal goes no further, in a sentence each."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from django_xcover.exceptions import Refused


class NotRenewable(Refused):
    """XCover was asked for a price and said that there is nothing to renew."""

    message = _("XCover does not renew this cover. It ends with its present period.")


class NotQuoted(Refused):
    """The renewal has no price that anybody could have paid."""

    message = _("The price of the renewal is not known yet. Please come back later.")


class PriceChanged(Refused):
    """The amount that was collected is not the price of the renewal."""

    message = _(
        "The renewal costs %(price)s, which is not the amount that was paid. Please compare them."
    )


class NotAnnounced(Refused):
    """XCover has given the renewal no id, so it cannot be confirmed by one."""

    message = _("XCover has given this renewal no id yet, so it cannot be confirmed.")


class AlreadyPaid(Refused):
    """The renewal is paid, or in force, and cannot be declined any more."""

    message = _("This renewal has been paid already. To end the cover, cancel it.")


class AlreadyRenewed(Refused):
    """XCover renewed the cover by itself; there was nothing for the shop to collect."""

    message = _("XCover has renewed this cover already, so there is no payment to record.")


class Declined(Refused):
    """The customer declined the renewal."""

    message = _("This renewal has been declined. The cover ends with its present period.")


class Lapsed(Refused):
    """The renewal is over, or the cover it was for is."""

    message = _("This cover can no longer be renewed.")


class NotStuck(Refused):
    """A renewal was to be given up that may still come about."""

    message = _("This renewal is not waiting for a person, so it cannot be given up.")
