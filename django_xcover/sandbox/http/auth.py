"""Verify signatures, with code that is independent of the client's (Quotes API: authentication)."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from werkzeug.wrappers import Request

from django_xcover.sandbox.http.errors import forbidden, unauthorized

ALGORITHMS = {f"hmac-{digest}": digest for digest in ("sha1", "sha256", "sha384", "sha512")}
FIELDS = frozenset({"keyid", "algorithm", "headers", "signature"})


@dataclass(frozen=True)
class Partner:
    """A partner of the sandbox, with one code and one API key."""

    code: str
    api_key: str
    api_secret: str = field(repr=False)


@dataclass(frozen=True)
class Gatekeeper:
    """Authenticates requests. With `max_skew` None every `Date` is accepted."""

    partners: Mapping[str, Partner]
    max_skew: timedelta | None = None

    def admit(self, request: Request, now: datetime) -> Partner:
        """Return the calling partner. Raise ApiError 401 without a known key, 403 otherwise."""
        claimed = _fields(request.headers.get("Authorization", ""))
        partner = self._partner(request, claimed)
        if claimed is None or not self._is_signed(request, claimed, partner):
            raise forbidden()
        if self.max_skew is not None and not _is_fresh(request, now, self.max_skew):
            raise forbidden()
        return partner

    def _partner(self, request: Request, claimed: Mapping[str, str] | None) -> Partner:
        """Return the partner of the key.

        Inferred: the key may be in either header, and must be the same if it is in both.
        """
        header = request.headers.get("X-Api-Key")
        key = (claimed or {}).get("keyid", header)
        if key is None or key not in self.partners or header not in {None, key}:
            raise unauthorized()
        return self.partners[key]

    def _is_signed(self, request: Request, claimed: Mapping[str, str], partner: Partner) -> bool:
        digest = ALGORITHMS.get(claimed.get("algorithm", ""))
        message = string_to_sign(request, claimed.get("headers", "date"))
        if digest is None or message is None:
            return False
        raw = hmac.new(partner.api_secret.encode(), message.encode(), digest).digest()
        # In the standard alphabet with all reserved characters escaped, and compared as text, so
        # that neither the URL-safe alphabet nor an unescaped signature is accepted.
        expected = quote(base64.b64encode(raw).decode(), safe="")
        # .NET clients send `%2b` for `%2B`.
        given = re.sub(
            r"%[0-9a-fA-F]{2}", lambda match: match.group().upper(), claimed.get("signature", "")
        )
        return hmac.compare_digest(expected.encode(), given.encode())


def string_to_sign(request: Request, names: str) -> str | None:
    """Return the signed lines, or None if the request has no date.

    `x-aux-date` replaces both the value and the name of `date`, for clients that cannot set `Date`.
    """
    lines = []
    for name in names.split():
        if name == "(request-target)":
            # The path as requested, with its escapes and without the query.
            asked = (request.environ.get(name) for name in ("REQUEST_URI", "RAW_URI"))
            path = str(next(filter(None, asked), request.path)).partition("?")[0]
            lines.append(f"(request-target): {request.method.lower()} {path}")
            continue
        used = "x-aux-date" if name == "date" and "x-aux-date" in request.headers else name
        if name == "date" and used not in request.headers:
            return None
        lines.append(f"{used}: {request.headers.get(used, '')}")
    return "\n".join(lines)


def _fields(header: str) -> dict[str, str] | None:
    """Return the parts of `Signature keyId="…",…`, or None for any other header."""
    scheme, _, rest = header.partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    fields = {name.lower(): value.strip('"') for name, _, value in pairs}
    if scheme not in {"Signature", "signature"} or not set(fields) <= FIELDS:
        return None
    return fields


def _is_fresh(request: Request, now: datetime, max_skew: timedelta) -> bool:
    try:
        date = parsedate_to_datetime(
            request.headers.get("x-aux-date") or request.headers.get("Date", "")
        )
    except ValueError:
        return False
    return abs(now - date) <= max_skew
