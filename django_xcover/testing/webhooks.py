"""Webhooks as XCover signs them, for a shop's own tests."""

from __future__ import annotations

from datetime import UTC, datetime

from django_xcover.client.auth import http_date, signature, string_to_sign


def sign_delivery(
    body: bytes | str,
    *,
    key_id: str,
    secret: str,
    algorithm: str = "hmac-sha256",
    date: datetime | None = None,
) -> dict[str, str]:
    """Return the headers with which XCover would send `body`, signed at `date` (aware; now).

    XCover's signature covers the date alone (Quotes API: authentication of a webhook); the body is
    asked for so that a test stays right should XCover come to sign it. Raises KeyError for an
    algorithm that XCover does not have.
    """
    signed_at = http_date(date or datetime.now(UTC))
    text = string_to_sign("date", date=signed_at, method="POST", path="")
    value = signature(text, secret=secret, algorithm=algorithm)
    return {
        "Date": signed_at,
        "X-Api-Key": key_id,
        "Authorization": (
            f'Signature keyId="{key_id}",algorithm="{algorithm}",signature="{value}"'
        ),
    }
