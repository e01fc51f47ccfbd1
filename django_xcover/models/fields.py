"""Column types that behave the same on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    # For a type checker they are Django's own, so that `null=True` makes the value optional.
    AmountField = models.DecimalField
    VendorIdField = models.CharField
    TermField = models.CharField
else:

    class TermField(models.CharField):
        """Text that is compared byte by byte, so that an index finds all that begins alike.

        In the collations that PostgreSQL and MariaDB take by default the words with one beginning
        are not one range.
        """

        def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
            parameters = super().db_parameters(connection)
            binary = {"postgresql": "C", "mysql": "utf8mb4_bin"}
            if connection.vendor in binary:
                parameters["collation"] = binary[connection.vendor]
            return parameters

    class VendorIdField(models.CharField):
        """An id of XCover's, compared exactly.

        `-UPD` and `-CCL` ids mix cases (Quotes API: identifiers), while MySQL and MariaDB compare
        text without case by default; there the column gets a binary collation.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("max_length", 64)
            super().__init__(*args, **kwargs)

        def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
            parameters = super().db_parameters(connection)
            if connection.vendor == "mysql":
                parameters["collation"] = "utf8mb4_bin"
            return parameters

    class AmountField(models.DecimalField):
        """An amount of money; its currency stands in a column beside it.

        Four decimals hold every ISO 4217 minor unit (KWD has three).
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("max_digits", 19)
            kwargs.setdefault("decimal_places", 4)
            super().__init__(*args, **kwargs)
