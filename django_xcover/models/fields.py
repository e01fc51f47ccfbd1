"""Model fields that behave the same on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    # Type checkers see Django's own fields, so that `null=True` makes the value optional.
    AmountField = models.DecimalField
    VendorIdField = models.CharField
    TermField = models.CharField
else:

    class TermField(models.CharField):
        """Text that is compared byte by byte, so that prefix searches can use an index.

        In the default collations of PostgreSQL and MariaDB the words with a common prefix do not
        form a single range.
        """

        def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
            parameters = super().db_parameters(connection)
            binary = {"postgresql": "C", "mysql": "utf8mb4_bin"}
            if connection.vendor in binary:
                parameters["collation"] = binary[connection.vendor]
            return parameters

    class VendorIdField(models.CharField):
        """An XCover id, compared exactly.

        `-UPD` and `-CCL` ids are in mixed case (Quotes API: identifiers), but MySQL and MariaDB
        ignore case by default, so there the column gets a binary collation.
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
        """An amount of money. Its currency is in another column of the row.

        Four decimals are enough for every ISO 4217 currency (KWD has three).
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("max_digits", 19)
            kwargs.setdefault("decimal_places", 4)
            super().__init__(*args, **kwargs)
