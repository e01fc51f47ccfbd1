"""What the fields of a change are called, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from django_xcover.client.field_errors import NO_FIELD

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# What the policyholder's details are called.
LABELS: Mapping[str, StrOrPromise] = {
    "first_name": _("First name"),
    "middle_name": _("Middle name"),
    "last_name": _("Last name"),
    "company": _("Company"),
    "email": _("E-mail"),
    "secondary_email": _("Second e-mail"),
    "phone": _("Phone, with + and the country code"),
    "address1": _("Address"),
    "address2": _("Address, second line"),
    "city": _("Town or city"),
    "postcode": _("Postcode"),
    "region": _("Region"),
    "country": _("Country (two letters)"),
    "birth_date": _("Date of birth"),
    "age": _("Age"),
}


def label_of(name: str) -> StrOrPromise:
    """Return what the field is called; one XCover has added since goes by its own name."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def label_at(path: str) -> str:
    """Return what the field at XCover's dotted path is called: of `policyholder.phone` the phone.

    The path of what is said of no field stays as it is.
    """
    names = [part for part in path.split(".") if not part.isdecimal()]
    return path if path == NO_FIELD or not names else str(label_of(names[-1]))
