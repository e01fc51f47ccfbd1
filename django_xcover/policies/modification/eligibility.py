"""Which fields of a booking may be changed, and why the others may not."""

from __future__ import annotations

from collections.abc import Collection

from django_xcover.exceptions import BeingChanged, NotModifiable
from django_xcover.models import Cancellation, Modification, QuotePackage, Status
from django_xcover.tracebacks import clears_frames

# Used if XCover lists no fields. Country and age are left out, because they determine what can be
# insured and at what price.
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


@clears_frames
def changeable_fields(package: QuotePackage) -> tuple[str, ...]:
    """Return the policyholder's fields that may be changed, as XCover's last answer has them.

    Uses `fields_allowed_to_update` if it lists any. Otherwise the usual details may be tried and
    XCover decides: `allow_updates` is false in every recorded booking, yet a new phone number was
    accepted.
    """
    return package.answer.policyholder.changeable or DETAILS


def require_changeable(package: QuotePackage, quote_ids: Collection[str] = ()) -> None:
    """Raise NotModifiable unless the package and the given policies can be changed now."""
    if package.status != Status.CONFIRMED:
        raise NotModifiable
    quotes = package.quotes.all() if quote_ids else ()
    in_force = {quote.quote_id for quote in quotes if quote.status == Status.CONFIRMED}
    if not in_force.issuperset(quote_ids):
        raise NotModifiable
    # Filtered in Python, so that a page with prefetched rows makes no query.
    if any(row.state == Cancellation.State.REQUESTED for row in package.cancellations.all()):
        raise NotModifiable


def require_idle(package: QuotePackage) -> None:
    """Raise BeingChanged while a change is in progress: the next would not see its outcome."""
    if package.modifications.filter(state=Modification.State.REQUESTED).exists():
        raise BeingChanged
