"""The `Authorization: Signature …` header (Quotes API: authentication)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from django_xcover.client.errors import ConfigurationError

ALGORITHMS: Final[dict[str, Callable[..., Any]]] = {
    "hmac-sha1": hashlib.sha1,  # deprecated by XCover, still documented
    "hmac-sha256": hashlib.sha256,
    "hmac-sha384": hashlib.sha384,
    "hmac-sha512": hashlib.sha512,
}
REQUEST_TARGET: Final = "(request-target)"
SIGNED_HEADERS: Final = ("date", f"{REQUEST_TARGET} date", f"date {REQUEST_TARGET}")


def http_date(moment: datetime) -> str:
    """Return an aware datetime as `Mon, 02 Mar 2026 09:05:07 GMT`, independent of the locale."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def string_to_sign(signed_headers: str, *, date: str, method: str, path: str) -> str:
    """Return one `name: value` line per signed header. `path` is the URL's path, without query."""
    lines = {"date": f"date: {date}", REQUEST_TARGET: f"{REQUEST_TARGET}: {method.lower()} {path}"}
    return "\n".join(lines[name] for name in signed_headers.split())


def signature(text: str, *, secret: str, algorithm: str) -> str:
    """Return the HMAC of `text` in standard Base64, with all reserved characters URL-encoded."""
    digest = hmac.new(secret.encode(), text.encode(), ALGORITHMS[algorithm]).digest()
    return quote(base64.b64encode(digest), safe="")


class SignatureAuth(AuthBase):
    """Set `Date`, `Authorization` and `X-Api-Key` on each request, with a fresh signature.

    Being requests' `auth`, it also prevents a `.netrc` entry for the host from replacing the
    header.
    """

    def __init__(
        self, *, api_key: str, api_secret: str, algorithm: str, signed_headers: str
    ) -> None:
        """Raise ConfigurationError for an unknown algorithm or header list, or an unusable key."""
        if algorithm not in ALGORITHMS:
            raise ConfigurationError(f"algorithm must be one of {', '.join(ALGORITHMS)}")
        self._signed_headers = " ".join(signed_headers.split())
        if self._signed_headers not in SIGNED_HEADERS:
            raise ConfigurationError('signed_headers must be "date" or "(request-target) date"')
        if not api_secret:
            raise ConfigurationError("api_secret is empty")
        if not api_key or not api_key.isascii() or not api_key.isprintable() or '"' in api_key:
            # A quote would end the header's quoted field.
            raise ConfigurationError(
                "api_key is empty or has characters that a header cannot carry"
            )
        self._api_key = api_key
        self._api_secret = api_secret
        self._algorithm = algorithm

    def __repr__(self) -> str:
        return f"<SignatureAuth {self._algorithm}>"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the three headers, signed with the current time."""
        date = http_date(datetime.now(UTC))
        request.headers["Date"] = date
        request.headers["X-Api-Key"] = self._api_key
        path = urlsplit(request.url or "").path
        request.headers["Authorization"] = self.header(str(request.method), str(path), date)
        return request

    def header(self, method: str, path: str, date: str) -> str:
        """Return the `Authorization` value for one request at `date`."""
        text = string_to_sign(self._signed_headers, date=date, method=method, path=path)
        value = signature(text, secret=self._api_secret, algorithm=self._algorithm)
        # Without `headers` only the date is signed, and XCover's documents omit it in that case.
        listed = "" if self._signed_headers == "date" else f'headers="{self._signed_headers}",'
        return (
            f'Signature keyId="{self._api_key}",algorithm="{self._algorithm}",'
            f'{listed}signature="{value}"'
        )
