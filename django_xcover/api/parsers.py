"""The parser of request bodies: exact numbers, limited size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from django_xcover.client import exact_json

MAX_BYTES = 64 * 1024


class ExactJSONParser(BaseParser):
    """A JSON object of at most 64 KiB. Fractions become Decimal, so money is never a float."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object; raise ParseError for anything else."""
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise ParseError(_("The request is larger than 64 KiB."))
        try:
            data = exact_json.decode(body) if body.strip() else {}
        except ValueError:
            raise ParseError(_("The request isn't valid JSON.")) from None
        if not isinstance(data, dict):
            raise ParseError(_("The request isn't a JSON object."))
        return data
