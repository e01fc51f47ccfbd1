"""What the places of the package's addresses take.

Text that no database keeps, as a NUL on PostgreSQL, finds no address: it is 404 and never a query.
"""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter


class VendorId(StringConverter):
    """An id of XCover's: of a quote or policy (a UUID) or of a package ("…-INS")."""

    regex = "[0-9A-Za-z-]{1,64}"


class OrderReference(StringConverter):
    """A shop's order number: it may hold slashes and, from a careless import, line breaks."""

    regex = r"[^\x00]+"


register_converter(VendorId, "xcover_id")
register_converter(OrderReference, "xcover_reference")
