"""Read the current state of a package from XCover: a quote, or the booking it became."""

from __future__ import annotations

from django_xcover.client import NotFound, XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire, status_from_wire
from django_xcover.models import BOOKED, Status


def read_booking(client: XCoverClient, package_id: str) -> PackageAnswer | None:
    """Return the booking XCover holds under `package_id`, or None while it is only a quote.

    A failed booking is returned as well: it is final, and posting it again charges no customer.

    The quote is read first, because it can be read in any state (recorded contract, 4.1), while
    reading a booking that was never made is not documented.
    """
    found = read(client, package_id)
    return found if found is not None and found.status in {*BOOKED, Status.FAILED} else None


def read(client: XCoverClient, package_id: str) -> PackageAnswer | None:
    """Return the package, or the booking it has become; None when XCover does not know it."""
    try:
        quoted = client.get_quote(package_id)
    except NotFound:
        return None
    wire = client.get_booking(package_id) if status_from_wire(quoted) in BOOKED else quoted
    return package_from_wire(wire)
