"""Find the policyholder of a package, at XCover or in the booking that is about to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django_xcover.client.schemas.requests import booked_policyholder
from django_xcover.mirror.presentation import clean_text
from django_xcover.models import Operation, QuotePackage
from django_xcover.models.operation import PAYING


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The policyholder. `details` has every known field, by XCover's name."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    details: Mapping[str, Any] = field(repr=False)


def holder_of(package: QuotePackage) -> Holder:
    """Return the policyholder of `package`; an unknown name or address is ""."""
    known = package.answer.policyholder
    if not known.email:
        rows = Operation.objects.filter(package=package, kind__in=PAYING).exclude(request={})
        operation = rows.order_by("-pk").first()
        known = booked_policyholder(operation.request) if operation else known
    names = (clean_text(known.first_name), clean_text(known.last_name))
    return Holder(
        name=" ".join(filter(None, names)),
        email=clean_text(known.email) or clean_text(package.policyholder_email),
        details=known.details,
    )
