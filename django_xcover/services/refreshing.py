"""Reading a package anew at XCover, on request of a person."""

from __future__ import annotations

from django.db import transaction

from django_xcover.client.answers import package_from_wire
from django_xcover.models import QuotePackage
from django_xcover.services import booking, gateway, mirroring


def refresh(package: QuotePackage) -> QuotePackage:
    """Bring the mirror up to what XCover holds now and return the package.

    Raises XCoverError when XCover cannot be asked or does not know the package; the mirror is then
    as it was.
    """
    client = gateway.client_for(package.account)
    answer = booking.read_booking(client, package.package_id)
    if answer is None:
        answer = package_from_wire(client.get_quote(package.package_id))
    with transaction.atomic():
        locked = QuotePackage.objects.select_for_update().get(pk=package.pk)
        mirroring.apply_answer(locked, answer)
    return locked
