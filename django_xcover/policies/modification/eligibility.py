"""What may be changed about a booking, and why the rest may not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.utils.translation import gettext_lazy as _

from django_xcover.exceptions import Refused
from django_xcover.models import Cancellation, Modification, QuotePackage, Status

# Where XCover names no fields. Country and age are left out: they decide what can be insured and
# for how much.
DETAILS = (
    "first_name",
    "middle_name",
    "last_name",
    "company",
    "email",
    "secondary_email",
    "phone",
    "address1",
    "address2",
    "city",
    "postcode",
    "region",
)


class NotModifiable(Refused):
    """The booking or the policy is not in force, or XCover does not let it be changed."""

    message = _("This cover cannot be changed.")


class BeingChanged(NotModifiable):
    """An earlier change is being carried out."""

    message = _("An earlier change is still being made. Please try again in a moment.")


class NothingToChange(Refused):
    """Nothing that was sent differs from what XCover has."""

    message = _("Nothing would change.")


class FieldsNotChangeable(Refused):
    """Fields were sent that `changeable_fields` does not name."""

    message = _("These details cannot be changed: %(fields)s.")


class ChangeNotAccepted(Refused):
    """XCover refused the new values; `field_errors` has its words for each field.

    The words may repeat what a person typed, so they are no part of `str()`: show them, log them
    never.
    """

    message = _("XCover does not accept this change.")

    def __init__(self, field_errors: Mapping[str, Iterable[str]] | None = None) -> None:
        super().__init__()
        self.field_errors = {name: list(texts) for name, texts in (field_errors or {}).items()}


class ChangeOutdated(Refused):
    """The cover changed after this change was priced, so its difference no longer holds."""

    message = _("Your cover has changed since this was priced. Please ask for a new price.")


class ChangeAbandoned(Refused):
    """The change was given up, or refused by XCover."""

    message = _("This change is no longer open. Please ask for a new price.")


class ChangeMade(Refused):
    """The change is made or on its way, so it can be neither abandoned nor settled again."""

    message = _("This change has already been confirmed.")


def changeable_fields(package: QuotePackage) -> tuple[str, ...]:
    """Return the policyholder's fields that may be changed, as XCover's last answer has them.

    That is `fields_allowed_to_update` where it names any. Without them the usual details may be
    tried and XCover decides: `allow_updates` is false in every recorded booking, and yet a new
    phone number was accepted.
    """
    return package.answer.policyholder.changeable or DETAILS


def require_changeable(package: QuotePackage, quote_ids: Collection[str] = ()) -> None:
    """Raise NotModifiable unless the package, and the policies named, can be changed now."""
    if package.status != Status.CONFIRMED:
        raise NotModifiable
    quotes = package.quotes.all() if quote_ids else ()
    in_force = {quote.quote_id for quote in quotes if quote.status == Status.CONFIRMED}
    if not in_force.issuperset(quote_ids):
        raise NotModifiable
    # As they are at hand, so that a page that has them prefetched asks for none.
    if any(row.state == Cancellation.State.REQUESTED for row in package.cancellations.all()):
        raise NotModifiable


def require_idle(package: QuotePackage) -> None:
    """Raise BeingChanged while a change is on its way: the next would not see its outcome."""
    if package.modifications.filter(state=Modification.State.REQUESTED).exists():
        raise BeingChanged
