"""Read packages from XCover: on a user's request, after a webhook, or to fix a discrepancy."""

from __future__ import annotations

from django.db import transaction

from django_xcover.client import NotFound, XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire, status_from_wire
from django_xcover.clients import factory
from django_xcover.mirror import packages
from django_xcover.models import BOOKED, QuotePackage, Status


def read_booking(client: XCoverClient, package_id: str) -> PackageAnswer | None:
    """Return the booking XCover holds under `package_id`, or None while it is only a quote.

    A failed booking is returned as well: it is final, and posting it again charges no customer.

    The quote is read first, because it can be read in any state (recorded contract, 4.1), while
    reading a booking that was never made is not documented.
    """
    found = find(client, package_id)
    return found if found is not None and found.status in {*BOOKED, Status.FAILED} else None


def find(client: XCoverClient, package_id: str) -> PackageAnswer | None:
    """Return the package, or the booking it has become; None when XCover does not know it."""
    try:
        quoted = client.get_quote(package_id)
    except NotFound:
        return None
    wire = client.get_booking(package_id) if status_from_wire(quoted) in BOOKED else quoted
    return package_from_wire(wire)


READINGS = 3


def refresh(package: QuotePackage, *, readings: int = READINGS) -> QuotePackage:
    """Update the mirror from XCover and return the package.

    Raises XCoverError if XCover can't be reached or doesn't know the package; the mirror is then
    unchanged.
    """
    return reread(package, readings=readings)[0]


def reread(
    package: QuotePackage, *, readings: int = READINGS
) -> tuple[QuotePackage, PackageAnswer]:
    """Do what `refresh` does, and return XCover's answer along with the package."""
    seen = QuotePackage.objects.values_list("updated_at", flat=True).get(pk=package.pk)
    answer = read(factory.client_for(package.account), package.package_id)
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        # The row changed in the meantime, perhaps from a newer answer: a booking that was read
        # right before its cancellation would otherwise overwrite the cancellation.
        overtaken = locked.updated_at != seen and readings > 1
        if not overtaken:
            packages.apply_answer(locked, answer)
    return reread(package, readings=readings - 1) if overtaken else (locked, answer)


def refresh_once(package: QuotePackage, *, deadline: float) -> None:
    """Update the mirror within `deadline` seconds, while a user waits.

    Makes one call. If the row changes in the meantime, the answer is dropped, because the stored
    data is just as new. Raises XCoverError.
    """
    seen = QuotePackage.objects.values_list("updated_at", flat=True).get(pk=package.pk)
    wire = factory.client_for(package.account).get_booking(package.package_id, deadline=deadline)
    answer = package_from_wire(wire)
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        if locked.updated_at == seen:
            packages.apply_answer(locked, answer)


def read(client: XCoverClient, package_id: str) -> PackageAnswer:
    """Return the package, or the booking it has become, as XCover holds it now."""
    answer = find(client, package_id)
    if answer is None:
        raise NotFound("XCover does not know the package.", status=404)
    return answer
