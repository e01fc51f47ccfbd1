"""The shop's own references of payments and refunds."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from django_xcover.services.refusals import Refused

# As the columns have room for.
LONGEST = 100


class ReferenceTooLong(Refused):
    """A reference cannot be kept whole; cut short it would be another payment's."""

    message = _("This reference is too long: it may have %(longest)s characters.")


def refuse_long(reference: str) -> None:
    """Raise ReferenceTooLong for one that the database would refuse, or cut."""
    if len(reference) > LONGEST:
        raise ReferenceTooLong(longest=LONGEST)
