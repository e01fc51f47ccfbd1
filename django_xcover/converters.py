"""Path converters of the package's URLs.

Text that some database cannot store, such as a NUL on PostgreSQL, matches no URL. It results in a
404 and never reaches a query.
"""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter


class VendorId(StringConverter):
    """An XCover id: of a quote or policy (a UUID) or of a package ("…-INS")."""

    regex = "[0-9A-Za-z-]{1,64}"


class OrderReference(StringConverter):
    """A shop's order number. It may contain slashes and, after a bad import, line breaks."""

    regex = r"[^\x00]+"


register_converter(VendorId, "xcover_id")
register_converter(OrderReference, "xcover_reference")
