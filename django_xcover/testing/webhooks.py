"""Sign webhooks like XCover, for a shop's tests."""

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
    """Return the headers that XCover would send with `body`, signed at `date` (aware, default now).

    XCover's signature only covers the date (Quotes API: authentication of a webhook). The body is
    an argument so that tests stay valid if XCover starts to sign it. Raise KeyError for an unknown
    algorithm.
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
