"""Reading what a client sends: exactly, and not more than anybody has a use for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from django_xcover.client import exact_json

LARGEST = 64 * 1024


class ExactJSONParser(BaseParser):
    """JSON with fractions as Decimal: money is never a float. At most 64 KiB, and an object."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object; raise ParseError for anything else."""
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ParseError(_("This is more than 64 KiB."))
        try:
            data = exact_json.decode(body) if body.strip() else {}
        except ValueError:
            raise ParseError(_("This is not JSON.")) from None
        if not isinstance(data, dict):
            raise ParseError(_("This is not a JSON object."))
        return data
