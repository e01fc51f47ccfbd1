"""Reading a package anew at XCover, because of a person, a webhook or a difference."""

from __future__ import annotations

from django.db import transaction

from django_xcover.client import NotFound, XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.clients import factory
from django_xcover.mirror import packages, reads
from django_xcover.models import QuotePackage

READINGS = 3


def refresh(package: QuotePackage, *, readings: int = READINGS) -> QuotePackage:
    """Bring the mirror up to what XCover holds now and return the package.

    Raises XCoverError when XCover cannot be asked or does not know the package; the mirror is then
    as it was.
    """
    return reread(package, readings=readings)[0]


def reread(
    package: QuotePackage, *, readings: int = READINGS
) -> tuple[QuotePackage, PackageAnswer]:
    """Do as `refresh` does, and return beside the package what XCover answered."""
    seen = QuotePackage.objects.values_list("updated_at", flat=True).get(pk=package.pk)
    answer = read(factory.client_for(package.account), package.package_id)
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        # Somebody learned something meanwhile, perhaps later than this answer: a booking that was
        # read right before its cancellation would otherwise come after it.
        overtaken = locked.updated_at != seen and readings > 1
        if not overtaken:
            packages.apply_answer(locked, answer)
    return reread(package, readings=readings - 1) if overtaken else (locked, answer)


def look_again(package: QuotePackage, *, deadline: float) -> None:
    """Bring the mirror up to the booking within `deadline` seconds, because somebody waits.

    One call. An answer that was overtaken is left out: what came meanwhile is as new. Raises
    XCoverError.
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
    answer = reads.read(client, package_id)
    if answer is None:
        raise NotFound("XCover does not know the package.", status=404)
    return answer
